"""Read models in memory: folds an in-memory log by the projections' own pure functions when it is told to."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

import psycopg

from adapters.event_log import InMemoryEventLog
from adapters.subject_keys import InMemorySubjectKeys
from api.queries.reads import Reservation
from projections.activity.queries import ActivityRow
from projections.assets.clear import ClearText
from projections.assets.projection import TABLE, rows
from projections.assets.queries import AssetRow, VariantRow
from projections.folding import Changed, Folded
from projections.jobs.queries import JobRow
from projections.waiting import NotYetApplied
from schemas.envelope import RawRecord, read_headers
from schemas.events import AssetEvent, ProcessingFailed, UploadRequested
from schemas.lifecycle import AssetState, fold
from schemas.positions import Position


class Wakeups:
    def __init__(self) -> None:
        self.event = asyncio.Event()

    async def woken(self, timeout: float | None = None) -> bool:
        try:
            async with asyncio.timeout(timeout):
                await self.event.wait()
        except TimeoutError:
            return False
        self.event.clear()
        return True


@dataclass
class FakeReads:
    """Lags behind the log until `catch_up`; `down` plays a database that is away."""

    log: InMemoryEventLog
    keys: InMemorySubjectKeys
    down: bool = False
    states: dict[UUID, AssetState] = field(default_factory=dict)
    assets: dict[UUID, AssetRow] = field(default_factory=dict)
    jobs: dict[UUID, JobRow] = field(default_factory=dict)
    feed: list[ActivityRow] = field(default_factory=list)
    applied: int = 0
    reservations: dict[bytes, Reservation] = field(default_factory=dict)
    wakeups: set[Wakeups] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    def catch_up(self) -> None:
        for record in self.log.records[self.applied :]:
            self._apply(record)
        self.applied = len(self.log.records)
        for wakeups in self.wakeups:
            wakeups.event.set()

    def _apply(self, record: RawRecord) -> None:
        event = self.log.codec.decode(record.value)
        if not isinstance(event, AssetEvent):
            return
        folded = fold(self.states.get(event.asset_id), event)
        self.feed.append(_entry(record, event, folded.state, folded.accepted))
        if not folded.accepted or folded.state is None:
            return
        self.states[event.asset_id] = folded.state
        changed = Changed(folded.state, record.partition, record.offset)
        (row,) = rows(Folded(changed={event.asset_id: changed}), ClearText(self.keys))
        self.assets[event.asset_id] = _asset(dict(zip(TABLE.columns, row, strict=True)))
        for job in folded.state.jobs:
            self.jobs[job.job_id] = JobRow(
                job_id=job.job_id,
                asset_id=event.asset_id,
                owner_id=event.owner_id,
                kind=job.kind,
                lane=job.lane,
                state=job.state,
                attempts=job.attempts,
                error_kind=None,
                error_code=None,
                queued_at=job.queued_at,
                started_at=job.started_at,
                finished_at=job.finished_at,
                worker=job.worker,
                cost=None,
            )

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if self.down:
            raise psycopg.OperationalError("the database is away")

    async def asset(self, *, owner_id: UUID, asset_id: UUID) -> AssetRow | None:
        self._ask("asset")
        row = self.assets.get(asset_id)
        return row if row is not None and row.owner_id == owner_id else None

    async def assets_page(
        self, *, owner_id: UUID, status: str | None, limit: int, before: tuple[datetime, UUID] | None
    ) -> list[AssetRow]:
        self._ask("assets_page")
        mine = [
            row
            for row in self.assets.values()
            if row.owner_id == owner_id
            and (status is None or row.status == status)
            and (before is None or (row.listed_at, row.asset_id) < before)
        ]
        return sorted(mine, key=lambda row: (row.listed_at, row.asset_id), reverse=True)[:limit]

    async def assets_by_id(self, asset_ids: Sequence[UUID]) -> list[AssetRow]:
        self._ask("assets_by_id")
        return [self.assets[asset_id] for asset_id in asset_ids if asset_id in self.assets]

    async def job(self, *, owner_id: UUID | None, job_id: UUID) -> JobRow | None:
        self._ask("job")
        row = self.jobs.get(job_id)
        return row if row is not None and owner_id in {None, row.owner_id} else None

    async def entries_after(
        self, *, topic: str, after: Mapping[int, int], owner_id: UUID | None, limit: int
    ) -> list[ActivityRow]:
        self._ask("entries_after")
        return [
            row
            for row in self.feed
            if row.topic == topic
            and row.offset > after.get(row.partition, -1)
            and owner_id in {None, row.owner_id}
        ][:limit]

    async def by_event_id(self, event_id: UUID) -> ActivityRow | None:
        self._ask("by_event_id")
        return next((row for row in self.feed if row.event_id == event_id and row.accepted), None)

    async def positions(self, topic: str) -> dict[int, int]:
        self._ask("positions")
        positions = dict.fromkeys(range(self.log.partitions), 0)
        for row in (row for row in self.feed if row.topic == topic):
            positions[row.partition] = max(positions[row.partition], row.offset + 1)
        return positions

    async def wait_for(self, position: Position, timeout: float) -> None:
        del timeout  # what is not there now will not come by waiting
        if self.down or (await self.positions(position.topic))[position.partition] <= position.offset:
            raise NotYetApplied(position)

    @contextmanager
    def subscribe(self) -> Iterator[Wakeups]:
        wakeups = Wakeups()
        self.wakeups.add(wakeups)
        yield wakeups
        self.wakeups.discard(wakeups)

    async def reserve(self, scope: bytes, request_hash: bytes, now: datetime) -> Reservation:
        self._ask("reserve")
        return self.reservations.setdefault(scope, Reservation(request_hash=request_hash, first_asked=now))

    async def answer(self) -> bool:
        return not self.down


def _asset(values: dict[str, object]) -> AssetRow:
    values["tags"] = tuple(values["tags"])  # type: ignore[arg-type] # as the table's column says
    values["variants"] = tuple(VariantRow(**variant) for variant in values["variants"].obj)  # type: ignore[attr-defined] # Jsonb
    return AssetRow(**values)  # type: ignore[arg-type] # the table's columns are the row's fields


def _entry(record: RawRecord, event: AssetEvent, state: AssetState | None, accepted: bool) -> ActivityRow:
    headers = read_headers(record.headers)
    data: dict[str, object] = {} if state is None else {"status": state.status}
    if isinstance(event, ProcessingFailed):
        data["will_retry"] = event.will_retry
    job_id = getattr(event, "job_id", None)
    return ActivityRow(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        event_id=event.event_id,
        event_type=type(event).__name__,
        asset_id=event.asset_id,
        owner_id=event.owner_id,
        actor_id=getattr(event, "actor_id", None),
        job_id=job_id,
        attempt=getattr(event, "attempt", None),
        worker=getattr(event, "worker", None),
        kind=getattr(event, "kind", None),
        code=getattr(event, "code", None),
        accepted=accepted,
        occurred_at=event.occurred_at,
        log_time=datetime.fromtimestamp(record.timestamp_ms / 1000, UTC),
        request_hash=getattr(event, "request_hash", None),
        correlation_id=UUID(headers["correlationid"]) if isinstance(event, UploadRequested) else None,
        causation_id=None,
        trace_id=None,
        data=data,
    )

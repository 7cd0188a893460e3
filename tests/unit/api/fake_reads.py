"""Read models in memory: folds an in-memory log by the shared lifecycle, when it is told to."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg

from adapters.event_log import InMemoryEventLog
from adapters.sealing import open_json
from adapters.subject_keys import InMemorySubjectKeys
from api.queries.reads import Reservation
from api.quota import Used
from projections.account_activity.queries import AccountActivityRow
from projections.activity.history import HistoryRow
from projections.activity.projection import NOBODY
from projections.activity.queries import ActivityRow
from projections.assets.pages import AssetFilter, AssetMark
from projections.assets.queries import AssetRow, VariantRow
from projections.audit.queries import AuditFilter, AuditMark, AuditRow
from projections.jobs.queries import JobRow
from projections.links.queries import LinkRow
from projections.reports.queries import LoopReport
from projections.waiting import NotYetApplied
from schemas.asset_state import UNDER_WAY
from schemas.envelope import RawRecord, read_headers
from schemas.events import AssetEvent, ProcessingFailed
from schemas.lifecycle import AssetState, fold
from schemas.positions import Position
from tests.unit.api.fake_accounts import FakeAccounts
from tests.unit.api.fake_audit import audit_row, sifted
from tests.unit.api.fake_gallery import links_in, page_of, told


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
    accounts: FakeAccounts | None = None
    down: bool = False
    states: dict[UUID, AssetState] = field(default_factory=dict)
    assets: dict[UUID, AssetRow] = field(default_factory=dict)
    jobs: dict[UUID, JobRow] = field(default_factory=dict)
    feed: list[ActivityRow] = field(default_factory=list)
    applied: int = 0
    reservations: dict[bytes, Reservation] = field(default_factory=dict)
    wakeups: set[Wakeups] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    tailing: asyncio.Event = field(default_factory=asyncio.Event)
    keeps_up: bool = False
    projector_away: bool = False
    reports: list[LoopReport] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tailing.set()

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
        if folded.state.purged_at is not None:
            self.assets.pop(event.asset_id, None)
            self.jobs = {key: job for key, job in self.jobs.items() if job.asset_id != event.asset_id}
            return
        self.assets[event.asset_id] = _asset(folded.state, record, self.keys)
        for job in folded.state.jobs:
            self.jobs[job.job_id] = JobRow(
                job_id=job.job_id,
                asset_id=event.asset_id,
                owner_id=folded.state.owner_id,
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
        self, wanted: AssetFilter, *, limit: int, after: AssetMark | None
    ) -> list[AssetRow]:
        self._ask("assets_page")
        return page_of(self.assets.values(), wanted, limit=limit, after=after)

    async def assets_by_id(self, asset_ids: Sequence[UUID]) -> list[AssetRow]:
        self._ask("assets_by_id")
        return [self.assets[asset_id] for asset_id in asset_ids if asset_id in self.assets]

    async def link(self, *, link_id: UUID) -> LinkRow | None:
        self._ask("link")
        return next((link for link in links_in(self.states) if link.link_id == link_id), None)

    async def links_of(self, *, owner_id: UUID, asset_id: UUID) -> list[LinkRow]:
        self._ask("links_of")
        wanted = (owner_id, asset_id, None)
        found = [
            link
            for link in links_in(self.states)
            if (link.owner_id, link.asset_id, link.revoked_at) == wanted
        ]
        return sorted(found, key=lambda link: (link.issued_at, link.link_id), reverse=True)

    async def history(self, *, owner_id: UUID, asset_id: UUID, after: int, limit: int) -> list[HistoryRow]:
        self._ask("history")
        return told(self.feed, owner_id=owner_id, asset_id=asset_id, after=after, limit=limit)

    async def job(self, *, owner_id: UUID | None, job_id: UUID) -> JobRow | None:
        self._ask("job")
        row = self.jobs.get(job_id)
        return row if row is not None and owner_id in {None, row.owner_id} else None

    async def uploads_under_way(self, owner_id: UUID, *, most: int) -> int:
        self._ask("uploads_under_way")
        waiting = [
            job
            for job in self.jobs.values()
            if job.owner_id == owner_id and job.kind == "upload" and job.state in UNDER_WAY
        ]
        return min(len(waiting), most)

    async def entries_after(
        self, *, topic: str, after: Mapping[int, int], owner_id: UUID | None, limit: int
    ) -> list[ActivityRow]:
        self._ask("entries_after")
        if owner_id is None:
            await self.tailing.wait()  # a test can hold the tailer back
        return [
            row
            for row in self.feed
            if row.topic == topic
            and row.offset > after.get(row.partition, -1)
            and owner_id in {None, row.owner_id}
        ][:limit]

    async def by_event_id(self, event_id: UUID) -> ActivityRow | None:
        self._ask("by_event_id")
        found = [row for row in self.feed if row.event_id == event_id]
        return next((row for row in found if row.accepted), found[0] if found else None)

    async def audit_page(
        self, wanted: AuditFilter, *, limit: int, before: AuditMark | None
    ) -> list[AuditRow]:
        self._ask("audit_page")
        rows: list[ActivityRow | AccountActivityRow] = [*self.feed]
        if self.accounts is not None:
            rows += await self.accounts.activity()
        return sifted(map(audit_row, rows), wanted, limit=limit, before=before)

    async def positions(self, topic: str) -> dict[int, int]:
        self._ask("positions")
        positions = dict.fromkeys(range(self.log.partitions), 0)
        for row in (row for row in self.feed if row.topic == topic):
            positions[row.partition] = max(positions[row.partition], row.offset + 1)
        return positions

    def heard(self, asset_id: UUID) -> bool:
        return any(row.asset_id == asset_id for row in self.feed)

    def counted(self, owner_id: UUID) -> Used:
        rows = [row for row in self.assets.values() if row.owner_id == owner_id and row.status != "expired"]
        under_way = [row for row in rows if row.status == "requested"]
        return Used(bytes=sum(row.size or 0 for row in rows), files=len(rows), uploads=len(under_way))

    def projecting(self, topic: str, partition: int) -> bool:
        del topic, partition
        return not self.projector_away

    async def loops(self) -> list[LoopReport]:
        self._ask("loops")
        return self.reports

    async def wait_for(self, position: Position, timeout: float) -> None:
        del timeout  # what is not there now will not come by waiting
        if self.keeps_up:
            self.catch_up()
        if position.topic == self.log.topics.operations and not self.down:
            return
        if self.accounts is not None and position.topic == self.log.topics.identity:
            if self.down or self.accounts.applied(position.partition) <= position.offset:
                raise NotYetApplied(position)
            return
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


def _words(state: AssetState, keys: InMemorySubjectKeys) -> dict[str, Any]:
    if state.sealed_words is None:
        return {}
    return open_json(keys, user_id=state.owner_id, field="sealed_words", sealed=state.sealed_words) or {}


def _asset(state: AssetState, record: RawRecord, keys: InMemorySubjectKeys) -> AssetRow:
    upload, original, served, job = state.upload, state.original, state.served, state.newest_job
    words = _words(state, keys)
    error_kind, error_code = state.error or (None, None)
    return AssetRow(
        asset_id=state.asset_id,
        owner_id=state.owner_id,
        status=state.status,
        title=words.get("title"),
        description=words.get("description"),
        tags=tuple(words.get("tags", ())),
        file_name=words.get("file_name"),
        content_type=original.content_type if original else upload.content_type,
        size=original.size if original else upload.declared_size,
        requested_at=upload.requested_at,
        uploaded_at=original.uploaded_at if original else None,
        listed_at=original.uploaded_at if original else upload.requested_at,
        processed_at=served.ready_at if served else None,
        expires_at=upload.expires_at,
        deleted_at=state.deleted_at,
        taken_at=None,
        camera=None,
        thumbhash=None,
        width=served.source.width if served else None,
        height=served.source.height if served else None,
        upload_id=upload.upload_id,
        original_key=original.object_key if original else None,
        variants=tuple(VariantRow(**asdict(variant)) for variant in served.variants) if served else (),
        preset_set=served.preset_set if served else None,
        job_id=job.job_id if job else None,
        error_kind=error_kind,
        error_code=error_code,
        version=state.version,
        position_partition=record.partition,
        position_offset=record.offset,
        metadata_key=served.metadata_key if served else None,
        incoming_key=upload.object_key,
        doomed=state.doomed,
    )


def _entry(record: RawRecord, event: AssetEvent, state: AssetState | None, accepted: bool) -> ActivityRow:
    headers = read_headers(record.headers)
    data: dict[str, object] = {} if state is None else {"status": state.status}
    if isinstance(event, ProcessingFailed):
        data["will_retry"] = event.will_retry
    job_id, actor_id = getattr(event, "job_id", None), getattr(event, "actor_id", None)
    return ActivityRow(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        event_id=event.event_id,
        event_type=type(event).__name__,
        asset_id=event.asset_id,
        owner_id=event.owner_id or NOBODY,
        actor_id=actor_id,
        job_id=job_id,
        attempt=getattr(event, "attempt", None),
        worker=getattr(event, "worker", None),
        kind=getattr(event, "kind", None),
        code=getattr(event, "code", None),
        accepted=accepted,
        occurred_at=event.occurred_at,
        log_time=datetime.fromtimestamp(record.timestamp_ms / 1000, UTC),
        request_hash=getattr(event, "request_hash", None),
        correlation_id=UUID(headers["correlationid"]) if actor_id is not None else None,
        causation_id=None,
        trace_id=None,
        data=data,
    )

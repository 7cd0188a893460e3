"""The read models of runs in memory: the contract's folds over an in-memory log, as far as they are told."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID, uuid4

from adapters.event_log import InMemoryEventLog
from projections.assets.originals import KeptSet, OriginalRow, Selection
from schemas.asset_state import UNDER_WAY
from schemas.envelope import Metadata
from schemas.events import (
    AssetEvent,
    Cost,
    Encoder,
    Event,
    RunEvent,
    Source,
    UploadCompleted,
    UploadRequested,
    VariantsReady,
)
from schemas.lifecycle import AssetState, fold
from schemas.run import RunState, evolve

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
OWNER = UUID(int=7)
OLD_SET, NEW_SET = "a" * 64, "b" * 64
ENCODER = Encoder(pillow="1", codecs="2", resizer="3", simd="4")
COST = Cost(cpu_ms=1, wall_ms=2, peak_rss_kib=3, bytes_read=4, bytes_written=5)


@dataclass
class FakeRows:
    """Lags behind the log until `catch_up`."""

    log: InMemoryEventLog = field(default_factory=InMemoryEventLog)
    states: dict[UUID, AssetState] = field(default_factory=dict)
    places: dict[UUID, tuple[int, int]] = field(default_factory=dict)
    runs: dict[UUID, RunState] = field(default_factory=dict)
    applied: int = 0
    counts: int = 0
    passes: int = 0

    async def say(self, event: Event) -> None:
        await self.log.append(event, Metadata(correlation_id=uuid4(), source="/test"))

    def catch_up(self) -> None:
        for record in self.log.records[self.applied :]:
            event = self.log.codec.decode(record.value)
            if isinstance(event, AssetEvent) and event.asset_id is not None:
                folded = fold(self.states.get(event.asset_id), event)
                if folded.accepted and folded.state is not None:
                    self.states[event.asset_id] = folded.state
                    self.places[event.asset_id] = (record.partition, record.offset)
            elif isinstance(event, RunEvent):
                run = evolve(self.runs.get(event.run_id), event)
                if run is not None:
                    self.runs[event.run_id] = run
        self.applied = len(self.log.records)

    async def unfinished(self) -> Sequence[RunState]:
        return sorted((r for r in self.runs.values() if r.counts is None), key=lambda run: run.started_at)

    async def positions(self) -> Mapping[int, int]:
        ends: dict[int, int] = {}
        for record in self.log.records[: self.applied]:
            if record.topic == self.log.topics.assets:
                ends[record.partition] = record.offset + 1
        return ends

    async def known_jobs(self, job_ids: Sequence[UUID]) -> set[UUID]:
        return {job.job_id for state in self.states.values() for job in state.jobs} & set(job_ids)

    async def outstanding(self, run_ids: Sequence[UUID]) -> Mapping[UUID, int]:
        return {run_id: jobs["queued"] + jobs["active"] for run_id, jobs in self._jobs(run_ids).items()}

    async def jobs_of_runs(self, run_ids: Sequence[UUID]) -> Mapping[UUID, Mapping[str, int]]:
        self.counts += 1
        return self._jobs(run_ids)

    def _jobs(self, run_ids: Sequence[UUID]) -> dict[UUID, Counter[str]]:
        found: dict[UUID, Counter[str]] = {}
        for state in self.states.values():
            for job in state.jobs:
                if job.run_id in run_ids and job.run_id is not None:
                    found.setdefault(job.run_id, Counter())[job.state] += 1
        return found

    async def wanted(self, run: RunState, *, after: UUID | None, limit: int) -> Sequence[OriginalRow]:
        self.passes += 1
        selection = Selection.from_json(run.filter)
        rows = [
            original_row(state, self.places[state.asset_id])
            for _, state in sorted(self.states.items())
            if state.original is not None and state.deleted_at is None and state.purged_at is None
            if after is None or state.asset_id > after
            if run.owner_id in {None, state.owner_id}
            if not any(job.run_id == run.run_id for job in state.jobs)
        ]
        kept = [row for row in rows if selection.not_of_set is None or row.preset_set != selection.not_of_set]
        return kept[:limit]

    def under_way(self) -> int:
        jobs = [job for state in self.states.values() for job in state.jobs]
        return sum(job.run_id is not None and job.state in UNDER_WAY for job in jobs)

    async def uploaded(self, number: int, *, owner: UUID = OWNER) -> UUID:
        """An asset that is ready, with a set of variants by OLD_SET."""
        asset_id, upload_id, job_id = UUID(int=number), uuid4(), uuid4()
        common = {"asset_id": asset_id, "owner_id": owner, "occurred_at": NOW}
        requested = UploadRequested(
            **common,  # type: ignore[arg-type]
            event_id=uuid4(),
            actor_id=owner,
            upload_id=upload_id,
            method="form",
            object_key="incoming/x",
            content_type="image/jpeg",
            expires_at=NOW,
        )
        completed = UploadCompleted(
            **common,  # type: ignore[arg-type]
            event_id=uuid4(),
            actor_id=owner,
            upload_id=upload_id,
            job_id=job_id,
            object_key=f"assets/{asset_id}/original/n",
            size=10,
            content_type="image/jpeg",
            data_key_id=UUID(int=9),
            preset_set=OLD_SET,
            lane="live",
        )
        for event in (requested, completed, self._ready(asset_id, owner, job_id, OLD_SET)):
            await self.say(event)
        return asset_id

    async def work(self, most: int = 1_000_000) -> int:
        """Ends so many of the jobs that wait; returns how many there were."""
        self.catch_up()
        waiting = [(s, job) for s in self.states.values() for job in s.jobs if job.state == "queued"][:most]
        for state, job in waiting:
            await self.say(self._ready(state.asset_id, state.owner_id, job.job_id, job.preset_set))
        self.catch_up()
        return len(waiting)

    def _ready(self, asset_id: UUID, owner: UUID, job_id: UUID, preset_set: str) -> VariantsReady:
        source = Source(
            object_key=f"assets/{asset_id}/original/n",
            size=10,
            format="jpeg",
            width=1,
            height=1,
            orientation=1,
            frames=1,
            animated=False,
            has_alpha=False,
        )
        return VariantsReady(
            event_id=uuid4(),
            occurred_at=NOW,
            asset_id=asset_id,
            owner_id=owner,
            job_id=job_id,
            attempt=1,
            source=source,
            variants=(),
            manifest_key=f"assets/{asset_id}/variants/n/{job_id}/manifest.json",
            preset_set=preset_set,
            encoder=ENCODER,
            cost=COST,
        )


def original_row(state: AssetState, place: tuple[int, int]) -> OriginalRow:
    assert state.original is not None
    served = state.served
    return OriginalRow(
        asset_id=state.asset_id,
        owner_id=state.owner_id,
        original_key=state.original.object_key,
        size=state.original.size,
        data_key_id=state.original.data_key_id,
        sealed_digests=state.original.sealed_digests,
        preset_set=None if served is None else served.preset_set,
        manifest_key=None if served is None else served.manifest_key,
        kept=tuple(
            KeptSet(
                job_id=kept.job_id,
                preset_set=kept.preset_set,
                manifest_key=kept.manifest_key,
                superseded_at=kept.superseded_at or NOW,
            )
            for kept in state.kept
        ),
        version=state.version,
        position_partition=place[0],
        position_offset=place[1],
    )

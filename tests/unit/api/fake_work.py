"""Jobs in lists and what hangs on dead letters, out of the read models in memory."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from projections.assets.originals import OriginalRow
from projections.dead_letters.queries import Held, Spot, Told
from projections.jobs.queries import Attempt, JobFilter, JobMark, JobRow, attempts_of
from projections.jobs.stats import LaneStats
from tests.unit.api.fake_reads import FakeReads


@dataclass
class FakeWork:
    """What `reads` knows; `quarantine` is what projectors have set aside, `redriven` what was asked for."""

    reads: FakeReads
    quarantine: dict[Spot, Held] = field(default_factory=dict)
    redriven: list[Spot] = field(default_factory=list)
    heard: set[UUID] = field(default_factory=set)

    async def jobs_page(self, wanted: JobFilter, *, limit: int, after: JobMark | None) -> list[JobRow]:
        rows = sorted(self.reads.jobs.values(), key=_mark, reverse=True)
        return [row for row in rows if _fits(row, wanted) and (after is None or _mark(row) < after)][:limit]

    async def attempts(self, row: JobRow) -> list[Attempt]:
        names = {"ProcessingStarted", "ProcessingFailed", "VariantsReady"}
        return attempts_of(
            row,
            [
                (one.attempt or 0, one.event_type, one.occurred_at, one.worker, one.kind, one.code, one.data)
                for one in self.reads.feed
                if one.job_id == row.job_id and one.accepted and one.event_type in names
            ],
        )

    async def job_stats(self, now: datetime) -> list[LaneStats]:
        del now
        states: dict[str, int] = {}
        for row in self.reads.jobs.values():
            states[row.state] = states.get(row.state, 0) + 1
        waiting = [row.queued_at for row in self.reads.jobs.values() if row.state == "queued"]
        return [
            LaneStats(
                lane="live",
                states=states,
                oldest_waiting=min(waiting, default=None),
                done=0,
                waiting_p50=None,
                waiting_p95=None,
                work_p50=None,
                work_p95=None,
            )
        ]

    async def original(self, asset_id: UUID) -> OriginalRow | None:
        state = self.reads.states.get(asset_id)
        if state is None or state.original is None or state.deleted_at is not None:
            return None
        return OriginalRow(
            asset_id=asset_id,
            owner_id=state.owner_id,
            original_key=state.original.object_key,
            size=state.original.size,
            data_key_id=state.original.data_key_id,
            sealed_digests=state.original.sealed_digests,
            preset_set=None,
            manifest_key=None,
            kept=(),
            version=state.version,
            position_partition=0,
            position_offset=0,
        )

    async def last_said(self, row: JobRow) -> UUID | None:
        said = [one.event_id for one in self.reads.feed if one.job_id == row.job_id and one.accepted]
        return said[-1] if said else None

    async def told(self, asset_ids: Collection[UUID]) -> dict[UUID, Told]:
        found = [self.reads.assets[asset_id] for asset_id in asset_ids if asset_id in self.reads.assets]
        return {row.asset_id: Told(owner_id=row.owner_id, content_type=row.content_type) for row in found}

    async def held(self, spots: Collection[Spot]) -> dict[Spot, Held]:
        return {spot: self.quarantine[spot] for spot in spots if spot in self.quarantine}

    async def set_aside(self, topic: str, partition: int, key: bytes) -> bool:
        del partition
        return any(held.key == key and spot[0] == topic for spot, held in self.quarantine.items())

    async def failed_jobs(self, job_ids: Collection[UUID]) -> set[UUID]:
        jobs = self.reads.jobs
        return {
            job_id
            for job_id in job_ids
            if job_id in jobs
            and jobs[job_id].state == "failed"
            and self.reads.assets[jobs[job_id].asset_id].job_id == job_id
        }

    async def said(self, event_ids: Sequence[UUID]) -> set[UUID]:
        known = {one.event_id for one in self.reads.feed} | self.heard
        return known & set(event_ids)

    async def redrive_rounds(self, asset_id: UUID) -> int:
        state = self.reads.states.get(asset_id)
        rounds = 0
        for job in reversed(state.jobs if state is not None else ()):
            if job.kind != "redrive":
                break
            rounds += 1
        return rounds

    async def ask_redrive(self, found: Held, now: datetime) -> None:
        del now
        self.redriven.append(found.spot)


def _mark(row: JobRow) -> JobMark:
    return JobMark(row.queued_at, row.job_id)


def _fits(row: JobRow, wanted: JobFilter) -> bool:
    return (
        wanted.owner_id in {None, row.owner_id}
        and wanted.asset_id in {None, row.asset_id}
        and wanted.state in {None, row.state}
        and wanted.kind in {None, row.kind}
        and wanted.run_id in {None, row.run_id}
    )

"""Drives runs: asks for the next jobs while few are outstanding, and says when all have ended.

What it knows of a run it reads: which originals are picked and have no job of the run yet, and what became of
those that have. A driver that was killed, or that two processes ran at once, so asks nothing twice that the
log would take twice: a job's id depends on the run, the asset and the record that last changed the asset.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol
from uuid import UUID, uuid5

from adapters.clock import Clock, new_id
from adapters.event_log import EventLog
from api.commands.asked_again import Asking, asked_again
from projections.assets.originals import OriginalRow
from schemas.codes import Reason
from schemas.envelope import Metadata
from schemas.events import RunCompleted, RunCounts
from schemas.positions import Position
from schemas.run import RunState

SOURCE: Final = "/ops/runs"
REASONS: Final[Mapping[str, Reason]] = {"regenerate": "regenerate", "presets": "presets"}
"""The kinds of run that ask for jobs, and why they say they do."""

# What the log refused so often (it changed each time just before) is left to another run.
_TRIES: Final = 3


class Rows(Protocol):
    """The read models as the driver sees them."""

    async def unfinished(self) -> Sequence[RunState]:
        """Runs that have not told their counts, in the order in which they were started."""
        ...

    async def positions(self) -> Mapping[int, int]:
        """The next offset of the asset log that the read models apply, by partition."""
        ...

    async def known_jobs(self, job_ids: Sequence[UUID]) -> set[UUID]:
        """Those of the jobs that the log took."""
        ...

    async def outstanding(self, run_ids: Sequence[UUID]) -> Mapping[UUID, int]:
        """How many jobs of each run have not ended."""
        ...

    async def jobs_of_runs(self, run_ids: Sequence[UUID]) -> Mapping[UUID, Mapping[str, int]]:
        """How many jobs of each run are in each state."""
        ...

    async def wanted(self, run: RunState, *, after: UUID | None, limit: int) -> Sequence[OriginalRow]:
        """Originals that the run picks and has no job for, by asset id, after this one."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A request that the read models have not applied yet."""

    asset_id: UUID
    position: Position


@dataclass(slots=True, kw_only=True)
class _Progress:
    """How far this process came with a run; all of it may be lost.

    `after` is where the pass over the assets stands, `found` whether the pass asked for anything so far,
    `dry` that the last whole pass asked for nothing, and `told` that the counts were said.
    """

    after: UUID | None = None
    found: bool = False
    dry: bool = False
    told: bool = False
    asked: dict[UUID, _Asked] = field(default_factory=dict)
    refused: Counter[UUID] = field(default_factory=Counter)

    def given_up(self, asset_id: UUID) -> bool:
        return self.refused[asset_id] >= _TRIES

    @property
    def skipped(self) -> int:
        return sum(times >= _TRIES for times in self.refused.values())


class Driver:
    """Drives every run that is open, all together with at most `outstanding` jobs not ended."""

    def __init__(self, log: EventLog, clock: Clock, *, outstanding: int) -> None:
        self._log = log
        self._clock = clock
        self._outstanding = outstanding
        self._progress: dict[UUID, _Progress] = {}

    async def turn(self, rows: Rows) -> dict[str, int]:
        """Asks for what there is room for, and ends what has ended; raises AppendFailed."""
        runs = [run for run in await rows.unfinished() if run.kind in REASONS]
        ids = [run.run_id for run in runs]
        self._progress = {run_id: self._progress.get(run_id) or _Progress() for run_id in ids}
        if not runs:
            return {}
        await self._hear(rows)
        # After what was heard: a job may then count twice for a moment, but none is overlooked.
        known = await rows.outstanding(ids)
        under_way = {id_: known.get(id_, 0) + len(self._progress[id_].asked) for id_ in ids}
        room = max(0, self._outstanding - sum(under_way.values()))
        running = [run for run in runs if self._asks(run, under_way[run.run_id])]
        requested = 0
        for left, run in zip(range(len(running), 0, -1), running, strict=True):
            asked = await self._ask(run, rows, limit=(room - requested) // left)
            under_way[run.run_id] += asked
            requested += asked
        ended = [run for run in runs if under_way[run.run_id] == 0 and self._is_over(run)]
        jobs = await rows.jobs_of_runs([run.run_id for run in ended]) if ended else {}
        for run in ended:
            await self._end(run, jobs.get(run.run_id, {}))
        return {"requested": requested, "completed": len(ended)}

    def _asks(self, run: RunState, under_way: int) -> bool:
        """Whether a look at the assets may find anything.

        Once a whole pass found nothing, another one waits until all that was asked for has ended.
        """
        return run.status == "running" and not (self._progress[run.run_id].dry and under_way)

    async def _hear(self, rows: Rows) -> None:
        """Takes note of what the log made of earlier requests, as far as the read models have come."""
        positions = await rows.positions()
        for progress in self._progress.values():
            applied = {
                job_id: asked.asset_id
                for job_id, asked in progress.asked.items()
                if positions.get(asked.position.partition, 0) > asked.position.offset
            }
            known = await rows.known_jobs(list(applied)) if applied else set()
            for job_id, asset_id in applied.items():
                del progress.asked[job_id]
                if job_id not in known:
                    progress.refused[asset_id] += 1
                    progress.dry = False  # it is asked for again

    async def _ask(self, run: RunState, rows: Rows, *, limit: int) -> int:
        """Asks for the next jobs of a run, at most so many; returns for how many."""
        progress = self._progress[run.run_id]
        if run.preset_set is None:  # nobody said what to make: there is nothing to ask for
            progress.dry = True
            return 0
        if limit < 1:
            return 0
        page = await rows.wanted(run, after=progress.after, limit=limit)
        waiting = {asked.asset_id for asked in progress.asked.values()}
        count = 0
        for row in page:
            progress.after = row.asset_id
            if row.asset_id in waiting or progress.given_up(row.asset_id):
                continue
            await self._request(run, run.preset_set, row, progress)
            count += 1
        progress.found = progress.found or count > 0
        progress.dry = False
        if len(page) < limit:
            progress.dry = not progress.found
            progress.after, progress.found = None, False
        return count

    async def _request(self, run: RunState, preset_set: str, row: OriginalRow, progress: _Progress) -> None:
        job_id = uuid5(run.run_id, f"{row.asset_id}/{row.position_partition}/{row.position_offset}")
        asking = Asking(
            reason=REASONS[run.kind],
            lane="bulk",
            preset_set=preset_set,
            now=self._clock.now(),
            run_id=run.run_id,
        )
        event = asked_again(row, asking, event_id=new_id(), job_id=job_id)
        metadata = Metadata(correlation_id=run.run_id, source=SOURCE)
        position = await self._log.append(event, metadata)
        progress.asked[job_id] = _Asked(asset_id=row.asset_id, position=position)

    def _is_over(self, run: RunState) -> bool:
        """Whether nothing is left to ask for or to say, given that nothing is under way."""
        progress = self._progress[run.run_id]
        return not progress.told and (run.status == "cancelled" or (run.status == "running" and progress.dry))

    async def _end(self, run: RunState, jobs: Mapping[str, int]) -> None:
        counts = RunCounts(
            requested=sum(jobs.values()),
            completed=jobs.get("completed", 0),
            failed=jobs.get("failed", 0) + jobs.get("deleted", 0),
            skipped=self._progress[run.run_id].skipped,
        )
        event = RunCompleted(
            event_id=uuid5(run.run_id, "completed"),
            occurred_at=self._clock.now(),
            run_id=run.run_id,
            counts=counts,
        )
        await self._log.append(event, Metadata(correlation_id=run.run_id, source=SOURCE))
        self._progress[run.run_id].told = True

"""Runs in memory: folds the operations topic of an in-memory log whenever it is asked."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

import psycopg

from projections.runs.queries import RunRow
from schemas.events import RunEvent
from schemas.run import RunState, evolve
from tests.unit.api.fake_reads import FakeReads


class FakeRuns:
    """Knows of jobs what the assets' twin knows, and is away when that is."""

    def __init__(self, reads: FakeReads) -> None:
        self._reads = reads

    async def run(self, run_id: UUID) -> RunRow | None:
        return self._rows().get(run_id)

    async def page(
        self, *, owner_id: UUID | None, limit: int, before: tuple[datetime, UUID] | None
    ) -> list[RunRow]:
        rows = [row for row in self._rows().values() if owner_id in {None, row.owner_id}]
        rows.sort(key=lambda row: (row.started_at, row.run_id), reverse=True)
        return [row for row in rows if before is None or (row.started_at, row.run_id) < before][:limit]

    async def jobs(self, run_ids: Sequence[UUID]) -> Mapping[UUID, Mapping[str, int]]:
        found: dict[UUID, Counter[str]] = {}
        for state in self._reads.states.values():
            for job in state.jobs:
                if job.run_id is not None and job.run_id in run_ids:
                    found.setdefault(job.run_id, Counter())[job.state] += 1
        return found

    async def waiting(self, row: RunRow) -> int:
        return sum(
            state.original is not None
            and row.owner_id in {None, state.owner_id}
            and not any(job.run_id == row.run_id for job in state.jobs)
            for state in self._reads.states.values()
        )

    def _rows(self) -> dict[UUID, RunRow]:
        if self._reads.down:
            raise psycopg.OperationalError("the database is away")
        states: dict[UUID, RunState] = {}
        for event in self._reads.log.events():
            if isinstance(event, RunEvent):
                state = evolve(states.get(event.run_id), event)
                if state is not None:
                    states[event.run_id] = state
        return {run_id: RunRow(**asdict(state)) for run_id, state in states.items()}

"""The read models as the driver of runs sees them, in Postgres."""

from collections.abc import Mapping, Sequence
from typing import Any, cast
from uuid import UUID

import structlog
from psycopg import AsyncConnection

from projections.assets.originals import InvalidSelection, OriginalRow, Selection, originals_wanted
from projections.checkpoints import positions
from projections.jobs import outstanding
from projections.runs.queries import RunRow
from schemas.run import RunState, RunStatus
from schemas.topics import Topics

log = structlog.get_logger(__name__)


class PostgresRows:
    """The Protocol over one connection, for runs that were read before."""

    def __init__(self, conn: AsyncConnection[Any], topics: Topics, runs: Sequence[RunRow]) -> None:
        self._conn = conn
        self._topics = topics
        self._runs = [run_state(run) for run in runs]

    async def unfinished(self) -> Sequence[RunState]:
        """As the Protocol says."""
        return self._runs

    async def positions(self) -> Mapping[int, int]:
        """As the Protocol says."""
        return await positions(self._conn, self._topics.assets)

    async def known_jobs(self, job_ids: Sequence[UUID]) -> set[UUID]:
        """As the Protocol says."""
        return await outstanding.known_jobs(self._conn, job_ids)

    async def outstanding(self, run_ids: Sequence[UUID]) -> Mapping[UUID, int]:
        """As the Protocol says."""
        return await outstanding.under_way_of_runs(self._conn, run_ids)

    async def jobs_of_runs(self, run_ids: Sequence[UUID]) -> Mapping[UUID, Mapping[str, int]]:
        """As the Protocol says."""
        return await outstanding.jobs_of_runs(self._conn, run_ids)

    async def wanted(self, run: RunState, *, after: UUID | None, limit: int) -> Sequence[OriginalRow]:
        """As the Protocol says; a run whose filter nobody can read picks nothing, and so ends."""
        try:
            selection = Selection.from_json(run.filter)
        except InvalidSelection as error:
            log.error("run_filter_unreadable", run_id=str(run.run_id), reason=str(error))
            return []
        return await originals_wanted(
            self._conn, selection, run_id=run.run_id, owner_id=run.owner_id, after=after, limit=limit
        )


def run_state(row: RunRow) -> RunState:
    """A run that is not over, as its fold has it."""
    return RunState(
        run_id=row.run_id,
        kind=row.kind,
        filter=row.filter,
        preset_set=row.preset_set,
        owner_id=row.owner_id,
        actor_id=row.actor_id,
        status=cast("RunStatus", row.status),
        version=row.version,
        started_at=row.started_at,
        paused_at=row.paused_at,
        ended_at=row.ended_at,
        steered=row.steered,
    )

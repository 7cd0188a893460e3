"""What the doors of runs ask of Postgres."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from adapters.read_store import Pool
from projections.assets.originals import InvalidSelection, Selection, how_many_wanted
from projections.jobs import outstanding
from projections.runs import queries as runs
from projections.runs.queries import RunRow


class RunReads(Protocol):
    """Runs and their progress. Without a database calls raise psycopg.OperationalError."""

    async def run(self, run_id: UUID) -> RunRow | None:
        """One run, whoever's it is."""
        ...

    async def page(
        self, *, owner_id: UUID | None, limit: int, before: tuple[datetime, UUID] | None
    ) -> list[RunRow]:
        """Runs over one person's assets, or (None) all there are, newest first."""
        ...

    async def jobs(self, run_ids: Sequence[UUID]) -> Mapping[UUID, Mapping[str, int]]:
        """How many jobs of each run are in each state."""
        ...

    async def waiting(self, row: RunRow) -> int:
        """How many assets the run picks and has not asked for."""
        ...


class PostgresRunReads:
    """The Protocol over a pool of connections, which others open and close."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def run(self, run_id: UUID) -> RunRow | None:
        """As the Protocol says."""
        async with self._pool.connection() as conn:
            return await runs.run(conn, run_id=run_id)

    async def page(
        self, *, owner_id: UUID | None, limit: int, before: tuple[datetime, UUID] | None
    ) -> list[RunRow]:
        """As the Protocol says."""
        async with self._pool.connection() as conn:
            return await runs.runs_page(conn, owner_id=owner_id, limit=limit, before=before)

    async def jobs(self, run_ids: Sequence[UUID]) -> Mapping[UUID, Mapping[str, int]]:
        """As the Protocol says."""
        async with self._pool.connection() as conn:
            return await outstanding.jobs_of_runs(conn, run_ids)

    async def waiting(self, row: RunRow) -> int:
        """As the Protocol says."""
        try:
            selection = Selection.from_json(row.filter)
        except InvalidSelection:
            return 0
        async with self._pool.connection() as conn:
            return await how_many_wanted(conn, selection, run_id=row.run_id, owner_id=row.owner_id)

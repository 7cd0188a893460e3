"""Counts jobs that are under way: a person's uploads, and what runs have asked for."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from projections.statements import statements

_SQL: Final = "jobs/outstanding.sql"


async def uploads_under_way(conn: AsyncConnection[Any], *, owner_id: UUID, most: int) -> int:
    """How many uploads of this person wait for their variants; `most` where there are more."""
    found = await conn.execute(statements(_SQL)["uploads_under_way"], {"owner_id": owner_id, "most": most})
    row = await found.fetchone()
    return int(row[0]) if row is not None else 0


async def jobs_of_runs(conn: AsyncConnection[Any], run_ids: Sequence[UUID]) -> dict[UUID, dict[str, int]]:
    """Of each of these runs how many of its jobs are in each state; none that asked for nothing yet."""
    found: dict[UUID, dict[str, int]] = {}
    rows = await conn.execute(statements(_SQL)["jobs_of_runs"], {"run_ids": list(run_ids)})
    async for run_id, state, count in rows:
        found.setdefault(run_id, {})[state] = count
    return found


async def under_way_of_runs(conn: AsyncConnection[Any], run_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many jobs of each run have not ended; runs without such a job are left out."""
    rows = await conn.execute(statements(_SQL)["under_way_of_runs"], {"run_ids": list(run_ids)})
    return dict(await rows.fetchall())


async def known_jobs(conn: AsyncConnection[Any], job_ids: Sequence[UUID]) -> set[UUID]:
    """Those of the jobs that the log took."""
    rows = await conn.execute(statements(_SQL)["known_jobs"], {"job_ids": list(job_ids)})
    return {job_id async for (job_id,) in rows}


async def cost_of_run(conn: AsyncConnection[Any], run_id: UUID) -> tuple[int, int]:
    """Milliseconds of processor time and bytes written by the run's jobs that ended well."""
    row = await (await conn.execute(statements(_SQL)["cost_of_run"], {"run_id": run_id})).fetchone()
    return (int(row[0]), int(row[1])) if row is not None else (0, 0)

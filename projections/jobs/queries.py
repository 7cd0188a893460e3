"""Reads jobs."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row

from projections.statements import statements

_SQL: Final = "jobs/queries.sql"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """One piece of work on an asset.

    `error_*` say how its last attempt ended badly, `started_at` when its last attempt began, `cost` what the
    attempt that succeeded took (milliseconds, KiB, bytes).
    """

    job_id: UUID
    asset_id: UUID
    owner_id: UUID
    kind: str
    lane: str
    state: str
    attempts: int
    error_kind: str | None
    error_code: str | None
    queued_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    worker: str | None
    cost: dict[str, int] | None


async def job(conn: AsyncConnection[Any], *, owner_id: UUID | None, job_id: UUID) -> JobRow | None:
    """The job, or None where this owner (None: anybody) has no such one."""
    async with conn.cursor(row_factory=class_row(JobRow)) as cursor:
        await cursor.execute(statements(_SQL)["job"], {"owner_id": owner_id, "job_id": job_id})
        return await cursor.fetchone()

"""Reads runs: for the doors (asynchronously) and for those who carry them out (not so)."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection, Connection
from psycopg.rows import class_row

from projections.statements import statements

_SQL: Final = "runs/queries.sql"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One run; `status` is running, paused, cancelled or completed.

    `filter` is JSON; `preset_set` null means the active one, `owner_id` null everybody's assets. `counts`
    (requested, completed, failed, skipped) stand once all that it asked for has ended, which for a cancelled
    run is later than `ended_at`. `steered` are the last events that steered it, oldest first.
    """

    run_id: UUID
    kind: str
    filter: str
    preset_set: str | None
    owner_id: UUID | None
    actor_id: UUID | None
    status: str
    version: int
    started_at: datetime
    paused_at: datetime | None
    ended_at: datetime | None
    counts: dict[str, int] | None
    steered: tuple[UUID, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "steered", tuple(self.steered))  # Postgres gives a list


_COLUMNS: Final = ", ".join(field.name for field in fields(RunRow)).encode()


async def run(conn: AsyncConnection[Any], *, run_id: UUID) -> RunRow | None:
    """The run, whoever started it."""
    async with conn.cursor(row_factory=class_row(RunRow)) as cursor:
        await cursor.execute(_statement("by_id"), {"run_id": run_id})
        return await cursor.fetchone()


async def runs_page(
    conn: AsyncConnection[Any],
    *,
    owner_id: UUID | None = None,
    limit: int,
    before: tuple[datetime, UUID] | None = None,
) -> list[RunRow]:
    """Up to `limit` runs, newest first, over the assets of one owner or (None) all runs there are.

    `before` is (started_at, run_id) of the last row already seen.
    """
    started_at, run_id = before or (None, None)
    parameters = {"owner_id": owner_id, "limit": limit, "started_at": started_at, "run_id": run_id}
    async with conn.cursor(row_factory=class_row(RunRow)) as cursor:
        await cursor.execute(_statement("page"), parameters)
        return await cursor.fetchall()


def open_runs(conn: Connection[Any]) -> Sequence[RunRow]:
    """The runs that have no counts yet, oldest first: running, paused, and cancelled ones to be counted."""
    with conn.cursor(row_factory=class_row(RunRow)) as cursor:
        return cursor.execute(_statement("open")).fetchall()


def _statement(name: str) -> bytes:
    return statements(_SQL)[name].replace(b"select *", b"select " + _COLUMNS, 1)

"""Reads the ledger, summed by what the reader asks for."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row

from projections.statements import statements

_SQL: Final = "usage/queries.sql"

Group = Literal["owner", "asset", "preset_set", "day"]
"""What lines may be summed by."""

GROUPS: Final[tuple[Group, ...]] = ("owner", "asset", "preset_set", "day")


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRow:
    """Sums over some jobs, in milliseconds and bytes; what was not grouped by is None."""

    owner_id: UUID | None
    asset_id: UUID | None
    preset_set: str | None
    day: date | None
    jobs: int
    cpu_ms: int
    wall_ms: int
    bytes_read: int
    bytes_written: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageFilter:
    """Whose lines, and of which days (both ends included); None is all of them."""

    owner_id: UUID | None = None
    asset_id: UUID | None = None
    since: date | None = None
    until: date | None = None


async def usage(
    conn: AsyncConnection[Any], wanted: UsageFilter, *, by: AbstractSet[Group], limit: int
) -> list[UsageRow]:
    """One row a group, the dearest first; without groups one over all. None where nothing was done."""
    parameters = {
        "owner_id": wanted.owner_id,
        "asset_id": wanted.asset_id,
        "since": wanted.since,
        "until": wanted.until,
        "limit": limit,
    } | {f"by_{group}": group in by for group in GROUPS}
    async with conn.cursor(row_factory=class_row(UsageRow)) as cursor:
        await cursor.execute(statements(_SQL)["usage"], parameters)
        return await cursor.fetchall()

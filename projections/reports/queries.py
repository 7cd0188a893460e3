"""Reads what the loops of projectors said of themselves last."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from psycopg import AsyncConnection, Connection
from psycopg.rows import class_row

from projections.statements import statements

_SQL: Final = "reports/queries.sql"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopReport:
    """One loop of one projector; times by the clock of Postgres, those of faults by the projector's.

    `oldest` has, for each partition that was behind, from when on, in milliseconds by the log's time.
    """

    topic: str
    member: str
    said_at: datetime
    said_seconds_ago: float
    silent_seconds: float
    held_since: datetime | None
    trouble: str | None
    trouble_since: datetime | None
    last_error: str | None
    last_error_at: datetime | None
    oldest: dict[str, int]
    partitions: list[int]


def age_of(reports: Sequence[LoopReport], topic: str, partition: int) -> float | None:
    """How old the oldest record is that is not applied, in seconds; None where nobody holds the partition.

    For a partition that is behind. One that was not when the loop spoke last has waited since then at most.
    """
    holders = [each for each in reports if each.topic == topic and partition in each.partitions]
    if not holders:
        return None
    last = min(holders, key=lambda each: each.said_seconds_ago)
    oldest = last.oldest.get(str(partition))
    then = 0.0 if oldest is None else last.said_at.timestamp() - oldest / 1000
    return max(0.0, then) + last.said_seconds_ago


async def reports(conn: AsyncConnection[Any]) -> list[LoopReport]:
    """Of each loop that was heard within the last hour; for each log the latest first."""
    async with conn.cursor(row_factory=class_row(LoopReport)) as cursor:
        await cursor.execute(statements(_SQL)["reports"])
        return await cursor.fetchall()


def reports_sync(conn: Connection[Any]) -> list[LoopReport]:
    """The same, for commands."""
    with conn.cursor(row_factory=class_row(LoopReport)) as cursor:
        return cursor.execute(statements(_SQL)["reports"]).fetchall()

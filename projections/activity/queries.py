"""Reads what happened, in the log's order."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from projections.checkpoints import positions
from projections.statements import statements

__all__ = ["ActivityRow", "by_event_id", "entries_after", "positions"]

_SQL: Final = "activity/queries.sql"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityRow:
    """One record of the log that could be read; nothing personal in it.

    `accepted` is false for what the fold ignored: repeats, and what makes no sense in the state it met.
    `log_time` is the log's clock, `occurred_at` that of who appended it. Correlation, causation and trace
    stand only on what a person caused; what a worker says of a job is caused by the event that asked for it.
    `data` holds `status`, the asset's after this record, and small facts by type of event.
    """

    topic: str
    partition: int
    offset: int
    event_id: UUID
    event_type: str
    asset_id: UUID
    owner_id: UUID
    actor_id: UUID | None
    job_id: UUID | None
    attempt: int | None
    worker: str | None
    kind: str | None
    code: str | None
    accepted: bool
    occurred_at: datetime
    log_time: datetime
    request_hash: bytes | None
    correlation_id: UUID | None
    causation_id: UUID | None
    trace_id: str | None
    data: dict[str, Any]


_COLUMNS: Final = tuple(field.name for field in fields(ActivityRow))


async def entries_after(
    conn: AsyncConnection[Any], *, topic: str, after: Mapping[int, int], owner_id: UUID | None, limit: int
) -> list[ActivityRow]:
    """Up to `limit` records after the vector `after` (last offset seen in each partition).

    `owner_id` None means all owners. A partition that `after` does not name is read from its beginning.
    Offsets ascend within each partition, none is left out before the last given; partitions
    take turns.
    """
    parameters = {
        "topic": topic,
        "partitions": list(after.keys()),
        "offsets": list(after.values()),
        "owner_id": owner_id,
        "limit": limit,
    }
    return await _rows(conn, "entries_after", parameters)


async def by_event_id(conn: AsyncConnection[Any], event_id: UUID) -> ActivityRow | None:
    """The record of an event, None where none was applied; of repeats the one that counted."""
    found = await _rows(conn, "by_event_id", {"event_id": event_id})
    return found[0] if found else None


async def _rows(conn: AsyncConnection[Any], name: str, parameters: Mapping[str, Any]) -> list[ActivityRow]:
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(statements(_SQL)[name], parameters)
        found = await cursor.fetchall()
    return [ActivityRow(**{column: row[column] for column in _COLUMNS}) for row in found]

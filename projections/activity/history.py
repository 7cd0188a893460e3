"""Reads what happened to one asset, in the log's order: the chain of causes, and how long each step took."""

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from projections.statements import statements

_SQL: Final = "activity/history.sql"


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRow:
    """One record about the asset, accepted or not.

    `since_before` is the log's time since the record before it; None of the first. `caused_by` is the event
    that asked for the job which a worker speaks of, or what a person's event named as its cause.
    """

    topic: str
    partition: int
    offset: int
    event_id: UUID
    event_type: str
    accepted: bool
    owner_id: UUID | None
    actor_id: UUID | None
    job_id: UUID | None
    attempt: int | None
    worker: str | None
    kind: str | None
    code: str | None
    occurred_at: datetime
    log_time: datetime
    since_before: timedelta | None
    correlation_id: UUID | None
    caused_by: UUID | None
    data: dict[str, Any]


_COLUMNS: Final = tuple(field.name for field in fields(HistoryRow))


async def history(
    conn: AsyncConnection[Any], *, owner_id: UUID, asset_id: UUID, after: int, limit: int
) -> list[HistoryRow]:
    """Up to `limit` records about an asset of this owner behind the offset `after`, oldest first.

    An asset that was purged still has its history; nothing personal is in it.
    """
    parameters = {"owner_id": owner_id, "asset_id": asset_id, "after": after, "limit": limit}
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(statements(_SQL)["history"], parameters)
        found = await cursor.fetchall()
    return [HistoryRow(**{column: row[column] for column in _COLUMNS}) for row in found]

"""Reads what happened to accounts: what became of an event, and which doors must close at once."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from projections.statements import statements

_SQL: Final = "account_activity/queries.sql"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountActivityRow:
    """One record of the identity log that could be read; nothing personal in it.

    `accepted` is false for what the fold ignored: repeats, losing registrations, decisions on old versions.
    `log_time` is the log's clock, `occurred_at` that of who appended it. `version` is the account's after the
    record, null where the person has no account then. `correlation_id` is the request's id. `data` holds
    small facts by type of event: role, kind, generation, scopes, erasure_id.
    """

    topic: str
    partition: int
    offset: int
    event_id: UUID
    event_type: str
    account_key: str
    user_id: UUID
    actor_id: UUID | None
    accepted: bool
    occurred_at: datetime
    log_time: datetime
    version: int | None
    session_id: UUID | None
    key_id: UUID | None
    code: str | None
    revokes: bool
    request_hash: bytes | None
    correlation_id: UUID | None
    causation_id: UUID | None
    trace_id: str | None
    data: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """Something that opened a door and no longer does, and where the log says so.

    By event type: SessionRevoked and SessionRefreshed (reuse) close `session_id`, ApiKeyRevoked closes
    `key_id`, PasswordChanged and RoleChanged close what was given to `user_id` at a version below `version`,
    SubjectErased all that `user_id` ever had.
    """

    partition: int
    offset: int
    event_type: str
    user_id: UUID
    session_id: UUID | None
    key_id: UUID | None
    version: int | None
    log_time: datetime


_COLUMNS: Final = tuple(field.name for field in fields(AccountActivityRow))


async def by_event_id(conn: AsyncConnection[Any], event_id: UUID) -> AccountActivityRow | None:
    """The record of an event, None where none was applied; of repeats the one that counted."""
    found = await _rows(conn, "by_event_id", {"event_id": event_id})
    return found[0] if found else None


async def revocations(
    conn: AsyncConnection[Any],
    *,
    topic: str,
    after: Mapping[int, int],
    since: datetime | None = None,
    limit: int = 1000,
) -> list[Revocation]:
    """Up to `limit` revocations after the vector `after` (last offset seen in each partition).

    A partition that `after` does not name is read from its beginning, or (`since`) from a time of the log's
    clock on. Offsets ascend within each partition and none is left out before the last given.
    """
    parameters = {
        "topic": topic,
        "partitions": list(after.keys()),
        "offsets": list(after.values()),
        "since": since,
        "limit": limit,
    }
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(statements(_SQL)["revocations"], parameters)
        return [Revocation(**found) for found in await cursor.fetchall()]


async def _rows(
    conn: AsyncConnection[Any], name: str, parameters: Mapping[str, Any]
) -> list[AccountActivityRow]:
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(statements(_SQL)[name], parameters)
        found = await cursor.fetchall()
    return [AccountActivityRow(**{column: row[column] for column in _COLUMNS}) for row in found]

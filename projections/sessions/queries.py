"""Reads sessions."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row, dict_row

from projections.statements import statements

_SQL: Final = "sessions/queries.sql"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRow:
    """One session; `presented` is the highest generation of its refresh tokens presented, -1 before any.

    It has ended where `revoked_code` says why (the event's, or limit: a thousand others have begun since),
    and once `expires_at` has passed.
    """

    session_id: UUID
    user_id: UUID
    kind: str
    started_at: datetime
    expires_at: datetime
    presented: int
    refreshed_at: datetime | None
    revoked_code: str | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A session and its person, as far as the read models know them.

    `session` is None for one that they have not met, or whose person was erased (`erased`): only the former
    may be in order. `role` and `version` are the account's, None where that person has none (yet, or any
    more).
    """

    session: SessionRow | None
    role: str | None
    version: int | None
    erased: bool


async def standing(conn: AsyncConnection[Any], *, session_id: UUID, user_id: UUID) -> Standing:
    """How the session of this person stands."""
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(statements(_SQL)["standing"], {"session_id": session_id, "user_id": user_id})
        (found,) = await cursor.fetchall()
    role, version, erased = (found.pop(name) for name in ("role", "version", "erased"))
    session = None if found["session_id"] is None else SessionRow(**found)
    return Standing(session=session, role=role, version=version, erased=erased)


async def sessions_of(
    conn: AsyncConnection[Any], user_id: UUID, *, live_at: datetime | None = None, limit: int = 100
) -> list[SessionRow]:
    """Up to `limit` sessions of a person, newest first; with `live_at` only those that go on at that time."""
    async with conn.cursor(row_factory=class_row(SessionRow)) as cursor:
        await cursor.execute(statements(_SQL)["of_user"], {"user_id": user_id, "at": live_at, "limit": limit})
        return await cursor.fetchall()

"""Reads accounts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row

from projections.statements import statements

_SQL: Final = "accounts/queries.sql"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRow:
    """An account that somebody has.

    `version` is what a change of password or role, and an erasure, must name. Address and password hash are
    in the clear, null once the key that sealed them is erased.
    """

    account_key: str
    user_id: UUID
    role: str
    version: int
    address: str | None
    password_hash: str | None
    data_key_id: UUID
    registered_at: datetime


async def account_by_key(conn: AsyncConnection[Any], account_key: str) -> AccountRow | None:
    """The account of an address, None where nobody has it."""
    return await _one(conn, "by_key", {"account_key": account_key})


async def account_by_user(conn: AsyncConnection[Any], user_id: UUID) -> AccountRow | None:
    """The account of a person, None where there is no such one (any more)."""
    return await _one(conn, "by_user", {"user_id": user_id})


async def accounts_page(
    conn: AsyncConnection[Any],
    *,
    limit: int,
    role: str | None = None,
    before: tuple[datetime, UUID] | None = None,
) -> list[AccountRow]:
    """Up to `limit` accounts, newest first; `before` is (registered_at, user_id) of the last one seen."""
    registered_at, user_id = before or (None, None)
    parameters = {"registered_at": registered_at, "user_id": user_id, "role": role, "limit": limit}
    async with conn.cursor(row_factory=class_row(AccountRow)) as cursor:
        await cursor.execute(statements(_SQL)["page"], parameters)
        return await cursor.fetchall()


async def _one(conn: AsyncConnection[Any], name: str, parameters: Mapping[str, Any]) -> AccountRow | None:
    async with conn.cursor(row_factory=class_row(AccountRow)) as cursor:
        await cursor.execute(statements(_SQL)[name], parameters)
        return await cursor.fetchone()

"""Reads issued API keys."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from projections.statements import statements

_SQL: Final = "api_keys/queries.sql"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyRow:
    """An issued key, its name in the clear; `hash` is SHA-256 of its secret, `role` its owner's."""

    key_id: UUID
    user_id: UUID
    account_key: str
    prefix: str
    hash: bytes
    scopes: tuple[str, ...]
    name: str | None
    issued_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    role: str


async def keys_by_prefix(conn: AsyncConnection[Any], prefix: str) -> list[ApiKeyRow]:
    """All keys with this prefix, revoked and expired ones too: hardly ever more than one."""
    return await _rows(conn, "by_prefix", {"prefix": prefix})


async def key_of(conn: AsyncConnection[Any], *, user_id: UUID, key_id: UUID) -> ApiKeyRow | None:
    """One key of a person, revoked or not; None where they have no such one."""
    found = await _rows(conn, "by_id", {"user_id": user_id, "key_id": key_id})
    return found[0] if found else None


async def keys_of(
    conn: AsyncConnection[Any], user_id: UUID, *, unrevoked: bool = False, limit: int = 100
) -> list[ApiKeyRow]:
    """Up to `limit` keys of a person, newest first, expired ones too; `unrevoked` leaves revoked ones out."""
    return await _rows(conn, "of_user", {"user_id": user_id, "unrevoked": unrevoked, "limit": limit})


async def _rows(conn: AsyncConnection[Any], name: str, parameters: Mapping[str, Any]) -> list[ApiKeyRow]:
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(statements(_SQL)[name], parameters)
        found = await cursor.fetchall()
    return [ApiKeyRow(**{**row, "scopes": tuple(row["scopes"])}) for row in found]

"""Reads erasures: for the doors (asynchronously) and for those who carry them out (not so)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection, Connection
from psycopg.rows import dict_row

from projections.statements import statements

_SQL: Final = "erasures/queries.sql"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureRow:
    """An erasure; `lost` are the users of registrations that lost while the erased life lasted."""

    account_key: str
    erasure_id: UUID
    user_id: UUID
    lost: tuple[UUID, ...]
    requested_at: datetime
    completed_at: datetime | None
    receipt: bytes | None


async def erasure(conn: AsyncConnection[Any], erasure_id: UUID) -> ErasureRow | None:
    """The erasure of this id."""
    return await _first(conn, "by_id", {"erasure_id": erasure_id})


async def erasure_of(conn: AsyncConnection[Any], user_id: UUID) -> ErasureRow | None:
    """The erasure of this person, None where none was asked for."""
    return await _first(conn, "of_user", {"user_id": user_id})


def under_way(conn: Connection[Any], *, limit: int = 100) -> list[ErasureRow]:
    """Up to `limit` erasures that are not done, oldest first."""
    return _rows(conn, "under_way", limit)


def latest(conn: Connection[Any], *, limit: int = 100) -> list[ErasureRow]:
    """Up to `limit` erasures, newest first."""
    return _rows(conn, "latest", limit)


async def _first(conn: AsyncConnection[Any], name: str, parameters: Mapping[str, Any]) -> ErasureRow | None:
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(statements(_SQL)[name], parameters)
        found = await cursor.fetchone()
    return None if found is None else _row(found)


def _rows(conn: Connection[Any], name: str, limit: int) -> list[ErasureRow]:
    with conn.cursor(row_factory=dict_row) as cursor:
        cursor.execute(statements(_SQL)[name], {"limit": limit})
        return [_row(found) for found in cursor.fetchall()]


def _row(found: dict[str, Any]) -> ErasureRow:
    return ErasureRow(**{**found, "lost": tuple(found["lost"])})

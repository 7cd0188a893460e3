"""Reads shared links."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row

from projections.statements import statements

_SQL: Final = "links/queries.sql"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRow:
    """One shared link: what it shows (null: any variant), until when (null: for ever), and its end."""

    link_id: UUID
    asset_id: UUID
    owner_id: UUID
    variant: str | None
    issued_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


_COLUMNS: Final = ", ".join(field.name for field in fields(LinkRow)).encode()


async def link(conn: AsyncConnection[Any], *, link_id: UUID) -> LinkRow | None:
    """The link, revoked or not; None where there is none, or its asset is purged."""
    found = await _rows(conn, "link", {"link_id": link_id})
    return found[0] if found else None


async def links_of(conn: AsyncConnection[Any], *, owner_id: UUID, asset_id: UUID) -> list[LinkRow]:
    """The links of an asset of this owner that were not revoked, newest first."""
    return await _rows(conn, "links_of", {"owner_id": owner_id, "asset_id": asset_id})


async def _rows(conn: AsyncConnection[Any], name: str, parameters: dict[str, Any]) -> list[LinkRow]:
    statement = statements(_SQL)[name].replace(b"select *", b"select " + _COLUMNS, 1)
    async with conn.cursor(row_factory=class_row(LinkRow)) as cursor:
        await cursor.execute(statement, parameters)
        return await cursor.fetchall()

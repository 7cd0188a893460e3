"""Reads what lies in the store."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row

from projections.statements import statements

_SQL: Final = "storage/queries.sql"


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageRow:
    """So many files of so many bytes: `kind` is original or variant, `status` their asset's."""

    kind: str
    status: str
    trashed: bool
    format: str
    files: int
    bytes: int


async def storage(conn: AsyncConnection[Any], *, owner_id: UUID | None) -> list[StorageRow]:
    """What an owner's assets hold; None is everybody."""
    async with conn.cursor(row_factory=class_row(StorageRow)) as cursor:
        await cursor.execute(statements(_SQL)["storage"], {"owner_id": owner_id})
        return await cursor.fetchall()

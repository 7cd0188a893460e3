"""Reads assets with their variants."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from projections.statements import statements

_SQL: Final = "assets/queries.sql"


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantRow:
    """One stored rendering: pixels and bytes."""

    name: str
    object_key: str
    content_type: str
    width: int
    height: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetRow:
    """An asset as its owner sees it.

    Words and facts are in the clear, null where they were never said or their key is erased. `taken_at` is
    the camera's own local time (ISO 8601, no zone), `thumbhash` base64, width and height those of the upright
    original in pixels, `job_id` the newest job, the position that of the last record that changed the row.
    What is `doomed` lies in the trash and can't be restored any more.
    """

    asset_id: UUID
    owner_id: UUID
    status: str
    title: str | None
    description: str | None
    tags: tuple[str, ...]
    file_name: str | None
    content_type: str | None
    size: int | None
    requested_at: datetime
    uploaded_at: datetime | None
    listed_at: datetime
    processed_at: datetime | None
    expires_at: datetime | None
    deleted_at: datetime | None
    taken_at: str | None
    camera: str | None
    thumbhash: str | None
    width: int | None
    height: int | None
    upload_id: UUID | None
    original_key: str | None
    variants: tuple[VariantRow, ...]
    preset_set: str | None
    job_id: UUID | None
    error_kind: str | None
    error_code: str | None
    version: int
    position_partition: int
    position_offset: int
    metadata_key: str | None
    incoming_key: str
    doomed: bool


COLUMNS: Final = ", ".join(field.name for field in fields(AssetRow)).encode()


async def asset(conn: AsyncConnection[Any], *, owner_id: UUID, asset_id: UUID) -> AssetRow | None:
    """The asset, or None where this owner has no such one."""
    found = await rows(conn, statement("asset"), {"owner_id": owner_id, "asset_id": asset_id})
    return found[0] if found else None


async def assets_by_id(conn: AsyncConnection[Any], *, asset_ids: Sequence[UUID]) -> list[AssetRow]:
    """Those of the assets that exist, whoever owns them, in no order."""
    return await rows(conn, statement("assets_by_id"), {"asset_ids": list(asset_ids)})


async def rows(conn: AsyncConnection[Any], statement: bytes, parameters: Mapping[str, Any]) -> list[AssetRow]:
    """What a statement over `live.assets` finds; it selects COLUMNS."""
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(statement, parameters)
        return [_row(found) for found in await cursor.fetchall()]


def statement(name: str) -> bytes:
    """The statement of this name, selecting the columns of a row; what a search needs stays where it is."""
    return statements(_SQL)[name].replace(b"select *", b"select " + COLUMNS, 1)


def _row(found: dict[str, Any]) -> AssetRow:
    found["tags"] = tuple(found["tags"])
    found["variants"] = tuple(VariantRow(**variant) for variant in found["variants"])
    return AssetRow(**found)

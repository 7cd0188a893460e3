"""Reads preset sets: for the doors (asynchronously) and for commands (not so)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from psycopg import AsyncConnection, Connection
from psycopg.rows import dict_row

from projections.statements import statements
from schemas.events import Preset

_SQL: Final = "preset_sets/queries.sql"


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetSetRow:
    """One preset set; `activated_at` is the last time that it became the active one, null for never."""

    preset_set: str
    presets: tuple[Preset, ...]
    defined_at: datetime
    activated_at: datetime | None
    active: bool


async def preset_sets(conn: AsyncConnection[Any]) -> list[PresetSetRow]:
    """All of them, the active one first, then by their last activation; never activated ones last."""
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(statements(_SQL)["all"])
        return [_row(found) for found in await cursor.fetchall()]


def preset_sets_now(conn: Connection[Any]) -> list[PresetSetRow]:
    """As `preset_sets`, for those who wait."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return [_row(found) for found in cursor.execute(statements(_SQL)["all"]).fetchall()]


def _row(found: dict[str, Any]) -> PresetSetRow:
    presets = tuple(Preset(**{**one, "formats": tuple(one["formats"])}) for one in found.pop("presets"))
    return PresetSetRow(presets=presets, **found)

"""What making a preset set everywhere would take, from what renders took so far."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from psycopg import AsyncConnection

from processors.imaging.geometry import plan as sizes_of
from processors.variants.conversions import wanted
from projections.statements import statements
from schemas.events import Preset
from schemas.presets import preset_set_hash

SQL: Final = str(Path(__file__).with_name("plan.sql"))
"""The statements, for projections.statements."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run would do: `assets` in all, of which `standing` have the set already, kept from earlier.

    `cpu_seconds` and `bytes` are estimates from `measured` renders, 0 where nothing was rendered yet: the
    mean processor time of a render, more where more pixels are to be written, and the bytes of a written
    pixel. A standing set costs neither.
    """

    preset_set: str
    assets: int
    standing: int
    renders: int
    cpu_seconds: float
    bytes: int
    measured: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Originals of one upright size in pixels that are not served with the set; `standing` have it kept."""

    width: int
    height: int
    assets: int
    standing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a render took on average, in milliseconds, and how many did; bytes and pixels of variants."""

    cpu_ms: float
    renders: int
    bytes: int
    pixels: int


def plan(
    presets: Sequence[Preset], active: Sequence[Preset], sizes: Sequence[Size], measured: Measured
) -> Plan:
    """The plan for `presets`, where renders so far made `active`."""
    files = sum(len(preset.formats) for preset in presets)
    to_render = [(size, size.assets - size.standing) for size in sizes]
    pixels = sum(written(size, presets) * count for size, count in to_render)
    before = sum(written(size, active) * count for size, count in to_render)
    count = sum(count for _, count in to_render)
    factor = max(1.0, pixels / before) if before else 1.0
    return Plan(
        preset_set=preset_set_hash(presets),
        assets=sum(size.assets for size in sizes),
        standing=sum(size.standing for size in sizes),
        renders=count * files,
        cpu_seconds=round(count * measured.cpu_ms / 1000 * factor, 3),
        bytes=round(pixels * measured.bytes / measured.pixels) if measured.pixels else 0,
        measured=measured.renders,
    )


def written(size: Size, presets: Sequence[Preset]) -> int:
    """Pixels of all files that the presets make of one original; 0 where nobody knows its size."""
    if not (size.width and size.height and presets):
        return 0
    targets = sizes_of((size.width, size.height), wanted(tuple(presets))).targets
    return sum(width * height * len(preset.formats) for preset, (width, height) in targets)


async def sizes(conn: AsyncConnection[Any], preset_set: str) -> list[Size]:
    """The originals that are not served with this set, by their size."""
    rows = await (await conn.execute(statements(SQL)["sizes"], {"preset_set": preset_set})).fetchall()
    return [
        Size(width=width, height=height, assets=assets, standing=standing)
        for width, height, assets, standing in rows
    ]


async def measured(conn: AsyncConnection[Any]) -> Measured:
    """What the last renders took."""
    cost = await (await conn.execute(statements(SQL)["measured"])).fetchone()
    stored = await (await conn.execute(statements(SQL)["bytes"])).fetchone()
    (cpu_ms, renders), (size, pixels) = cost or (0, 0), stored or (0, 0)
    return Measured(cpu_ms=float(cpu_ms), renders=int(renders), bytes=int(size), pixels=int(pixels))


async def assets_by_set(conn: AsyncConnection[Any], *, kept: bool = False) -> dict[str, int]:
    """How many assets are served with each set; or (`kept`) keep it from earlier."""
    rows = await (await conn.execute(statements(SQL)["kept" if kept else "sets"])).fetchall()
    return dict(rows)

"""Changing the preset set: activated for what comes, and a run for what is there."""

from collections.abc import Sequence
from typing import Final

from adapters.clock import new_id
from api.queries.run_reads import PostgresRunReads
from ops.desk import Desk
from ops.runs.steering import begun, steered
from ops.waiting import WRONG, leave
from projections.assets.originals import Selection
from projections.preset_sets.queries import PresetSetRow, preset_sets
from projections.runs.queries import RunRow
from schemas.events import Preset, PresetSetActivated, PresetSetDefined
from schemas.presets import preset_set_hash

_SOURCE: Final = "/ops/presets"
_KIND: Final = "presets"
# Open ones are among the newest; nobody changes presets so often.
_LOOKED_AT: Final = 50


async def known_sets(desk: Desk) -> list[PresetSetRow]:
    """All preset sets, the active one first, then by their last activation."""
    async with desk.pool.connection() as conn:
        return await preset_sets(conn)


async def applied(desk: Desk, presets: Sequence[Preset]) -> RunRow:
    """The run that makes `presets` everywhere, after they were made the active set; repeating it is safe."""
    name = preset_set_hash(presets)
    known = await known_sets(desk)
    if name not in {one.preset_set for one in known}:
        now = desk.clock.now()
        defined = PresetSetDefined(
            event_id=new_id(), occurred_at=now, preset_set=name, presets=tuple(presets)
        )
        await desk.append(defined, source=_SOURCE)
    return await _switched(desk, known, name)


async def rolled_back(desk: Desk) -> RunRow:
    """The run back to the set that was active before; what is kept of it is served again unrendered."""
    known = await known_sets(desk)
    if len(known) < 2 or known[1].activated_at is None:
        leave("No other set was ever active: there is nothing to go back to.", code=WRONG)
    return await _switched(desk, known, known[1].preset_set)


async def open_changes(desk: Desk) -> list[RunRow]:
    """Runs that change presets and are not over, newest first."""
    rows = await PostgresRunReads(desk.pool).page(owner_id=None, limit=_LOOKED_AT, before=None)
    return [row for row in rows if row.kind == _KIND and row.ended_at is None]


async def _switched(desk: Desk, known: Sequence[PresetSetRow], name: str) -> RunRow:
    """Activates the set, cancels changes to others, and starts the one to this, unless it is under way.

    Activated first: what is uploaded meanwhile is made by the new set, and needs no run.
    """
    if not known or not known[0].active or known[0].preset_set != name:
        event = PresetSetActivated(event_id=new_id(), occurred_at=desk.clock.now(), preset_set=name)
        await desk.append(event, source=_SOURCE)
    for row in await open_changes(desk):
        if row.preset_set == name:
            return row
        await steered(desk, row, "cancel")
    return await begun(desk, kind=_KIND, preset_set=name, selection=Selection(not_of_set=name))

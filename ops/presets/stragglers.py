"""The chore that brings along what a change of presets passed by: nobody's picture stays of the old set.

An upload that a door took a moment before it heard of the new set, an old job that was redriven, or an asset
that lay in the trash while the run went over the others: each is of the old set once it is ready. When a
change is completed, what is left is asked for by runs of the system's own, once an asset.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final
from uuid import UUID, uuid5

from adapters.clock import Clock
from ops.housekeeping.chore import SOURCE, Chore, Conn, Done, Tools
from projections.assets.originals import Selection
from projections.preset_sets.queries import preset_sets_now
from projections.statements import statements
from schemas.envelope import Metadata
from schemas.events import RunStarted

_SQL: Final = str(Path(__file__).with_name("stragglers.sql"))
_EVERY: Final = timedelta(minutes=1)
# One run names so many; the next turn begins another.
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What the change by `run_id` to this set, now completed, has left of other sets."""

    run_id: UUID
    preset_set: str
    asset_ids: Sequence[UUID]


def left(conn: Conn, *, limit: int = _AT_ONCE) -> Left | None:
    """What is left behind; None while a change is under way or called off, and where nothing is."""
    active = next((one for one in preset_sets_now(conn) if one.active), None)
    change = conn.execute(statements(_SQL)["last_change"]).fetchone()
    if active is None or change is None or change[1:] != (active.preset_set, "completed"):
        return None
    given = {"active": active.preset_set, "activated_at": active.activated_at, "limit": limit}
    found = [asset_id for (asset_id,) in conn.execute(statements(_SQL)["stragglers"], given).fetchall()]
    return Left(run_id=change[0], preset_set=active.preset_set, asset_ids=found) if found else None


def decide(found: Left, clock: Clock) -> RunStarted:
    """The run that asks for them; it follows from the one before, so that two processes begin one."""
    selection = Selection(asset_ids=tuple(found.asset_ids), not_of_set=found.preset_set)
    return RunStarted(
        event_id=uuid5(found.run_id, "stragglers begun"),
        occurred_at=clock.now(),
        run_id=uuid5(found.run_id, "stragglers"),
        kind="presets",
        filter=selection.to_json(),
        preset_set=found.preset_set,
    )


def chore(tools: Tools) -> Chore:
    """Looks once a minute."""

    def asked() -> Left | None:
        with tools.connect() as conn:
            return left(conn)

    async def turn() -> Done:
        found = await asyncio.to_thread(asked)
        if found is None:
            return {}
        event = decide(found, tools.clock)
        await tools.log.append(event, Metadata(correlation_id=event.run_id, source=SOURCE))
        return {"stragglers": len(found.asset_ids)}

    return Chore(name="stragglers", every=_EVERY, turn=turn)

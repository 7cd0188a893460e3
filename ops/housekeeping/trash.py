"""The chore that empties the trash: what has lain there for its time is doomed, and then gone for good.

Two steps, because a purge holds on any version: first an event that counts only on the version that was seen,
and not where a restore stands before it in the log; once the read model says that it counted, the purge.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid5

from ops.housekeeping import rows
from ops.housekeeping.chore import Chore, Done, Tools
from ops.housekeeping.rows import Trashed
from ops.housekeeping.saying import Saying
from schemas.events import AssetDeleted, AssetPurged

_AT_ONCE: Final = 500


def chore(tools: Tools) -> Chore:
    """Looks every minute; a turn takes one of the two steps with each asset."""
    return Chore(name="trash", every=timedelta(minutes=1), turn=Trash(tools, _asked(tools)).turn)


def decide(asset: Trashed, now: datetime) -> AssetDeleted | AssetPurged:
    """The next step; each has an id that depends on the asset (and its version) alone."""
    if asset.doomed:
        return AssetPurged(
            event_id=uuid5(asset.asset_id, "out of the trash"),
            occurred_at=now,
            asset_id=asset.asset_id,
            owner_id=asset.owner_id,
            actor_id=asset.owner_id,
            code="expired",
            incoming_key=asset.incoming_key,
        )
    return AssetDeleted(
        event_id=uuid5(asset.asset_id, f"doomed {asset.version}"),
        occurred_at=now,
        asset_id=asset.asset_id,
        owner_id=asset.owner_id,
        actor_id=asset.owner_id,
        expected_version=asset.version,
        code="expired",
    )


def _asked(tools: Tools) -> Callable[[datetime], list[Trashed]]:
    def trashed(before: datetime) -> list[Trashed]:
        with tools.connect() as conn:
            return rows.trashed(conn, before, limit=_AT_ONCE)

    return trashed


class Trash:
    """Takes the next step with each asset whose time in the trash is over."""

    def __init__(self, tools: Tools, trashed: Callable[[datetime], list[Trashed]]) -> None:
        """`trashed` gives assets that were in the trash before then, the longest first; it blocks."""
        self._tools, self._trashed = tools, trashed
        self._saying = Saying(tools, failpoint="housekeeping.after_trash")

    async def turn(self) -> Done:
        """Appends one event for each of them."""
        now = self._tools.clock.now()
        found = await asyncio.to_thread(self._trashed, now - self._tools.settings.doors.trash_keep)
        said = await self._saying.say([decide(asset, now) for asset in found], now)
        purged = sum(isinstance(event, AssetPurged) for event in said)
        return {"doomed": len(said) - purged, "purged": purged}

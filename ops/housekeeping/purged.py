"""The chore that looks again under the prefixes of purged assets, for what somebody wrote there afterwards.

A door that had not heard of the purge yet may have copied an original; nobody would ever come back for it.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from ops.housekeeping import rows
from ops.housekeeping.chore import Chore, Done, Tools
from processors.purge.removal import asset_prefix

# A door may lag so far; whoever held leave to upload has lost it by the second look.
_FIRST_LOOK: Final = timedelta(minutes=10)
_AT_ONCE: Final = 2000


def chore(tools: Tools) -> Chore:
    """Looks every five minutes."""
    return Chore(name="purged", every=timedelta(minutes=5), turn=Purged(tools, _asked(tools)).turn)


def _asked(tools: Tools) -> Callable[[datetime], Mapping[UUID, datetime]]:
    def purged(since: datetime) -> Mapping[UUID, datetime]:
        with tools.connect() as conn:
            return rows.purged(conn, since)

    return purged


class Purged:
    """Remembers which it has looked at; after a restart it looks once more."""

    def __init__(self, tools: Tools, purged: Callable[[datetime], Mapping[UUID, datetime]]) -> None:
        """`purged` gives the assets purged since then, and when; it blocks."""
        self._tools = tools
        self._purged = purged
        self._looked: dict[UUID, int] = {}

    async def turn(self) -> Done:
        """Removes what lies there; each purge is looked at twice."""
        now, doors = self._tools.clock.now(), self._tools.settings.doors
        last_look = max(doors.presign_expire, doors.multipart_expire) + doors.upload_grace + _FIRST_LOOK
        found = await asyncio.to_thread(self._purged, now - 2 * last_look)
        self._looked = {asset_id: count for asset_id, count in self._looked.items() if asset_id in found}
        removed = 0
        for asset_id, looks in self._due(found, now, last_look)[:_AT_ONCE]:
            removed += await self._remove(asset_id)
            self._looked[asset_id] = looks
        return {"objects": removed}

    def _due(
        self, found: Mapping[UUID, datetime], now: datetime, last_look: timedelta
    ) -> list[tuple[UUID, int]]:
        """Who is to be looked at now, and how many looks of theirs are done with that."""
        ages = {asset_id: now - at for asset_id, at in found.items()}
        looks = {asset_id: 2 if age > last_look else 1 for asset_id, age in ages.items() if age > _FIRST_LOOK}
        return [(asset_id, due) for asset_id, due in looks.items() if self._looked.get(asset_id, 0) < due]

    async def _remove(self, asset_id: UUID) -> int:
        keys = [info.key async for info in self._tools.store.list(asset_prefix(asset_id))]
        if keys:
            await self._tools.store.delete(keys)
        return len(keys)

"""The chore that removes what lies under `incoming/` and nobody waits for any more, whole or in parts."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Final, TypeVar
from uuid import UUID

from ops.housekeeping import rows
from ops.housekeeping.chore import Chore, Done, Tools
from ops.housekeeping.rows import Standing

T = TypeVar("T")

Ask = Callable[[Collection[UUID]], Mapping[UUID, Standing]]

PREFIX: Final = "incoming/"
_BATCH: Final = 500
# What the read models have not heard of may still be on its way to them.
_LAG: Final = timedelta(hours=1)


def chore(tools: Tools) -> Chore:
    """Looks every minute."""
    return Chore(name="incoming", every=timedelta(minutes=1), turn=Sweeping(tools, _asked(tools)).turn)


def _asked(tools: Tools) -> Ask:
    def standing(asset_ids: Collection[UUID]) -> Mapping[UUID, Standing]:
        with tools.connect() as conn:
            return rows.standing(conn, asset_ids)

    return standing


def removable(standing: Standing | None, since: datetime | None, *, unheard_before: datetime) -> bool:
    """Whether what came at `since` for an upload of this standing is needed by nobody.

    The original of one that arrived is a copy; an expiry counts once the read models have it. Of what they
    have not heard, only what is older than any upload may get.
    """
    match standing:
        case "arrived" | "expired" | "purged":
            return True
        case "awaited":
            return False
        case None:
            return since is not None and since < unheard_before


def asset_of(key: str) -> UUID | None:
    """The asset that an object under `incoming/` was sent for, where its key says so."""
    try:
        return UUID(key.split("/")[1])
    except (IndexError, ValueError):
        return None


class Sweeping:
    """Asks the store what is there, and the read models whether it is needed."""

    def __init__(self, tools: Tools, standing: Ask) -> None:
        """`standing` says how uploads stand; it blocks."""
        self._tools = tools
        self._ask = standing

    async def turn(self) -> Done:
        """Removes objects, then the parts of uploads that nobody will join."""
        doors, now = self._tools.settings.doors, self._tools.clock.now()
        longest = max(doors.presign_expire, doors.multipart_expire) + doors.upload_grace
        unheard_before = now - longest - _LAG
        return {
            "objects": await self._objects(unheard_before),
            "parts": await self._parts(unheard_before),
        }

    async def _objects(self, unheard_before: datetime) -> int:
        removed = 0
        async for batch in batches(self._tools.store.list(PREFIX), _BATCH):
            known = await self._standing({asset_of(info.key) for info in batch})
            keys = [
                info.key
                for info in batch
                if removable(_of(known, info.key), info.modified_at, unheard_before=unheard_before)
            ]
            if keys:
                await self._tools.store.delete(keys)
                self._tools.failpoints.hit("housekeeping.after_sweep")
            removed += len(keys)
        return removed

    async def _parts(self, unheard_before: datetime) -> int:
        found = await self._tools.store.unfinished(PREFIX)
        known = await self._standing({asset_of(upload.key) for upload in found})
        dropped = 0
        for upload in found:
            if removable(_of(known, upload.key), upload.begun_at, unheard_before=unheard_before):
                await self._tools.store.drop_parts(upload.key, upload.upload_id)
                dropped += 1
        return dropped

    async def _standing(self, asset_ids: Collection[UUID | None]) -> Mapping[UUID, Standing]:
        wanted = [asset_id for asset_id in asset_ids if asset_id is not None]
        return await asyncio.to_thread(self._ask, wanted) if wanted else {}


def _of(known: Mapping[UUID, Standing], key: str) -> Standing | None:
    asset_id = asset_of(key)
    return None if asset_id is None else known.get(asset_id)


async def batches(items: AsyncIterator[T], size: int) -> AsyncIterator[list[T]]:
    """The items in lists of so many, the last one shorter."""
    batch: list[T] = []
    async for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch

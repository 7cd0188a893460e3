"""Removes everything that the store holds of one asset."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from adapters.object_store import ObjectStore, StoreRefused, StoreUnavailable
from processors.retries import Retries
from schemas.events import AssetPurged

_OUTAGES: Final[Mapping[type[Exception], str]] = {
    StoreUnavailable: "store_unavailable",
    StoreRefused: "store_unavailable",
}


def asset_prefix(asset_id: UUID) -> str:
    """The prefix of all objects of an asset, its upload excepted."""
    return f"assets/{asset_id}/"


async def remove(store: ObjectStore, event: AssetPurged, retries: Retries) -> int:
    """Removes the asset's objects and returns how many there were; raises Outage when retries are spent.

    The original goes first: a worker that stores variants meanwhile looks for it, and takes them back.
    """

    async def gone() -> int:
        keys = [info.key async for info in store.list(asset_prefix(event.asset_id))]
        originals = [key for key in keys if key.startswith(f"{asset_prefix(event.asset_id)}original/")]
        if originals:
            await store.delete(originals)
        # Listed anew: what a worker wrote before it could see that the original is gone.
        others = [info.key async for info in store.list(asset_prefix(event.asset_id))] if originals else keys
        incoming = event.incoming_key
        if incoming is not None and await store.head(incoming) is not None:
            others.append(incoming)
        if others:
            await store.delete(others)
        return len(originals) + len(others)

    async def down() -> bool:
        return not await store.reachable()

    return await retries.run(gone, on=_OUTAGES, resting=down)

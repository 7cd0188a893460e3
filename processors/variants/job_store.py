"""The object store as a job uses it: every call is patient with outages, and reads are checked."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from typing import Any, Final, TypeVar

from adapters.object_store import ObjectMissing, ObjectStore, StoreRefused, StoreUnavailable
from processors.failures import Refusal
from processors.retries import Retries

# The store is consistent, so one look would do; a second guards against a node that lags behind.
_LOOKS_FOR_A_MISSING_ORIGINAL = 3
_PAUSE_BETWEEN_LOOKS = 0.5

T = TypeVar("T")


class _Incomplete(Exception):
    """The store gave fewer or more bytes than the object has."""


_OUTAGES: Final[Mapping[type[Exception], str]] = {
    StoreUnavailable: "store_unavailable",
    StoreRefused: "store_unavailable",
    _Incomplete: "original_incomplete",
}


class JobStore:
    """One attempt's view of the store; a call fails with Outage once the attempt's retries is spent."""

    def __init__(self, store: ObjectStore, retries: Retries) -> None:
        self._store = store
        self._patience = retries

    async def original(self, key: str, size: int) -> memoryview:
        """The original's bytes, exactly `size` of them; raises Refusal(object_missing), Outage."""

        async def whole() -> memoryview:
            data = await self._store.view(key)
            if len(data) != size:
                raise _Incomplete(f"{len(data)} of {size} bytes")
            return data

        for look in range(_LOOKS_FOR_A_MISSING_ORIGINAL):
            try:
                return await self._patiently(whole)
            except ObjectMissing:
                if look + 1 < _LOOKS_FOR_A_MISSING_ORIGINAL:
                    await asyncio.sleep(_PAUSE_BETWEEN_LOOKS)
        raise Refusal("object_missing")

    async def find(self, key: str) -> bytes | None:
        """The object's bytes, or None where there is none; raises Outage."""
        try:
            return await self._patiently(lambda: self._store.get(key))
        except ObjectMissing:
            return None

    async def stands(self, key: str) -> bool:
        """Whether the object is there; raises Outage."""
        return await self._patiently(lambda: self._store.head(key)) is not None

    async def put(self, key: str, data: bytes | memoryview, content_type: str) -> None:
        """Writes the object; raises Outage."""
        await self._patiently(lambda: self._store.put(key, data, content_type=content_type))

    async def take_back(self, keys: Iterable[str]) -> None:
        """Deletes objects; raises Outage."""
        gone = tuple(keys)
        await self._patiently(lambda: self._store.delete(gone))

    async def _patiently(self, call: Callable[[], Awaitable[T]]) -> T:
        return await self._patience.run(
            call,
            on=_OUTAGES,
            resting=self._whole_is_down,
        )

    async def _whole_is_down(self) -> bool:
        return not await self._store.reachable()


async def together(*calls: Coroutine[Any, Any, T]) -> list[T]:
    """The results of all calls, made side by side; when one fails, the others are ended first."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise

"""Lets one of several equal writes through at a time, and remembers its answer while the others may lag."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar
from uuid import UUID

from cachetools import TTLCache

_T = TypeVar("_T")

# Longer than any read model lags in health; afterwards the activity feed knows. Some 200 bytes each.
REMEMBER_SECONDS: Final = 120.0
REMEMBERED: Final = 10_000


class Once(Generic[_T]):
    """For one process; what other processes do at the same moment is made harmless by ids that repeat."""

    def __init__(self) -> None:
        self._answers: TTLCache[UUID, _T] = TTLCache(REMEMBERED, REMEMBER_SECONDS)
        self._running: dict[UUID, asyncio.Lock] = {}

    async def run(self, write: UUID, work: Callable[[], Awaitable[_T]]) -> _T:
        """The answer of `work`, done once for each `write` that succeeds; whoever comes meanwhile waits."""
        lock = self._running.setdefault(write, asyncio.Lock())
        try:
            async with lock:
                if (known := self._answers.get(write)) is not None:
                    return known
                answer = self._answers[write] = await work()
                return answer
        finally:
            if not lock.locked():
                self._running.pop(write, None)

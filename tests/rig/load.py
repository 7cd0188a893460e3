"""Brings pictures to a door at a rate, and writes down what was attempted and what was acknowledged."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from functools import cache
from typing import Final

from tests.photographs import photograph
from tests.rig.doors import Door, NotNow
from tests.rig.history import History

_PAUSE_SECONDS: Final = 0.3


@cache
def picture(number: int) -> bytes:
    """A small photograph; other numbers give other bytes."""
    return photograph(320, 240, tint=number)


class Load:
    """Uploads through one door. An attempt that is turned away is made again for `patience` seconds."""

    def __init__(self, door: Door, history: History, *, patience: float = 20.0) -> None:
        self._door = door
        self._history = history
        self._patience = patience
        self._random = random.Random(history.seed)
        self._under_way: set[asyncio.Task[None]] = set()

    async def burst(self, count: int) -> None:
        """So many uploads at once; returns when each was acknowledged or given up."""
        await asyncio.gather(*(self._upload() for _ in range(count)))

    @contextlib.asynccontextmanager
    async def at(self, rate: float) -> AsyncIterator[None]:
        """So many uploads a second, at random moments, while the block runs; ends with the last answer."""
        driving = asyncio.create_task(self._drive(rate))
        try:
            yield
        finally:
            driving.cancel()
            await asyncio.gather(driving, return_exceptions=True)
            await asyncio.gather(*self._under_way)

    async def resolve(self) -> None:
        """Makes every unanswered attempt once more, so that its outcome is known."""
        self._patience = max(self._patience, 30.0)
        for attempt in self._history.unanswered():
            self._history.add(await self._door.make(attempt, picture(0)))

    async def _drive(self, rate: float) -> None:
        while True:
            task = asyncio.create_task(self._upload())
            self._under_way.add(task)
            task.add_done_callback(self._done)
            await asyncio.sleep(self._random.expovariate(rate))

    def _done(self, task: asyncio.Task[None]) -> None:
        if task.exception() is None:
            self._under_way.discard(task)  # one that raised is kept, for `at` to raise it

    async def _upload(self) -> None:
        attempt, content = self._door.attempt(), picture(self._random.randrange(8))
        self._history.add(attempt)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._patience):
                while True:
                    try:
                        self._history.add(await self._door.make(attempt, content))
                    except NotNow:
                        await asyncio.sleep(_PAUSE_SECONDS)
                    else:
                        return

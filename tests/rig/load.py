"""Brings pictures to a door at a rate, and writes down what was attempted and what was acknowledged."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from functools import cache
from typing import Final

from tests.photographs import photograph
from tests.rig.doors import Door, NotNow
from tests.rig.history import Attempt, History

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
        self._pictures: dict[str, int] = {}
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
        """Makes every unanswered attempt again, for as long as `patience`, so that its outcome is known."""
        await asyncio.gather(*(self._make(attempt) for attempt in self._history.unanswered()))
        assert not (left := self._history.unanswered()), f"{len(left)} attempts have no answer"

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
        attempt = self._door.attempt()
        self._pictures[attempt.name] = self._random.randrange(8)
        self._history.add(attempt)
        await self._make(attempt)

    async def _make(self, attempt: Attempt) -> None:
        content = picture(self._pictures[attempt.name])
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._patience):
                while True:
                    try:
                        self._history.add(await self._door.make(attempt, content))
                    except NotNow:
                        await asyncio.sleep(_PAUSE_SECONDS)
                    else:
                        return

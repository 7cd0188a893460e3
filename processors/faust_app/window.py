"""The records of one partition that are in hand: taken side by side, acknowledged in the log's order.

A worker that took them one by one would do whatever stands first in the log, and a person with one upload
would wait for everybody's before it. With several in hand it is for `take` to choose whose turn it is.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

from processors.interruptible import Interruptible
from schemas.envelope import RawRecord

Take = Callable[[RawRecord, Interruptible], Awaitable[bool]]
"""Handles a record; whether it is done with. Never raises, and may be interrupted."""
Acknowledge = Callable[[], Awaitable[object]]


@dataclass(slots=True, eq=False, kw_only=True)
class _Place:
    """A record's place among those in hand."""

    acknowledge: Acknowledge
    done: bool = False
    work: Interruptible = field(default_factory=Interruptible)


class Window:
    """For one partition and one event loop; `size` is how many records lie between the first that is not
    done with and the last that came, both counted.

    Whoever is killed gets no more than those again. What each of them asks for is found done, or is done
    again without harm. Records with one key, which are about one asset, are taken one after the other.
    """

    def __init__(self, take: Take, *, size: int) -> None:
        self._take = take
        self._size = size
        self._places: deque[_Place] = deque()
        self._last_of_key: dict[bytes, asyncio.Task[bool]] = {}
        self._under_way: set[asyncio.Task[bool]] = set()
        self._moved = asyncio.Event()
        self._left_undone = False
        self._interrupted = False

    async def has_room(self) -> bool:
        """Waits until another record may be added.

        False once one was left undone, when all others have ended: nothing behind it can be acknowledged.
        """
        while len(self._places) >= self._size and not self._left_undone:
            self._moved.clear()
            await self._moved.wait()
        if self._left_undone:
            await self.emptied()
            return False
        return True

    async def add_done(self, acknowledge: Acknowledge) -> None:
        """Adds a record that is done with; it is acknowledged when all before it are."""
        self._places.append(_Place(acknowledge=acknowledge, done=True))
        await self._acknowledge()

    def add(self, record: RawRecord, acknowledge: Acknowledge) -> None:
        """Adds a record and has it taken: at once, or when the one before it with its key is done with."""
        place = _Place(acknowledge=acknowledge)
        self._places.append(place)
        before = None if record.key is None else self._last_of_key.get(record.key)
        task = asyncio.create_task(self._taken(record, place, before))
        self._under_way.add(task)
        task.add_done_callback(partial(self._ended, record.key, place))
        if record.key is not None:
            self._last_of_key[record.key] = task

    def interrupt(self, code: str) -> None:
        """Ends what is in hand, for the reason `code`: it says so by itself, and is not acknowledged."""
        self._interrupted = True
        for place in self._places:
            place.work.interrupt(code)

    async def emptied(self) -> None:
        """Returns once nothing is under way any more; cancelled, what is under way goes on."""
        if self._under_way:
            await asyncio.wait(self._under_way)

    async def _taken(self, record: RawRecord, place: _Place, before: asyncio.Task[bool] | None) -> bool:
        first = before is None or await before
        place.done = first and await self._take(record, place.work)
        if place.done:
            await self._acknowledge()
        return place.done

    def _ended(self, key: bytes | None, place: _Place, task: asyncio.Task[bool]) -> None:
        self._under_way.discard(task)
        if key is not None and self._last_of_key.get(key) is task:
            del self._last_of_key[key]
        self._left_undone = self._left_undone or not place.done
        self._moved.set()

    async def _acknowledge(self) -> None:
        """Acknowledges what is done with, up to the first record that is not."""
        while self._places and self._places[0].done and not self._interrupted:
            await self._places.popleft().acknowledge()

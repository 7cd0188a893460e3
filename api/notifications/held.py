"""The streams that this process holds, counted with all others': taken one by one, given back in batches."""

import asyncio
import contextlib
import time
from collections import Counter
from itertools import count
from typing import Final
from uuid import UUID
from weakref import WeakValueDictionary

import psycopg
import structlog

from adapters.telemetry import Loop
from api.notifications.places import LEASE_SECONDS, Places
from api.problems import TooManyStreams

# Twice within a lease something may go wrong.
RENEW_SECONDS: Final = LEASE_SECONDS / 3
# Longer than the count needs on a bad day, short beside what a client waits for a stream's first byte.
PATIENCE_SECONDS: Final = 1.0
# After a failure nobody waits for the next one.
PAUSE_SECONDS: Final = 1.0
_DATABASE: Final = "database"

log = structlog.get_logger(__name__)


class HeldStreams:
    """Places of this process, used from one event loop alone.

    Where nobody can count for all, the process's own bound holds alone: nobody is turned away because of an
    outage. What was missed is said once it is over.
    """

    def __init__(
        self, places: Places, *, most: int, renew: float = RENEW_SECONDS, loop: Loop | None = None
    ) -> None:
        """`loop` shows how it is."""
        self._loop = loop or Loop()
        self._places, self._most, self._renew = places, most, renew
        self._held: Counter[UUID] = Counter()
        self._said = count(1)
        self._turns: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()
        self._taking: set[UUID] = set()
        self._untold: set[UUID] = set()
        self._news = asyncio.Event()
        self._leased = False
        self._renew_at = 0.0
        self._away_until = 0.0
        self._late: set[asyncio.Task[bool]] = set()
        self._task: asyncio.Task[None] | None = None

    async def take(self, owner_id: UUID) -> None:
        """Takes a place for one stream, to be given back; raises TooManyStreams."""
        # One at a time for a user: what is said of them has an order.
        turn = self._turns.setdefault(owner_id, asyncio.Lock())
        async with turn:
            if not await self._taken(owner_id):
                raise TooManyStreams(f"At most {self._most} streams a user.")
            self._held[owner_id] += 1

    def give_back(self, owner_id: UUID) -> None:
        """Gives a place back; the others hear of it soon."""
        self._held[owner_id] -= 1
        if not self._held[owner_id]:
            del self._held[owner_id]
        self._tell(owner_id)

    def start(self) -> None:
        """Begins to renew the lease and to tell what changed."""
        self._task = asyncio.create_task(self._run(), name="held-streams")

    async def close(self) -> None:
        """Stops, and frees everything at once where that works; else the lease's end does."""
        tasks = [task for task in (self._task, *self._late) if task is not None]
        self._task = None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with contextlib.suppress(psycopg.Error):
            await self._places.leave()

    async def _taken(self, owner_id: UUID) -> bool:
        if time.monotonic() < self._away_until:
            self._tell(owner_id)
            return True
        task = asyncio.create_task(self._take(owner_id), name="held-streams")
        self._taking.add(owner_id)
        try:
            done, _ = await asyncio.wait({task}, timeout=PATIENCE_SECONDS)
            if not done:
                raise TimeoutError
            return task.result()
        except (psycopg.Error, TimeoutError) as error:
            self._away(error)
            self._leave_to_itself(task, owner_id)
            return True
        except asyncio.CancelledError:
            self._leave_to_itself(task, owner_id)
            raise
        finally:
            self._taking.discard(owner_id)
            if owner_id in self._untold:
                self._news.set()

    async def _take(self, owner_id: UUID) -> bool:
        if not self._leased:
            await self._keep_lease()
        places = self._held[owner_id] + 1
        return await self._places.take(owner_id, places, most=self._most, said=next(self._said))

    def _leave_to_itself(self, task: asyncio.Task[bool], owner_id: UUID) -> None:
        """Whatever comes of a question that nobody waits for, what is so is said after it.

        Cancelling a statement of a silent server would take longer than the request has.
        """

        def ended(task: asyncio.Task[bool]) -> None:
            self._late.discard(task)
            self._tell(owner_id)
            if not task.cancelled():
                task.exception()

        self._late.add(task)
        task.add_done_callback(ended)

    def _tell(self, owner_id: UUID) -> None:
        self._untold.add(owner_id)
        self._news.set()

    async def _run(self) -> None:
        while True:
            self._loop.beat()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, self._renew_at - time.monotonic())):
                    await self._news.wait()
            self._news.clear()
            try:
                await self._told()
            except psycopg.Error as error:
                self._away(error)
                await asyncio.sleep(PAUSE_SECONDS)
                self._news.set()
            else:
                self._loop.well(_DATABASE)

    async def _told(self) -> None:
        """Renews the lease where that is due, and says what changed since the last time."""
        if time.monotonic() >= self._renew_at:
            await self._keep_lease()
        # Of whom somebody is just asking is said in the answer.
        owners = self._untold - self._taking
        if not owners:
            return
        self._untold -= owners
        try:
            await self._places.say({owner: self._held[owner] for owner in owners}, said=next(self._said))
        except BaseException:
            self._untold |= owners
            raise

    async def _keep_lease(self) -> None:
        renew_at = time.monotonic() + self._renew
        if not await self._places.renew():
            self._untold |= set(self._held)
            self._news.set()
        self._leased, self._renew_at = True, renew_at

    def _away(self, error: Exception) -> None:
        name = type(error).__name__
        self._loop.trouble(_DATABASE, name, error=f"{_DATABASE}: {name}")
        if time.monotonic() >= self._away_until:
            log.warning("streams_counted_alone", error=name)
        self._away_until = time.monotonic() + PAUSE_SECONDS
        # What was said may be gone with the server that heard it.
        self._leased, self._renew_at = False, 0.0

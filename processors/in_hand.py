"""The records that a reactor has in hand: the frame around each, which raises nothing, and how it ends."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import NoReturn

from processors.failures import LogGone
from processors.interruptible import Interruptible
from processors.journal import Journal
from schemas.envelope import RawRecord


class InHand:
    """For one reactor. `leave` ends the process at once."""

    def __init__(self, journal: Journal, leave: Callable[[str], NoReturn]) -> None:
        self._journal = journal
        self._leave = leave
        self._under_way: set[Interruptible] = set()
        self._empty = asyncio.Event()
        self._closed = False

    def __len__(self) -> int:
        return len(self._under_way)

    async def take(
        self,
        record: RawRecord,
        work: Interruptible,
        handle: Callable[[RawRecord, Interruptible], Awaitable[bool]],
    ) -> bool:
        """What `handle` says of the record: whether it is done with. False once closed.

        What `handle` raises ends the process: raised on, it would be acknowledged and lost.
        """
        if self._closed:
            return False
        self._under_way.add(work)
        self._empty.clear()
        try:
            with self._journal.about(record):
                return await handle(record, work)
        except LogGone as error:
            self._leave(f"the event log took nothing for too long ({error})")
        except Exception as error:  # noqa: BLE001 - as said above
            self._journal.fault(error)
            self._leave(f"the reactor itself failed: {type(error).__name__}")
        finally:
            self._under_way.discard(work)
            if not self._under_way:
                self._empty.set()

    def close(self) -> None:
        """Takes no more."""
        self._closed = True

    def interrupt(self, *, begun: bool) -> None:
        """Tells those in hand that we end; without `begun` only those that wait for their turn."""
        for work in list(self._under_way):
            if begun or not work.began:
                work.interrupt("shutdown")

    async def emptied(self, seconds: float) -> bool:
        """Whether nothing was in hand any more within so many seconds."""
        if self._under_way:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._empty.wait(), seconds)
        return not self._under_way

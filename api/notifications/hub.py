"""Who is listening: the streams of this process, by owner, and what is said to all of them."""

import asyncio
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from adapters.telemetry.metrics import SseMetrics
from api.notifications.entries import Entry
from api.notifications.held import HeldStreams
from api.notifications.outbox import Outbox
from api.problems import TooManyStreams, Unavailable

# So few may come back at once.
_SMALL_WAVE: Final = 50
_MOST_WAVES: Final = 20


@dataclass(slots=True, eq=False)
class Listener:
    """One open stream: what waits for it, and why it should end (None: it should not)."""

    owner_id: UUID
    outbox: Outbox
    ending: str | None = None
    counted: bool = False
    _waiter: asyncio.Future[bool] | None = None

    def end(self, reason: str) -> None:
        """Asks the stream to end; the first reason counts."""
        self.ending = self.ending or reason
        self.wake()

    def wake(self) -> None:
        """Ends the wait, if the stream waits."""
        _tell(self._waiter, told=True)

    async def woken(self, seconds: float) -> bool:
        """Waits until there is something to do; False when so many seconds passed in silence.

        A future and a timer while it waits, and nothing else: an event is ten times as large.
        """
        if len(self.outbox) or self.ending is not None:
            return True
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        timer = loop.call_later(seconds, _tell, self._waiter)
        try:
            return await self._waiter
        finally:
            timer.cancel()
            self._waiter = None


def _tell(waiter: "asyncio.Future[bool] | None", *, told: bool = False) -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(told)


def _end(streams: list[Listener]) -> None:
    for listener in streams:
        listener.end("shutdown")


class Hub:
    """The listeners of this process. Used from one event loop alone; nothing here waits."""

    def __init__(
        self, *, streams_per_user: int, queue: int, metrics: SseMetrics, held: HeldStreams | None = None
    ) -> None:
        self._streams_per_user = streams_per_user
        self._queue = queue
        self._metrics = metrics
        self._held = held
        self._listeners: dict[UUID, set[Listener]] = {}
        self._count = 0
        self._closed = False

    def __len__(self) -> int:
        return self._count

    def listens(self, owner_id: UUID) -> bool:
        """Whether anything that happens to this owner's assets is of interest here."""
        return owner_id in self._listeners

    def join(self, owner_id: UUID) -> Listener:
        """A place for one stream, to be given back by `leave` however the stream ends.

        Raises TooManyStreams where the owner has none left, Unavailable when the process is about to end.
        """
        if self._closed:
            raise Unavailable("This process is about to end.")
        mine = self._listeners.get(owner_id, ())
        if len(mine) >= self._streams_per_user:
            raise TooManyStreams(f"At most {self._streams_per_user} streams a user.")
        listener = Listener(owner_id=owner_id, outbox=Outbox(self._queue))
        self._listeners.setdefault(owner_id, set()).add(listener)
        self._change(1)
        return listener

    async def admit(self, listener: Listener) -> None:
        """Counts the stream for all processes; raises TooManyStreams where the others hold too many."""
        if self._held is not None:
            await self._held.take(listener.owner_id)
            listener.counted = True

    def leave(self, listener: Listener) -> None:
        """Gives a place back."""
        if self._held is not None and listener.counted:
            self._held.give_back(listener.owner_id)
        mine = self._listeners[listener.owner_id]
        mine.remove(listener)
        if not mine:
            del self._listeners[listener.owner_id]
        self._change(-1)
        self._metrics.replaced.of().inc(listener.outbox.replaced)
        self._metrics.ended.of(listener.ending or "client").inc()

    def publish(self, entries: list[Entry]) -> None:
        """Hands entries, in order, to the streams of their owners; who has no room left is asked to end."""
        for entry in entries:
            for listener in self._listeners.get(entry.owner_id, ()):
                if listener.ending is None and not listener.outbox.put(entry):
                    listener.end("slow")
                listener.wake()
            self._metrics.entries.of(entry.kind).inc()

    def close(self) -> None:
        """Asks all streams to end, and takes no new ones."""
        self._closed = True
        _end(self._open())

    def drain(self, seconds: float) -> None:
        """Takes no new streams, and asks those that are open to end in waves over so many seconds.

        Their clients come back elsewhere: many at once would be too many there.
        """
        self._closed = True
        streams = self._open()
        waves = min(_MOST_WAVES, -(-len(streams) // _SMALL_WAVE))
        for number in range(waves):
            asyncio.get_running_loop().call_later(seconds * number / waves, _end, streams[number::waves])

    def _open(self) -> list[Listener]:
        return [listener for listeners in self._listeners.values() for listener in listeners]

    def _change(self, by: int) -> None:
        self._count += by
        self._metrics.streams.of().set(self._count)

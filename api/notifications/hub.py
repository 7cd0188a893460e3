"""Who is listening: the streams of this process, by owner, and what is said to all of them."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from adapters.telemetry.metrics import SseMetrics
from api.notifications.entries import Entry
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
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    ending: str | None = None

    def end(self, reason: str) -> None:
        """Asks the stream to end; the first reason counts."""
        self.ending = self.ending or reason
        self.woken.set()


def _end(streams: list[Listener]) -> None:
    for listener in streams:
        listener.end("shutdown")


class Hub:
    """The listeners of this process. Used from one event loop alone; nothing here waits."""

    def __init__(self, *, streams_per_user: int, queue: int, metrics: SseMetrics) -> None:
        self._streams_per_user = streams_per_user
        self._queue = queue
        self._metrics = metrics
        self._listeners: dict[UUID, set[Listener]] = {}
        self._count = 0
        self._closed = False

    def __len__(self) -> int:
        return self._count

    def listens(self, owner_id: UUID) -> bool:
        """Whether anything that happens to this owner's assets is of interest here."""
        return owner_id in self._listeners

    @contextmanager
    def listening(self, owner_id: UUID) -> Iterator[Listener]:
        """A place for one stream, given back at the block's end however it ends.

        Raises TooManyStreams where the owner has none left, Unavailable when the process is about to end.
        """
        if self._closed:
            raise Unavailable("This process is about to end.")
        mine = self._listeners.setdefault(owner_id, set())
        if len(mine) >= self._streams_per_user:
            raise TooManyStreams(f"At most {self._streams_per_user} streams a user.")
        listener = Listener(owner_id=owner_id, outbox=Outbox(self._queue))
        mine.add(listener)
        self._change(1)
        try:
            yield listener
        finally:
            mine.discard(listener)
            if not mine:
                self._listeners.pop(owner_id, None)
            self._change(-1)
            self._metrics.replaced.of().inc(listener.outbox.replaced)
            self._metrics.ended.of(listener.ending or "client").inc()

    def publish(self, entries: list[Entry]) -> None:
        """Hands entries, in order, to the streams of their owners; who has no room left is asked to end."""
        for entry in entries:
            for listener in self._listeners.get(entry.owner_id, ()):
                if listener.ending is None and not listener.outbox.put(entry):
                    listener.end("slow")
                listener.woken.set()
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

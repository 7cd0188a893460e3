"""One partition's actor, on a stream that the test feeds: what Faust does to it, and what it acks then."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

from faust.types import TP, Message

from processors.failures import Interruption
from processors.faust_app.app import _act
from processors.faust_app.window import Window
from processors.interruptible import Interruptible
from schemas.envelope import RawRecord

_PASSES = b"nothing asked"


class Fed:
    """Stands in for Faust's stream: gives what `feed` was given, until `end`; notes what is acked."""

    def __init__(self) -> None:
        self.acked: list[int] = []
        self._coming: asyncio.Queue[Any] = asyncio.Queue()
        self._count = 0

    def feed(self, *values: bytes) -> None:
        for value in values:
            offset = self._count
            self._count += 1
            message = Message("t", 3, offset, 1.5, 1, [], b"%d" % offset, value, None, tp=TP("t", 3))
            self._coming.put_nowait(SimpleNamespace(message=message))

    def end(self) -> None:
        """As Faust ends a stream before it cancels the actor."""
        self._coming.put_nowait(None)

    def noack(self) -> "Fed":
        return self

    async def events(self) -> AsyncIterator[Any]:
        while (event := await self._coming.get()) is not None:
            yield event

    async def ack(self, event: Any) -> None:
        self.acked.append(event.message.offset)


class Actor:
    """The actor on a stream; each record that is taken ends when the test says so, or is interrupted.

    Last words are over once they are `said`, at once unless a test clears it.
    """

    def __init__(self, *, size: int = 8) -> None:
        self.stream = Fed()
        self.taken: list[int] = []
        self.handled: list[int] = []
        self.left: list[str | None] = []
        self.done = asyncio.Event()
        self.said = asyncio.Event()
        self.said.set()
        window = Window(self._take, size=size)
        stream = cast("Any", self.stream)
        self.task = asyncio.create_task(_act(stream, window, _passes, self._acked))

    async def _take(self, record: RawRecord, work: Interruptible) -> bool:
        self.taken.append(record.offset)
        try:
            await work.run(_until(self.done))
        except Interruption:
            await self.said.wait()  # last words
            self.left.append(work.code)
            return False
        return True

    def _acked(self, record: RawRecord) -> None:
        self.handled.append(record.offset)


def _passes(record: RawRecord) -> bool:
    return record.value == _PASSES


async def _until(event: asyncio.Event) -> None:
    await event.wait()


async def quiet() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


def others() -> set[asyncio.Task[Any]]:
    return asyncio.all_tasks() - {cast("asyncio.Task[Any]", asyncio.current_task())}


async def test_what_is_acked_is_handled_in_the_logs_order() -> None:
    actor = Actor()
    actor.stream.feed(_PASSES, b"job", _PASSES, b"job", _PASSES)
    await quiet()
    assert (actor.taken, actor.stream.acked) == ([1, 3], [0])
    actor.done.set()
    await quiet()
    assert actor.stream.acked == actor.handled == [0, 1, 2, 3, 4]
    actor.stream.end()
    await asyncio.wait_for(actor.task, 5)
    assert others() == set()


async def test_it_reads_no_further_than_its_window() -> None:
    actor = Actor(size=2)
    actor.stream.feed(b"job", b"job", b"job", b"job")
    await quiet()
    assert actor.taken == [0, 1]
    actor.done.set()
    await quiet()
    assert actor.stream.acked == [0, 1, 2, 3]
    actor.stream.end()
    await asyncio.wait_for(actor.task, 5)


async def test_a_stream_that_ends_ends_what_is_in_hand() -> None:
    """Faust ends it first and cancels later: nothing may be left pending, and nothing is acked any more."""
    actor = Actor()
    actor.stream.feed(b"job", b"job")
    await quiet()
    actor.stream.end()
    await asyncio.wait_for(actor.task, 5)
    assert actor.left == ["rebalance", "rebalance"]
    assert (actor.stream.acked, others()) == ([], set())


async def test_cancelled_while_its_window_is_full_it_returns_and_last_words_are_said() -> None:
    """Raised on, Faust would start it anew for a partition that is another's."""
    actor = Actor(size=1)
    actor.stream.feed(b"job", b"job")
    await quiet()
    actor.task.cancel()
    await asyncio.wait_for(actor.task, 5)
    assert not actor.task.cancelled()
    assert actor.left == ["rebalance"]
    assert (actor.taken, actor.stream.acked) == ([0], [])


async def test_cancelled_during_last_words_it_returns_at_once_and_they_are_said() -> None:
    """The rebalance waits for the actor, not for what it has in hand."""
    actor = Actor()
    actor.said.clear()
    actor.stream.feed(b"job")
    await quiet()
    actor.stream.end()
    await quiet()
    actor.task.cancel()
    await quiet()
    assert actor.task.done()
    assert not actor.task.cancelled()
    assert actor.left == []
    actor.said.set()
    await asyncio.wait(others(), timeout=5)
    assert (actor.left, actor.stream.acked) == (["rebalance"], [])

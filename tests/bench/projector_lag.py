"""How far the rows are behind a steady stream: from each acknowledgement to its place in the read models."""

import asyncio
import heapq
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from adapters.read_store import conninfo
from projections.topic import ends
from projections.waiting import PositionWatch
from schemas.events import AssetEvent
from schemas.positions import Position
from tests.bench.ground import Pen, fresh_database, metadata, pen
from tests.bench.meters import Meter, Reading, server_pids
from tests.bench.projector_rounds import lives
from tests.programs import Program
from tests.servers import World
from tests.unit.projections.stories import Stories

_PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """Seconds from each event's acknowledgement to its rows, and what the stream took."""

    seconds: Sequence[float]
    used: Reading


@dataclass(slots=True)
class Awaited:
    """Acknowledged events, each with its moment, until the rows have reached them."""

    expected: int
    lags: list[float] = field(default_factory=list)
    complete: asyncio.Event = field(default_factory=asyncio.Event)
    _waiting: dict[int, list[tuple[int, float]]] = field(default_factory=dict)
    _reached: dict[int, int] = field(default_factory=dict)

    def acknowledged(self, position: Position) -> None:
        """The log has it: from here on its rows are due."""
        if self._reached.get(position.partition, 0) > position.offset:
            self._seen(0.0)  # the projector was faster than the answer to us
            return
        waiting = self._waiting.setdefault(position.partition, [])
        heapq.heappush(waiting, (position.offset, time.perf_counter()))

    def applied(self, next_offsets: Mapping[int, int]) -> None:
        """The rows have reached these offsets."""
        now = time.perf_counter()
        self._reached.update(next_offsets)
        for partition, offset in next_offsets.items():
            waiting = self._waiting.get(partition, [])
            while waiting and waiting[0][0] < offset:
                self._seen(now - heapq.heappop(waiting)[1])

    def _seen(self, seconds: float) -> None:
        self.lags.append(seconds)
        if len(self.lags) == self.expected:
            self.complete.set()


async def lag(world: World, *, rate: int, seconds: float) -> Lag:
    """Append `rate` events a second for so long, evenly, and watch the rows follow."""
    env = fresh_database(world, "live")
    settings = world.settings("live", DATABASE_URL=env["DATABASE_URL"])
    program = Program(["projections"], env, world.folder / "live")
    watch = PositionWatch(conninfo(settings, "bench"))
    topic = settings.kafka.topics.assets
    try:
        await watch.start()
        await _reach(watch, topic, ends(settings.kafka, topic))
        async with pen(settings) as held:
            events = await _events(held, round(rate * seconds))
            meter = Meter({"projector": (program.pid,), **server_pids(world)})
            awaited = Awaited(expected=len(events))
            await _send(held, watch, topic, events, rate, awaited)
            return Lag(seconds=awaited.lags, used=meter.read())
    finally:
        await watch.close()
        await asyncio.to_thread(program.stop)


async def _events(held: Pen, count: int) -> list[AssetEvent]:
    stories = Stories("live", held.keys)
    return [event async for event in lives(stories, count)]


async def _send(
    held: Pen, watch: PositionWatch, topic: str, events: Sequence[AssetEvent], rate: int, awaited: Awaited
) -> None:
    """One append each 1/rate s whether or not the last has been answered, then wait for the last rows."""

    async def append(event: AssetEvent) -> None:
        awaited.acknowledged(await held.log.append(event, metadata(event.asset_id)))

    follower = asyncio.create_task(_follow(watch, topic, awaited))
    async with asyncio.TaskGroup() as sending:
        began = time.perf_counter()
        for number, event in enumerate(events):
            wait = began + number / rate - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            sending.create_task(append(event))
    async with asyncio.timeout(_PATIENCE_SECONDS):
        await awaited.complete.wait()
    follower.cancel()
    with suppress(asyncio.CancelledError):
        await follower


async def _follow(watch: PositionWatch, topic: str, awaited: Awaited) -> None:
    with watch.subscribe() as wakeups:
        while True:
            await wakeups.woken(1.0)
            awaited.applied(watch.positions(topic))


async def _reach(watch: PositionWatch, topic: str, target: Mapping[int, int]) -> None:
    """Wait until the rows hold all that is there already."""
    for partition, end in target.items():
        if end:
            last = Position(topic=topic, partition=partition, offset=end - 1)
            await watch.wait_for(last, _PATIENCE_SECONDS)

"""Waiting until a position of the log has been applied: how anybody reads what was just written."""

import asyncio
import contextlib
import json
import random
import time
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final, Protocol

import psycopg
import structlog
from psycopg import AsyncConnection

from adapters.telemetry import Loop
from projections.checkpoints import CHANNEL, all_positions
from projections.forms import FORMS
from projections.notices import Notice, read_notice
from schemas.positions import Position

# A NOTIFY can be lost with its connection; then a look at the checkpoints this often still ends every wait.
_LOOK_SECONDS: Final = 0.5
# A loop that is well says so once a second; one that was not heard for so long is not well, or not there.
_SILENT_SECONDS: Final = 5.0
_CONNECT_SECONDS: Final = 3
# A server that takes a connection and then says nothing, as a frozen one does, is away.
_ANSWER_SECONDS: Final = 3.0
_LONGEST_BACK_OFF: Final = 2.0
_READ_MODELS: Final = "read models"

_log = structlog.get_logger(__name__)


class NotYetApplied(Exception):
    """The read models have not reached this position in the time that was given."""

    def __init__(self, position: Position) -> None:
        super().__init__(f"{position.topic}/{position.partition} has not reached {position.offset}")
        self.position = position


class Wakeups:
    """Wakes its holder at each batch that is applied, batches in between taken together."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    async def woken(self, timeout: float | None = None) -> bool:
        """Waits for the next batch since the last call; False when `timeout` seconds pass without one."""
        try:
            async with asyncio.timeout(timeout):
                await self._event.wait()
        except TimeoutError:
            return False
        self._event.clear()
        return True

    def wake(self) -> None:
        """Says that there is something new."""
        self._event.set()


class Feed(Protocol):
    """Hears of what changed before any wait for it ends, so that it forgets in time what it remembers."""

    def changed(self, notice: Notice) -> None:
        """A batch was applied; it follows on the one before it in each partition, and names its changes."""
        ...

    def moved(self, topic: str, partitions: Collection[int]) -> None:
        """These partitions moved on; nobody says what changed in them."""
        ...

    def unsure(self) -> None:
        """Anything may have changed."""
        ...

    def heard(self) -> None:
        """Up to now, nothing has gone unheard."""
        ...


class PositionWatch:
    """Follows the checkpoints over one connection of its own that listens, and looks where it hears nothing.

    One for each process and event loop. Without Postgres every wait runs out, and none raises anything else.
    """

    def __init__(
        self,
        conninfo: str,
        *,
        look_seconds: float = _LOOK_SECONDS,
        silent_seconds: float = _SILENT_SECONDS,
        loop: Loop | None = None,
    ) -> None:
        """`loop` shows how it is."""
        self._loop = loop or Loop()
        self._conninfo = conninfo
        self._silent_seconds = silent_seconds
        self._look_seconds = look_seconds
        self._next: dict[str, dict[int, int]] = {}
        self._heard: dict[tuple[str, int], float] = {}
        self._waiting: dict[asyncio.Future[None], Position] = {}
        self._subscribers: set[Wakeups] = set()
        self._feed: Feed | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begins to follow; returns at once."""
        self._task = asyncio.create_task(self._follow(), name="position-watch")

    async def close(self) -> None:
        """Ends the connection; waits under way run out."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    def tell(self, feed: Feed) -> None:
        """From now on `feed` hears of what is applied."""
        self._feed = feed

    def positions(self, topic: str) -> Mapping[int, int]:
        """The next offset of each partition of `topic`, as last heard."""
        return dict(self._next.get(topic, {}))

    def alive(self, topic: str, partition: int) -> bool:
        """Whether a projector is well and near this partition's end, so that it makes sense to wait."""
        heard = self._heard.get((topic, partition))
        return heard is not None and time.monotonic() - heard < self._silent_seconds

    async def wait_for(self, position: Position, timeout: float = 2.0) -> None:
        """Returns once every active read model has applied `position`; NotYetApplied after `timeout` s."""
        if self._passed(position):
            return
        passed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[passed] = position
        try:
            async with asyncio.timeout(timeout):
                await passed
        except TimeoutError as error:
            raise NotYetApplied(position) from error
        finally:
            del self._waiting[passed]

    @contextlib.contextmanager
    def subscribe(self) -> Iterator[Wakeups]:
        """Gives something to wait on that wakes at each batch, from now to the end of the block."""
        wakeups = Wakeups()
        self._subscribers.add(wakeups)
        try:
            yield wakeups
        finally:
            self._subscribers.discard(wakeups)

    def _passed(self, position: Position) -> bool:
        return self._next.get(position.topic, {}).get(position.partition, 0) > position.offset

    async def _follow(self) -> None:
        attempt = 0
        while True:
            self._loop.beat()
            try:
                async with await _connect(self._conninfo) as conn:
                    async with asyncio.timeout(_ANSWER_SECONDS):
                        await conn.execute(f"listen {CHANNEL}".encode())
                    self._unsure()  # of what was told before, nothing was heard
                    while True:
                        self._loop.beat()
                        async with asyncio.timeout(_ANSWER_SECONDS):
                            self._replace(await all_positions(conn))
                        attempt = 0
                        self._loop.well(_READ_MODELS)
                        await self._listen(conn)
            except (psycopg.Error, TimeoutError) as error:
                attempt += 1
                name = type(error).__name__
                self._loop.trouble(_READ_MODELS, name, error=f"{_READ_MODELS}: {name}")
                _log.warning("positions.unreachable", error=name, attempt=attempt)
                longest = min(_LONGEST_BACK_OFF, 0.05 * 2 ** min(attempt, 8))
                await asyncio.sleep(random.uniform(longest / 2, longest))  # noqa: S311 - jitter, no secret

    async def _listen(self, conn: AsyncConnection[Any]) -> None:
        """Applies what is told until nothing has been for a while, or something has to be looked up."""
        async with contextlib.aclosing(conn.notifies(timeout=self._look_seconds)) as notices:
            async for notice in notices:
                self._loop.beat()
                if not self._told(notice.payload):
                    self._unsure()
                    return

    def _told(self, payload: str) -> bool:
        """Takes what a batch told of itself; False when it said nothing that helps."""
        try:
            told = json.loads(payload)
            if (form := told["form"]) and form not in FORMS:
                return True  # of rows that we do not read
            if "alive" in told:
                heard = {
                    (str(told["topic"]), int(partition)): time.monotonic() for partition in told["alive"]
                }
                self._heard.update(heard)
                return True
            notice = read_notice(told)
        except (ValueError, KeyError, TypeError):
            return False
        known = self._next.setdefault(notice.topic, {})
        self._pass_on(notice, known)
        for partition, offset in notice.following.items():
            # May be older than the last look, hence never lowers it; after a reset we are sent to look.
            known[partition] = max(known.get(partition, 0), offset)
        self._tell()
        return True

    def _pass_on(self, notice: Notice, known: Mapping[int, int]) -> None:
        if self._feed is None:
            return
        gaps = [
            partition
            for partition in notice.following
            if notice.changes is None or notice.began.get(partition, 0) > known.get(partition, 0)
        ]
        if gaps:
            self._feed.moved(notice.topic, gaps)
        if notice.changes is not None:
            self._feed.changed(notice)
        self._feed.heard()

    def _unsure(self) -> None:
        if self._feed is not None:
            self._feed.unsure()

    def _replace(self, found: dict[str, dict[int, int]]) -> None:
        # Replaced, not raised: after a reset the positions are lower, and what was applied is so no longer.
        if found != self._next:
            self._look_for_changes(found)
            self._next = found
            self._tell()
        if self._feed is not None:
            self._feed.heard()

    def _look_for_changes(self, found: Mapping[str, Mapping[int, int]]) -> None:
        """What was found rather than told moved without a word of what changed."""
        if self._feed is None:
            return
        for topic in found.keys() | self._next.keys():
            now, before = found.get(topic, {}), self._next.get(topic, {})
            moved = [partition for partition, offset in now.items() if offset > before.get(partition, 0)]
            if any(now.get(partition, 0) < offset for partition, offset in before.items()):
                self._feed.unsure()
            elif moved:
                self._feed.moved(topic, moved)

    def _tell(self) -> None:
        for passed, position in self._waiting.items():
            if not passed.done() and self._passed(position):
                passed.set_result(None)
        for wakeups in self._subscribers:
            wakeups.wake()


async def _connect(conninfo: str) -> AsyncConnection[Any]:
    return await AsyncConnection.connect(
        conninfo, autocommit=True, connect_timeout=_CONNECT_SECONDS, application_name="darkroom-watch"
    )

"""The worker's own shell and reactor around work that does nothing, with its records counted."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable
from typing import Final, NoReturn
from uuid import uuid4

from adapters.clock import SystemClock
from adapters.dead_letters import InMemoryDeadLetters
from adapters.event_log import KafkaEventLog
from adapters.failpoints import Failpoints
from adapters.settings import Settings
from adapters.telemetry import Loop, Metrics
from processors.appender import Appender
from processors.dead_letter_limit import DeadLetterLimit
from processors.faust_app.worker_member import member_of
from processors.interruptible import Interruptible
from processors.journal import Journal
from processors.look_ahead.follower import KafkaLookAhead
from processors.look_ahead.log_tail import KafkaTail
from processors.outages import Waits
from processors.reactor import Parts, Reactor
from processors.retries import Retries
from processors.room import Room
from processors.variants.worker import RECORDS_IN_HAND
from schemas.codec import Codec
from schemas.envelope import RawRecord
from tests.unit.processors.scripted import Scripted, well

# As a worker of two children has it.
_ROOM: Final = {"jobs": 5, "small": 8, "size": 4 * 1024 * 1024}


class Count:
    """Counts records down, and holds what it took from the first to the last. Belongs to one event loop."""

    def __init__(self, records: int, *, wall: Callable[[], float], cpu: Callable[[], float]) -> None:
        """`wall` and `cpu` are clocks, in seconds."""
        self.seconds = self.cpu_seconds = 0.0
        self._left, self._wall, self._cpu = records, wall, cpu
        self._began: tuple[float, float] | None = None
        self._over = asyncio.Event()

    @property
    def over(self) -> bool:
        """Whether the last is dealt with."""
        return self._over.is_set()

    def came(self) -> None:
        """A record begins to be dealt with."""
        if self._began is None:
            self._began = self._wall(), self._cpu()

    def done(self) -> None:
        """One is dealt with."""
        self._left -= 1
        if self._left == 0 and self._began is not None:
            wall, cpu = self._began
            self.seconds, self.cpu_seconds = self._wall() - wall, self._cpu() - cpu
            self._over.set()

    async def all_done(self) -> None:
        """Waits for the last."""
        await self._over.wait()


class Counted:
    """A reactor of which either what it takes or, `passing`, what it lets pass is counted."""

    def __init__(self, reactor: Reactor, count: Count, *, passing: bool) -> None:
        self._reactor, self._count, self._passing = reactor, count, passing

    @property
    def in_hand(self) -> int:
        """As the reactor's."""
        return self._reactor.in_hand

    def passes(self, record: RawRecord) -> bool:
        """As the reactor's."""
        self._count.came()
        passed = self._reactor.passes(record)
        if passed and self._passing:
            self._count.done()
        return passed

    async def take(self, record: RawRecord, work: Interruptible) -> bool:
        """As the reactor's."""
        settled = await self._reactor.take(record, work)
        if not self._passing:
            self._count.done()
        return settled


async def reactor(settings: Settings, count: Count, *, passing: bool = False) -> None:
    """A member of a group of its own, until all is counted."""
    metrics, codec = Metrics(), Codec.local()
    log = KafkaEventLog(settings.kafka, codec, metrics=metrics.log)
    group = f"{settings.kafka.topic_prefix}.{uuid4().hex}"
    look_ahead = KafkaLookAhead(
        lambda: KafkaTail(settings.kafka.client(), group=group, topic=settings.kafka.topics.assets),
        codec.decode,
        metrics=metrics.worker,
        loop=Loop(),
        died=lambda error: _leave(repr(error)),
    )
    look_ahead.start()
    member = member_of(
        settings,
        group,
        reactor=Counted(_reactor(metrics, codec, log, look_ahead), count, passing=passing),
        look_ahead=look_ahead,
        metrics=metrics.worker,
        leave=_leave,
        waits=Waits(Loop()),
        in_hand=RECORDS_IN_HAND,
    )
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(log.close)
        stack.callback(look_ahead.close)
        stack.push_async_callback(member.close)
        await member.start()
        await count.all_done()
        await member.stop(for_good=False)


def _reactor(metrics: Metrics, codec: Codec, log: KafkaEventLog, look_ahead: KafkaLookAhead) -> Reactor:
    work, clock, journal = Scripted(well), SystemClock(), Journal(metrics.worker)
    limit = DeadLetterLimit(work.component)
    appender = Appender(
        log=log,
        dead_letters=InMemoryDeadLetters(),
        look_ahead=look_ahead,
        clock=clock,
        source=work.source,
        component=work.component,
        retried=journal.append_retried,
        limit=limit,
    )
    parts = Parts(
        codec=codec,
        appender=appender,
        look_ahead=look_ahead,
        journal=journal,
        clock=clock,
        failpoints=Failpoints(),
        retries=lambda: Retries(budget=60.0, retried=journal.retried),
        limit=limit,
        room=Room(**_ROOM),
        leave=_leave,
        lane="live",
        worker="bench",
    )
    return Reactor(work, parts)


def _leave(reason: str) -> NoReturn:
    sys.stderr.write(f"{reason}\n")
    os._exit(1)

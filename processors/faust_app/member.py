"""One member of the consumer group: the Faust app at work, and everybody who watches that it does work."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Final, Protocol

import structlog
from aiokafka.errors import KafkaError

from adapters.settings import KafkaSettings
from adapters.telemetry.of_worker import WorkerMetrics
from processors.faust_app.app import AppConfig, build_app, leave_for_good
from processors.faust_app.membership import Membership
from processors.faust_app.watchdog import Watch, Watchdog
from processors.interruptible import Interruptible
from processors.look_ahead import KafkaLookAhead
from processors.look_ahead.at_work import AtWork
from processors.outages import Waits
from schemas.envelope import RawRecord

_ASK_SECONDS: Final = 5.0
_GROUP: Final = "group"
_STOP_SECONDS: Final = 3.0
_LEAVE_SECONDS: Final = 5.0

log = structlog.get_logger(__name__)


class Takes(Protocol):
    """A reactor, as a member of the group needs it."""

    @property
    def in_hand(self) -> int:
        """Records being looked at or worked on now."""
        ...

    def passes(self, record: RawRecord) -> bool:
        """Whether the record asks nothing and is done with thereby. Never raises."""
        ...

    async def take(self, record: RawRecord, work: Interruptible) -> bool:
        """Handles one record; whether it is done with. Never raises."""
        ...


class GroupMember:
    """Takes the records of its partitions to the reactor, from `start` to `stop`; then `close` it.

    `leave` is called, from a thread, when the process had better start anew; `waits`
    has the loop that shows how the work is.
    """

    def __init__(
        self,
        config: AppConfig,
        kafka: KafkaSettings,
        *,
        reactor: Takes,
        look_ahead: KafkaLookAhead,
        metrics: WorkerMetrics,
        leave: Callable[[str], object],
        waits: Waits,
    ) -> None:
        self._leave = leave
        self._waits = waits
        self._loop = waits.loop
        self._loop.reads(AtWork(look_ahead, time.time))
        self._reactor = reactor
        self._look_ahead = look_ahead
        self._metrics = metrics
        self._watch = Watch(idle_limit=config.idle_limit)
        self._watchdog = Watchdog(self._look, leave=leave)
        self._membership = Membership(kafka, group=config.group, client_id=config.instance_id)
        self._asking: asyncio.Task[None] | None = None
        self._app = build_app(
            config,
            take=self._take,
            passes=self._passes,
            acked=self._acked,
            assigned=self._assigned,
            revoked=self._look_ahead.revoked,
        )

    async def start(self) -> None:
        """Joins the group; returns once records may come."""
        try:
            await self._app.start()
        except (KafkaError, OSError) as error:
            # They were there a moment ago, or nobody would have come so far: it is to be tried again.
            self._leave(f"the brokers went away while it joined its group: {type(error).__name__}")
            raise
        self._asking = asyncio.create_task(self._ask())
        self._watchdog.start()

    async def stop(self, *, for_good: bool) -> None:
        """Commits what is acked and leaves the broker; to be called when nothing is in hand any more.

        Gone `for_good`, its partitions go to others at once; otherwise they wait for it for a session.
        """
        self._watchdog.close()
        if for_good:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(leave_for_good(self._app), _LEAVE_SECONDS)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._app.stop(), _STOP_SECONDS)

    async def close(self) -> None:
        """Watches no more."""
        self._watchdog.close()
        if self._asking is not None:
            self._asking.cancel()
        await self._membership.close()

    def trouble(self) -> str | None:
        """Why the member is not ready, if it is not."""
        return self._watch.trouble()

    def _passes(self, record: RawRecord) -> bool:
        if not self._reactor.passes(record):
            return False
        self._watch.progressed()
        return True

    async def _take(self, record: RawRecord, work: Interruptible) -> bool:
        self._watch.progressed()
        settled = await self._reactor.take(record, work)
        self._watch.progressed()
        return settled

    def _acked(self, record: RawRecord) -> None:
        self._look_ahead.handled(record.partition, record.offset)

    def _assigned(self, partitions: frozenset[int]) -> None:
        self._look_ahead.assigned(partitions)
        self._watch.assigned()  # ready only once there is a lag to be seen
        self._metrics.assignments.of().inc()
        self._metrics.assigned_partitions.of().set(len(partitions))
        log.info("partitions_assigned", partitions=sorted(partitions))

    def _look(self) -> str | None:
        if self._app.crashed:
            return _crash(self._app.crash_reason)
        return self._watch.seen(lag=self._look_ahead.lag(), in_hand=self._reactor.in_hand)

    async def _ask(self) -> None:
        while True:
            self._watch.told(await self._membership.known())
            self._show()
            await asyncio.sleep(_ASK_SECONDS)

    def _show(self) -> None:
        """What keeps the work from going on, beside what its own calls wait for."""
        if (trouble := self._watch.trouble()) is not None:
            self._loop.trouble(_GROUP, trouble, error=f"group: {trouble}")
        else:
            self._loop.well(_GROUP)
        if not self._reactor.in_hand and not self._look_ahead.lag():
            self._waits.past()


def _crash(reason: object) -> str:
    text = f"the Faust app crashed: {reason!r}"
    # What aiokafka, which has no name for it, makes of the broker's FENCED_INSTANCE_ID.
    fenced = "UnknownError" in text
    return text + ("; is another worker running under the same WORKER_SLOT?" if fenced else "")

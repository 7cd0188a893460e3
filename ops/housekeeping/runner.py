"""The process that keeps house: every chore at its own pace, none in another's way."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Final, Protocol

import structlog

from adapters.settings import Settings
from adapters.telemetry import Condition, Loop, Loops, Metrics, serve_metrics
from ops.housekeeping.chore import OUTAGES, Chore, Done, Maker, Tools
from ops.housekeeping.lead import Lead
from ops.housekeeping.opening import COMPONENT, connection, opened

# A signal is heard, and the lead noticed, within this.
_TICK_SECONDS: Final = 0.2
_BEAT_SECONDS: Final = 1.0
# After an outage or a bug a chore rests so long at least, however short its period.
_REST_SECONDS: Final = 1.0
# A standby asks so often whether the lead is free.
_STANDBY_SECONDS: Final = 0.5

log = structlog.get_logger(__name__)


class SomebodyElse(Exception):
    """Another process does the housekeeping."""


class Leading(Protocol):
    """What decides who acts."""

    def held(self) -> bool:
        """Whether this process leads right now; may raise one of OUTAGES. Blocks."""
        ...


class Runner:
    """Does the chores until `stop` is set; while another process leads, it stands by."""

    def __init__(self, settings: Settings, stop: threading.Event, makers: Sequence[Maker]) -> None:
        self._settings = settings
        self._stop = stop
        self._makers = makers
        self.metrics = Metrics()
        self._leads = False
        self._ending = asyncio.Event()
        self._loops = Loops(COMPONENT, settings.runtime.heartbeat_limit, self.metrics.loops)
        self.condition = self._loops.condition
        self._loop = self._loops.expect(COMPONENT)
        self._chores: dict[str, Loop] = {}

    async def run(self) -> None:
        """Runs until told to stop; raises what refuses at a start."""
        self.condition.trouble("start", "starting")
        async with AsyncExitStack() as stack:
            server = serve_metrics(
                self._settings,
                self.metrics,
                loops=self._loops,
                ready=self.condition.reason,
                details=lambda: {"leads": self._leads},
            )
            stack.callback(server.close)
            beating = asyncio.create_task(self._beat(self._loop))
            stack.callback(beating.cancel)
            keys = self._loops.expect("subject-keys")
            tools = await stack.enter_async_context(opened(self._settings, self.metrics, self._stop, keys))
            lead = Lead(lambda: connection(self._settings))
            stack.callback(lead.close)
            self.metrics.housekeeping.leads.of().set_function(lambda: float(self._leads))
            self.condition.well("start")
            log.info("housekeeping_started", port=server.port)
            await self.tend(tools, lead)

    async def tend(self, tools: Tools, lead: Leading) -> None:
        """All chores at once; between two turns of each it is looked whether this process still leads."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._hear())
            group.create_task(self._follow(lead))
            for maker in self._makers:
                group.create_task(self._keep(maker(tools)))

    async def _follow(self, lead: Leading) -> None:
        while not self._ending.is_set():
            try:
                leads = await asyncio.to_thread(lead.held)
            except OUTAGES as error:
                leads = False
                self._in_trouble("lead", error, self._loop.condition)
            else:
                self._loop.well("lead")
            if leads != self._leads:
                log.info("housekeeping_leads", leads=leads)
            self._leads = leads
            await self._pause(_STANDBY_SECONDS)

    async def _keep(self, chore: Chore) -> None:
        last_good = time.monotonic()
        self._chores[chore.name] = self._loops.expect(chore.name, beats=False)
        age = self.metrics.housekeeping.age.of(chore.name)
        age.set_function(lambda: time.monotonic() - last_good if self._leads else 0.0)
        while not self._ending.is_set():
            if not self._leads:
                self._chores[chore.name].well(chore.name)  # what it could not do is another's now
                await self._pause(_TICK_SECONDS)
                continue
            if await self._turn(chore):
                last_good = time.monotonic()
                await self._pause(chore.every.total_seconds())
            else:
                await self._pause(max(_REST_SECONDS, min(chore.every.total_seconds(), 30.0)))

    async def _turn(self, chore: Chore) -> bool:
        loop = self._chores[chore.name]
        loop.beat()
        try:
            await timed(chore, self.metrics)
        except OUTAGES as error:
            self.metrics.housekeeping.turns.of(chore.name, "outage").inc()
            self._in_trouble(chore.name, error, loop.condition)
            return False
        except Exception as error:  # a bug in one chore stops no other; it is counted and makes us not ready
            self.metrics.housekeeping.turns.of(chore.name, "bug").inc()
            name = type(error).__name__
            loop.trouble(chore.name, f"{chore.name}: {name}", error=name)
            log.exception("chore_broke", chore=chore.name)
            return False
        loop.well(chore.name)
        return True

    def _in_trouble(self, what: str, error: Exception, condition: Condition) -> None:
        # Their texts may hold addresses of servers, but nothing of a person's.
        reason = f"{type(error).__name__}: {error}"[:200]
        condition.trouble(what, f"{what}: {reason}", error=type(error).__name__)
        log.warning("chore_waits", chore=what, reason=reason)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ending.wait(), seconds)

    async def _hear(self) -> None:
        """Tells the loop of `stop`, which is set by a signal or another thread."""
        while not await asyncio.to_thread(self._stop.wait, _TICK_SECONDS):
            pass
        self._ending.set()

    async def _beat(self, loop: Loop) -> None:
        while True:
            loop.beat()
            await asyncio.sleep(_BEAT_SECONDS)


async def once(settings: Settings, stop: threading.Event, makers: Sequence[Maker]) -> dict[str, Done]:
    """One turn of each, in order, and what each did; raises SomebodyElse, and what a turn raises."""
    metrics = Metrics()
    async with AsyncExitStack() as stack:
        lead = Lead(lambda: connection(settings))
        stack.callback(lead.close)
        if not await asyncio.to_thread(lead.held):
            raise SomebodyElse
        tools = await stack.enter_async_context(opened(settings, metrics, stop))
        chores = [maker(tools) for maker in makers]
        return {chore.name: await timed(chore, metrics) for chore in chores}


async def timed(chore: Chore, metrics: Metrics) -> Done:
    """One turn, measured; raises what it raises."""
    with metrics.housekeeping.seconds.of(chore.name).time():
        done = await chore.turn()
    metrics.housekeeping.turns.of(chore.name, "done").inc()
    for what, count in done.items():
        metrics.housekeeping.done.of(chore.name, what).inc(count)
    if any(done.values()):
        log.info("chore_done", chore=chore.name, **done)
    return done

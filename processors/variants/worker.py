"""One worker, put together once: what it needs in the order in which it can be had, and how it ends."""

import asyncio
import contextlib
import signal
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Final, NoReturn

import structlog

from adapters.clock import SystemClock
from adapters.failpoints import Failpoints
from adapters.settings import Settings
from adapters.telemetry import Loops, Metrics, serve_metrics
from processors.appender import Appender
from processors.dead_letter_limit import DeadLetterLimit
from processors.faust_app.member import GroupMember
from processors.faust_app.slots import hold_slot
from processors.faust_app.worker_member import beating, instance_id, member_of, show_stops
from processors.health import Health
from processors.journal import Journal
from processors.look_ahead.follower import KafkaLookAhead
from processors.look_ahead.log_tail import KafkaTail
from processors.memory import keep_what_is_loaded
from processors.outages import Waits
from processors.reactor import Parts, Reactor
from processors.retries import Retries
from processors.room import Room
from processors.stopping import Stop
from processors.variants.dependencies import Dependencies, Reach
from processors.variants.processor import Tools, VariantsProcessor
from schemas.codec import Codec

# Beside those that the children render: one whose original is fetched, two whose variants are stored.
_JOBS_BESIDE_THE_CHILDREN: Final = 3
# Small pictures are rendered faster than store and log answer; large ones would cost memory.
_SMALL_JOBS: Final = 8
_SMALL_JOBS_BYTES: Final = 4 * 1024 * 1024
# Of each partition, so that whoever has one upload need not wait for those that stand before it in the log.
# Records only: what they are about is fetched when it is their turn.
RECORDS_IN_HAND: Final = 128

log = structlog.get_logger(__name__)


class Worker:
    """A worker for one lane. `leave` ends the process at once, `stop` says when it is to end in order."""

    def __init__(
        self, settings: Settings, *, lane: str, stop: Stop, leave: Callable[[str], NoReturn]
    ) -> None:
        self._settings = settings
        self._lane = lane
        self._stop = stop
        self._leave = leave
        self._group = f"{settings.kafka.topic_prefix}.variants" + ("" if lane == "live" else f"-{lane}")
        self._instance_id = instance_id(settings, self._group)
        self._metrics = Metrics()
        self._health = Health()
        self._failpoints = Failpoints(settings.runtime.failpoints)
        component = VariantsProcessor.component if lane == "live" else lane
        self._loops = Loops(component, settings.runtime.heartbeat_limit, self._metrics.loops)
        self._loop = self._loops.expect("worker")
        self._waits = Waits(self._loop)
        self._limit = DeadLetterLimit(VariantsProcessor.component, self._loop)
        self._stack = contextlib.AsyncExitStack()
        self._reactor: Reactor | None = None
        self._member: GroupMember | None = None

    async def start(self) -> None:
        """Returns once the worker takes records; raises the refusals of what it is made of."""
        settings = self._settings
        # Before anything is waited for: until it is heard, the signal would end the process.
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGUSR1, self._limit.go_on)
        slot = hold_slot(settings.runtime.state_dir, self._group, settings.worker.slot)
        self._stack.callback(slot.release)
        server = serve_metrics(
            settings,
            self._metrics,
            loops=self._loops,
            ready=self._health.ready,
            details=self._health.details,
        )
        self._stack.callback(server.close)
        beats = asyncio.create_task(beating(self._loop))
        self._stack.callback(beats.cancel)
        reach = Reach(
            settings=settings,
            lane=self._lane,
            stop=self._stop,
            stage=self._health.stage,
            metrics=self._metrics,
            loops=self._loops,
            stack=self._stack,
            heard=partial(self._limit.hear, loop),
        )
        outside = await reach.all()
        self._show_sandbox(outside)
        self._health.check(self._limit.trouble)
        show_stops(self._limit, self._metrics.worker)
        look_ahead = self._look_ahead(outside.codec)
        self._reactor = self._make_reactor(outside, look_ahead)
        self._member = self._make_member(self._reactor, look_ahead)
        self._health.stage("joining the consumer group")
        await self._member.start()
        keep_what_is_loaded()
        self._health.stage(None)
        log.info("worker_started", group=self._group, instance_id=self._instance_id, port=server.port)

    async def end(self) -> None:
        """Takes no more, lets work end within the grace period, says what was cut, lets go of everything."""
        self._health.stage("stopping")
        if self._reactor is not None:
            await self._reactor.drain(self._settings.worker.shutdown_grace.total_seconds())
        if self._member is not None:
            await self._member.stop(for_good=self._stop.for_good)
        await self._stack.aclose()

    def _show_sandbox(self, outside: Dependencies) -> None:
        status = outside.sandbox.status
        self._metrics.worker.sandbox_mode.of(status.mode).set(1)
        self._health.detail("sandbox", lambda: {"mode": status.mode, "reason": status.reason})

    def _look_ahead(self, codec: Codec) -> KafkaLookAhead:
        kafka = self._settings.kafka
        look_ahead = KafkaLookAhead(
            lambda: KafkaTail(kafka.client(), group=self._group, topic=kafka.topics.assets),
            codec.decode,
            metrics=self._metrics.worker,
            loop=self._loops.expect("look-ahead"),
            died=lambda error: self._leave(f"the look-ahead died: {type(error).__name__}: {error}"),
        )
        self._stack.callback(look_ahead.close)
        look_ahead.start()
        self._metrics.worker.lag.of().set_function(look_ahead.lag)
        self._health.check(lambda: None if look_ahead.all_open() else "looking ahead in the log")
        return look_ahead

    def _processor(self, outside: Dependencies, journal: Journal) -> VariantsProcessor:
        return VariantsProcessor(
            Tools(
                store=outside.store,
                keys=outside.keys,
                presets=outside.presets,
                renderer=outside.sandbox,
                journal=journal,
                clock=SystemClock(),
                failpoints=self._failpoints,
                keep_position=self._settings.worker.keep_position,
            )
        )

    def _make_reactor(self, outside: Dependencies, look_ahead: KafkaLookAhead) -> Reactor:
        clock, journal = SystemClock(), Journal(self._metrics.worker)
        processor = self._processor(outside, journal)
        appender = Appender(
            log=outside.log,
            dead_letters=outside.dead_letters,
            look_ahead=look_ahead,
            clock=clock,
            source=processor.source,
            component=processor.component,
            retried=journal.append_retried,
            limit=self._limit,
            waits=self._waits,
            encoder=" ".join(f"{name} {value}" for name, value in asdict(outside.sandbox.encoder).items()),
        )
        budget = self._settings.worker.outage_budget.total_seconds()
        parts = Parts(
            codec=outside.codec,
            appender=appender,
            look_ahead=look_ahead,
            journal=journal,
            clock=clock,
            failpoints=self._failpoints,
            retries=lambda: Retries(budget=budget, retried=journal.retried, waits=self._waits),
            limit=self._limit,
            room=Room(
                jobs=self._settings.worker.children + _JOBS_BESIDE_THE_CHILDREN,
                small=_SMALL_JOBS,
                size=_SMALL_JOBS_BYTES,
            ),
            leave=self._leave,
            lane=self._lane,
            worker=f"variants-{self._settings.worker.slot}",
        )
        return Reactor(processor, parts)

    def _make_member(self, reactor: Reactor, look_ahead: KafkaLookAhead) -> GroupMember:
        member = member_of(
            self._settings,
            self._group,
            reactor=reactor,
            look_ahead=look_ahead,
            metrics=self._metrics.worker,
            leave=self._leave,
            waits=self._waits,
            in_hand=RECORDS_IN_HAND,
        )
        self._stack.push_async_callback(member.close)
        self._health.check(member.trouble)
        return member

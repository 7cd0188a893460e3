"""One worker, put together once: what it needs in the order in which it can be had, and how it ends."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final, NoReturn

import faust
import structlog

from adapters.clock import SystemClock
from adapters.failpoints import Failpoints
from adapters.settings import Settings
from adapters.telemetry import Heartbeats, Metrics, serve_metrics
from processors.appender import Appender
from processors.brokers import broker_list, credentials
from processors.hand import Hand
from processors.health import Health
from processors.journal import Journal
from processors.log_tail import KafkaTail
from processors.look_ahead import LookAhead
from processors.membership import Membership
from processors.patience import Patience
from processors.reactor import Parts, Reactor
from processors.shell import ShellConfig, build_app
from processors.slots import hold_slot
from processors.stopping import Stop
from processors.variants.outside import Outside, Reach
from processors.variants.processor import Tools, VariantsProcessor
from processors.watchdog import Watch, Watchdog
from schemas.codec import Codec
from schemas.envelope import RawRecord

# Beside those that the children render: one whose original is fetched, one whose variants are stored.
_JOBS_BESIDE_THE_CHILDREN: Final = 2
_BEAT_SECONDS: Final = 1.0
_ASK_SECONDS: Final = 5.0
_FAUST_STOP_SECONDS: Final = 3.0

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
        self._instance_id = f"{self._group}-{settings.worker.slot}"
        self._metrics = Metrics()
        self._health = Health()
        self._watch = Watch()
        self._failpoints = Failpoints(settings.runtime.failpoints)
        self._heartbeats = Heartbeats(settings.runtime.heartbeat_limit, self._metrics.loops)
        self._stack = contextlib.AsyncExitStack()
        self._reactor: Reactor | None = None
        self._app: faust.App | None = None

    async def start(self) -> None:
        """Returns once the worker takes records; raises the refusals of what it is made of."""
        settings = self._settings
        slot = hold_slot(settings.runtime.state_dir, self._group, settings.worker.slot)
        self._stack.callback(slot.release)
        server = serve_metrics(
            settings,
            self._metrics,
            live=self._heartbeats.stuck,
            ready=self._health.ready,
            details=self._health.details,
        )
        self._stack.callback(server.close)
        beating = asyncio.create_task(_beat(self._heartbeats.expect("worker")))
        self._stack.callback(beating.cancel)
        reach = Reach(
            settings=settings,
            stop=self._stop,
            stage=self._health.stage,
            metrics=self._metrics,
            heartbeats=self._heartbeats,
            stack=self._stack,
        )
        outside = await reach.all()
        self._show_sandbox(outside)
        knowledge = self._look_ahead(outside.codec)
        self._reactor = self._make_reactor(outside, knowledge)
        self._health.stage("joining the consumer group")
        await self._join(self._reactor, knowledge)
        self._health.stage(None)
        log.info("worker_started", group=self._group, instance_id=self._instance_id, port=server.port)

    async def end(self) -> None:
        """Takes no more, lets work end within the grace period, says what was cut, lets go of everything."""
        self._health.stage("stopping")
        if self._reactor is not None:
            await self._reactor.drain(self._settings.worker.shutdown_grace.total_seconds())
        if self._app is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._app.stop(), _FAUST_STOP_SECONDS)
        await self._stack.aclose()

    def _show_sandbox(self, outside: Outside) -> None:
        status = outside.sandbox.status
        self._metrics.worker.sandbox_mode.of(status.mode).set(1)
        self._health.detail("sandbox", lambda: {"mode": status.mode, "reason": status.reason})

    def _look_ahead(self, codec: Codec) -> LookAhead:
        kafka = self._settings.kafka
        knowledge = LookAhead(
            lambda: KafkaTail(kafka.client(), group=self._group, topic=kafka.topics.assets),
            codec.decode,
            metrics=self._metrics.worker,
            beat=self._heartbeats.expect("look-ahead"),
            died=lambda error: self._leave(f"the look-ahead died: {type(error).__name__}: {error}"),
        )
        self._stack.callback(knowledge.close)
        knowledge.start()
        self._metrics.worker.lag.of().set_function(knowledge.lag)
        self._health.check(lambda: None if knowledge.all_open() else "looking ahead in the log")
        return knowledge

    def _make_reactor(self, outside: Outside, knowledge: LookAhead) -> Reactor:
        clock, journal = SystemClock(), Journal(self._metrics.worker)
        processor = VariantsProcessor(
            Tools(
                store=outside.store,
                keys=outside.keys,
                presets=outside.presets,
                renderer=outside.sandbox,
                journal=journal,
                clock=clock,
                failpoints=self._failpoints,
            )
        )
        appender = Appender(
            log=outside.log,
            dead_letters=outside.dead_letters,
            knowledge=knowledge,
            clock=clock,
            source=processor.source,
            component=processor.component,
            retried=journal.append_retried,
        )
        budget = self._settings.worker.outage_budget.total_seconds()
        parts = Parts(
            codec=outside.codec,
            appender=appender,
            knowledge=knowledge,
            journal=journal,
            clock=clock,
            failpoints=self._failpoints,
            patience=lambda: Patience(budget=budget, retried=journal.retried),
            room=asyncio.Semaphore(self._settings.worker.children + _JOBS_BESIDE_THE_CHILDREN),
            leave=self._leave,
            lane=self._lane,
            worker=f"variants-{self._settings.worker.slot}",
        )
        return Reactor(processor, parts)

    async def _join(self, reactor: Reactor, knowledge: LookAhead) -> None:
        """Joins the group; from then on somebody watches that we are in it and get on."""
        settings, kafka = self._settings, self._settings.kafka

        async def take(record: RawRecord, hand: Hand) -> bool:
            self._watch.progressed()
            settled = await reactor.take(record, hand)
            if settled:
                knowledge.handled(record.partition, record.offset)
            self._watch.progressed()
            return settled

        def assigned(partitions: frozenset[int]) -> None:
            self._watch.assigned()
            knowledge.assigned(partitions)
            self._metrics.worker.assignments.of().inc()
            self._metrics.worker.assigned_partitions.of().set(len(partitions))
            log.info("partitions_assigned", partitions=sorted(partitions))

        config = ShellConfig(
            brokers=broker_list(kafka),
            credentials=credentials(kafka),
            group=self._group,
            instance_id=self._instance_id,
            topic=kafka.topics.assets,
            session=settings.worker.session.total_seconds(),
            folder=settings.runtime.state_dir / "faust",
        )
        self._app = app = build_app(config, take=take, assigned=assigned)
        await app.start()
        membership = Membership(kafka, group=self._group, client_id=self._instance_id)
        asking = asyncio.create_task(_ask(membership, self._watch))
        self._stack.push_async_callback(membership.close)
        self._stack.callback(asking.cancel)

        def look() -> str | None:
            if app.crashed:
                return f"the Faust app crashed: {app.crash_reason!r}"
            return self._watch.seen(lag=knowledge.lag(), in_hand=reactor.in_hand)

        self._health.check(self._watch.trouble)
        watchdog = Watchdog(look, leave=self._leave)
        self._stack.callback(watchdog.close)
        watchdog.start()


async def _ask(membership: Membership, watch: Watch) -> None:
    while True:
        watch.told(await membership.known())
        await asyncio.sleep(_ASK_SECONDS)


async def _beat(beat: Callable[[], None]) -> None:
    while True:
        beat()
        await asyncio.sleep(_BEAT_SECONDS)

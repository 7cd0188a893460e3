"""One purge worker, put together once: to operators it looks like any other worker."""

import asyncio
import contextlib
import signal
from collections.abc import Callable
from functools import partial
from typing import NoReturn

import structlog

from adapters.clock import SystemClock
from adapters.dead_letters import KafkaDeadLetters
from adapters.failpoints import Failpoints
from adapters.object_store import S3ObjectStore
from adapters.operations import KafkaPresetSets
from adapters.schema_registry import load_codec
from adapters.settings import Settings
from adapters.telemetry import Loops, Metrics, serve_metrics
from adapters.topics import require_topics
from processors.dead_letter_limit import DeadLetterLimit
from processors.faust_app.member import GroupMember
from processors.faust_app.slots import hold_slot
from processors.faust_app.worker_member import beating, instance_id, member_of, show_stops
from processors.health import Health
from processors.journal import Journal
from processors.look_ahead.follower import KafkaLookAhead
from processors.look_ahead.log_tail import KafkaTail
from processors.outages import Waits
from processors.purge.first_look import FirstLook, Overheard
from processors.purge.group import COMPONENT, purge_group
from processors.purge.reactor import Parts, PurgeReactor
from processors.retries import Retries
from processors.stopping import Stop
from schemas.codec import Codec

log = structlog.get_logger(__name__)


class PurgeWorker:
    """A purge worker. `leave` ends the process at once, `stop` says when it is to end in order."""

    def __init__(self, settings: Settings, *, stop: Stop, leave: Callable[[str], NoReturn]) -> None:
        self._settings = settings
        self._stop = stop
        self._leave = leave
        self._group = purge_group(settings.kafka.topic_prefix)
        self._instance_id = instance_id(settings, self._group)
        self._metrics = Metrics()
        self._journal = Journal(self._metrics.worker)
        self._health = Health()
        self._loops = Loops(COMPONENT, settings.runtime.heartbeat_limit, self._metrics.loops)
        self._loop = self._loops.expect("worker")
        self._waits = Waits(self._loop)
        self._limit = DeadLetterLimit(COMPONENT, self._loop)
        self._stack = contextlib.AsyncExitStack()
        self._reactor: PurgeReactor | None = None
        self._member: GroupMember | None = None

    async def start(self) -> None:
        """Returns once the worker takes records; raises the refusals of what it is made of."""
        settings = self._settings
        # Before anything is waited for: until it is heard, the signal would end the process.
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, self._limit.go_on)
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
        codec = await self._codec()
        store = S3ObjectStore(settings.store, metrics=self._metrics.store)
        self._stack.push_async_callback(store.close)
        letters = KafkaDeadLetters(settings.kafka, metrics=self._metrics.log)
        self._stack.callback(letters.close)
        self._health.check(self._limit.trouble)
        show_stops(self._limit, self._metrics.worker)
        self._listen(codec)
        self._reactor = self._make_reactor(codec, store, letters)
        self._member = self._make_member(self._reactor, self._look_ahead(codec, store))
        self._health.stage("joining the consumer group")
        await self._member.start()
        self._health.stage(None)
        log.info("worker_started", group=self._group, instance_id=self._instance_id, port=server.port)

    async def end(self) -> None:
        """Takes no more, lets go of what is in hand, and of everything else."""
        self._health.stage("stopping")
        if self._reactor is not None:
            await self._reactor.drain()
        if self._member is not None:
            await self._member.stop(for_good=self._stop.for_good)
        await self._stack.aclose()

    async def _codec(self) -> Codec:
        self._health.stage("waiting for the brokers and their topics")
        await asyncio.to_thread(require_topics, self._settings, stop=self._stop.in_threads)
        self._health.stage("waiting for the schema registry")
        return await asyncio.to_thread(load_codec, self._settings, stop=self._stop.in_threads)

    def _listen(self, codec: Codec) -> None:
        """Hears operators who say that it may go on."""
        operations = KafkaPresetSets(
            self._settings.kafka,
            codec,
            component=COMPONENT,
            loop=self._loops.expect("operators"),
            heard=partial(self._limit.hear, asyncio.get_running_loop()),
        )
        self._stack.callback(operations.close)
        operations.start()

    def _look_ahead(self, codec: Codec, store: S3ObjectStore) -> KafkaLookAhead:
        """Follows the log to its end: it tells the first look of purges, and everybody the lag."""
        kafka = self._settings.kafka
        first = FirstLook(store, codec, self._journal)
        self._stack.push_async_callback(first.close)
        look_ahead = KafkaLookAhead(
            lambda: Overheard(
                KafkaTail(kafka.client(), group=self._group, topic=kafka.topics.assets), first.heard
            ),
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

    def _make_reactor(self, codec: Codec, store: S3ObjectStore, letters: KafkaDeadLetters) -> PurgeReactor:
        worker = self._settings.worker
        budget = worker.outage_budget.total_seconds()
        parts = Parts(
            store=store,
            codec=codec,
            letters=letters,
            journal=self._journal,
            clock=SystemClock(),
            failpoints=Failpoints(self._settings.runtime.failpoints),
            retries=lambda: Retries(budget=budget, retried=self._journal.retried, waits=self._waits),
            limit=self._limit,
            longest_job=self._settings.longest_job,
            leave=self._leave,
        )
        return PurgeReactor(parts)

    def _make_member(self, reactor: PurgeReactor, look_ahead: KafkaLookAhead) -> GroupMember:
        member = member_of(
            self._settings,
            self._group,
            reactor=reactor,
            look_ahead=look_ahead,
            metrics=self._metrics.worker,
            leave=self._leave,
            waits=self._waits,
        )
        self._stack.push_async_callback(member.close)
        self._health.check(member.trouble)
        return member

"""The process that erases: looks what is asked for, and takes each erasure a step further, for ever."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import Final
from uuid import UUID

import psycopg
import structlog
from confluent_kafka import KafkaException

from adapters import read_store
from adapters.clock import SystemClock
from adapters.event_log import AppendFailed, KafkaEventLog
from adapters.failpoints import Failpoints
from adapters.object_store import S3ObjectStore
from adapters.object_store.protocol import StoreError
from adapters.schema_registry import load_codec
from adapters.settings import Settings
from adapters.subject_keys import Custody, KafkaSubjectKeys
from adapters.telemetry import Loop, Loops, Metrics, serve_metrics
from adapters.topics import require_topics
from ops.erasures import receipt, rows
from ops.erasures.erasing import SOURCE, Erasing, Tools
from ops.erasures.rows import Conn
from ops.subjects.key_records import TopicUnread
from projections.erasures.queries import ErasureRow
from projections.topic import TopicMissing, WrongPartitions

COMPONENT: Final = "erasures"
_START: Final = "start"
_STEPS: Final = "steps"
_LOOK_EVERY_SECONDS: Final = 1.0
_CATCH_UP_SECONDS: Final = 10.0
_OUTAGES: Final = (
    AppendFailed,
    KafkaException,
    StoreError,
    TopicMissing,
    TopicUnread,
    WrongPartitions,
    psycopg.Error,
)

log = structlog.get_logger(__name__)


class Runner:
    """Takes erasures to their ends; `stop` ends it between two steps."""

    def __init__(self, settings: Settings, stop: threading.Event) -> None:
        self._settings = settings
        self._stop = stop
        self._metrics = Metrics()
        self._active: dict[UUID, Erasing] = {}
        self._done: set[UUID] = set()
        self._loops = Loops(COMPONENT, settings.runtime.heartbeat_limit, self._metrics.loops)
        self._loop = self._loops.expect(COMPONENT)
        self._loop.trouble(_START, "starting")

    async def run(self, *, until_done: bool = False) -> None:
        """Runs until told to stop, or until nothing is left to do; raises what refuses at a start."""
        async with AsyncExitStack() as stack:
            server = serve_metrics(
                self._settings, self._metrics, loops=self._loops, ready=self._loops.condition.reason
            )
            stack.callback(server.close)
            beating = asyncio.create_task(_beat(self._loop))
            stack.callback(beating.cancel)
            tools = await self._tools(stack)
            log.info("erasures_started", port=server.port)
            self._begin(await asyncio.to_thread(self._undone, tools), tools)
            while not self._stop.is_set():
                left = await self._look(tools)
                if until_done and left == 0:
                    return
                await asyncio.to_thread(self._stop.wait, _LOOK_EVERY_SECONDS)

    async def _look(self, tools: Tools) -> int | None:
        """One step of every erasure; returns how many are under way, None where that can't be told."""
        try:
            asked = await asyncio.to_thread(self._under_way)
        except psycopg.Error as error:
            self._in_trouble(error)
            return None
        self._begin(asked, tools)
        self._metrics.erasures.under_way.of().set(len(self._active))
        for erasure_id in list(self._active):
            if self._stop.is_set():
                break
            await self._step(erasure_id)
        return len(self._active)

    async def _step(self, erasure_id: UUID) -> None:
        try:
            waiting = await self._active[erasure_id].step()
        except _OUTAGES as error:
            self._in_trouble(error, str(erasure_id))
            return
        self._loop.well(str(erasure_id))
        if waiting is not None:
            log.info("erasure_waits", erasure_id=str(erasure_id), waits_for=waiting)
            return
        del self._active[erasure_id]
        self._done.add(erasure_id)
        self._metrics.erasures.completed.of().inc()
        log.info("erasure_completed", erasure_id=str(erasure_id))

    def _begin(self, erasures: list[ErasureRow], tools: Tools) -> None:
        for erasure in erasures:
            if erasure.erasure_id not in self._active:
                self._active[erasure.erasure_id] = Erasing(erasure, tools)
                log.info("erasure_begins", erasure_id=str(erasure.erasure_id))

    def _undone(self, tools: Tools) -> list[ErasureRow]:
        """Erasures that were completed and yet have a living key: the key topic came from a back-up."""
        while not self._stop.is_set():
            try:
                tools.custody.wait_until_current(_CATCH_UP_SECONDS)
                with _connection(self._settings) as conn:
                    found = rows.completed(conn)
            except (AppendFailed, psycopg.Error) as error:
                self._in_trouble(error)
                self._stop.wait(_LOOK_EVERY_SECONDS)
            else:
                return [each for each in found if any(map(tools.custody.living, each.users))]
        return []

    def _under_way(self) -> list[ErasureRow]:
        with _connection(self._settings) as conn:
            found = rows.under_way(conn)
        self._loop.well(_STEPS)
        # One that was just completed stands there until the projection has heard of it.
        return [erasure for erasure in found if erasure.erasure_id not in self._done]

    def _in_trouble(self, error: Exception, what: str = _STEPS) -> None:
        # Their texts may hold addresses, but nothing of a person's.
        name = type(error).__name__
        reason = f"{name}: {error}"[:200]
        self._loop.trouble(what, reason, error=name)
        log.warning("erasures_stand_still", reason=reason)

    async def _tools(self, stack: AsyncExitStack) -> Tools:
        settings = self._settings
        self._loop.trouble(_START, "waiting for the brokers and their topics")
        await asyncio.to_thread(require_topics, settings, stop=self._stop)
        self._loop.trouble(_START, "waiting for the schema registry")
        codec = await asyncio.to_thread(load_codec, settings, stop=self._stop)
        event_log = KafkaEventLog(settings.kafka, codec, metrics=self._metrics.log)
        stack.callback(event_log.close_sync)
        keys = KafkaSubjectKeys(
            settings,
            codec,
            event_log,
            component=COMPONENT,
            metrics=self._metrics.keys,
            loop=self._loops.expect("subject-keys"),
        )
        stack.callback(keys.close)
        keys.start()
        store = S3ObjectStore(settings.store, metrics=self._metrics.store)
        stack.push_async_callback(store.close)
        self._loop.well(_START)
        return Tools(
            kafka=settings.kafka,
            codec=codec,
            log=event_log,
            custody=Custody(keys, event_log, settings.secrets.master_keys, source=SOURCE),
            store=store,
            connect=lambda: _connection(settings),
            signing_key=receipt.receipt_key(settings.secrets.id_key),
            clock=SystemClock(),
            failpoints=Failpoints(settings.runtime.failpoints),
        )


@contextmanager
def _connection(settings: Settings) -> Iterator[Conn]:
    with contextlib.closing(read_store.connect(settings, COMPONENT)) as conn:
        conn.autocommit = True
        yield conn


async def _beat(loop: Loop) -> None:
    while True:
        loop.beat()
        await asyncio.sleep(_LOOK_EVERY_SECONDS)

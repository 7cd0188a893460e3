"""The systems around the worker, reached in turn: what is away is waited for, what is wrong is refused."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from adapters.dead_letters import KafkaDeadLetters
from adapters.event_log import KafkaEventLog
from adapters.object_store import S3ObjectStore
from adapters.operations import KafkaPresetSets
from adapters.schema_registry import load_codec
from adapters.settings import Settings
from adapters.subject_keys import KafkaSubjectKeys
from adapters.telemetry import Loops, Metrics
from adapters.topics import require_topics
from processors.imaging.contract import Limits
from processors.sandbox import Sandbox
from processors.stopping import Stop
from schemas.codec import Codec
from schemas.events import Event

_COMPONENT = "variants"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependencies:
    """Everything the worker needs of others, each at work."""

    codec: Codec
    log: KafkaEventLog
    dead_letters: KafkaDeadLetters
    store: S3ObjectStore
    keys: KafkaSubjectKeys
    presets: KafkaPresetSets
    sandbox: Sandbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What reaching needs: `stage` is told what is waited for, `stack` ends what was begun.

    `heard` is called, from a thread, with what operators say later on.
    """

    settings: Settings
    lane: str
    stop: Stop
    stage: Callable[[str], None]
    metrics: Metrics
    loops: Loops
    stack: contextlib.AsyncExitStack
    heard: Callable[[Event], None] = lambda _event: None

    async def all(self) -> Dependencies:
        """Raises BrokerUnreachable and RegistryUnavailable when told to stop, and what each refuses."""
        codec = await self._codec()
        keys, presets = self._views(codec)
        sandbox = await self._sandbox()
        store = S3ObjectStore(self.settings.store, metrics=self.metrics.store)
        self.stack.push_async_callback(store.close)
        events = KafkaEventLog(self.settings.kafka, codec, metrics=self.metrics.log)
        self.stack.push_async_callback(events.close)
        letters = KafkaDeadLetters(self.settings.kafka, metrics=self.metrics.log)
        self.stack.callback(letters.close)
        await self._until_current(keys, presets)
        return Dependencies(
            codec=codec,
            log=events,
            dead_letters=letters,
            store=store,
            keys=keys,
            presets=presets,
            sandbox=sandbox,
        )

    async def _codec(self) -> Codec:
        self.stage("waiting for the brokers and their topics")
        await asyncio.to_thread(require_topics, self.settings, stop=self.stop.in_threads)
        self.stage("waiting for the schema registry")
        return await asyncio.to_thread(load_codec, self.settings, stop=self.stop.in_threads)

    async def _sandbox(self) -> Sandbox:
        self.stage("starting the sandbox")
        sandbox = sandbox_for(self.settings, self.lane)
        self.stack.push_async_callback(sandbox.close)
        await sandbox.start()
        return sandbox

    def _views(self, codec: Codec) -> tuple[KafkaSubjectKeys, KafkaPresetSets]:
        """Begins to read people's keys and the preset sets."""
        loop = self.loops.expect("subject-keys")
        keys = KafkaSubjectKeys(self.settings, codec, None, component=_COMPONENT, loop=loop)
        self.stack.callback(keys.close)
        keys.start()
        loop = self.loops.expect("preset-sets")
        presets = KafkaPresetSets(
            self.settings.kafka, codec, component=_COMPONENT, loop=loop, heard=self.heard
        )
        self.stack.callback(presets.close)
        presets.start()
        return keys, presets

    async def _until_current(self, keys: KafkaSubjectKeys, presets: KafkaPresetSets) -> None:
        """Before both are read to their ends, each unknown key and preset set would look like an outage."""
        self.stage("reading keys and preset sets to their ends")
        for wait in (keys.wait_until_current, presets.wait_until_current):
            while not await asyncio.to_thread(wait, 1.0):
                log.info("worker_waits", reason="reading keys and preset sets to their ends")


def sandbox_for(settings: Settings, lane: str = "live") -> Sandbox:
    """The sandbox that these settings describe for a lane, not yet started."""
    limits, worker = settings.limits, settings.worker
    times = settings.runs if lane == "bulk" else worker
    return Sandbox(
        children=worker.children,
        limits=Limits(
            max_pixels=limits.pixels,
            max_bytes=max(limits.form_bytes, limits.direct_bytes, limits.multipart_bytes),
            max_scans=limits.scans,
            max_frames=limits.frames,
        ),
        wall_seconds=times.job_timeout.total_seconds(),
        both_seconds=times.job_budget.total_seconds(),
        seccomp="required" if settings.seccomp_required else "preferred",
        yields=lane == "bulk",
    )

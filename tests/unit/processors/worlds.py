"""A worker's world in memory for unit tests: log, store, keys, presets, and a reactor around a processor."""

import hashlib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import NoReturn
from uuid import UUID, uuid4

from adapters.clock import FixedClock
from adapters.dead_letters import InMemoryDeadLetters
from adapters.event_log import InMemoryEventLog
from adapters.failpoints import Failpoints
from adapters.object_store import InMemoryObjectStore
from adapters.operations import InMemoryPresetSets
from adapters.sealing import seal_json
from adapters.subject_keys import InMemorySubjectKeys
from adapters.telemetry import Metrics
from processors.appender import Appender
from processors.dead_letter_limit import DeadLetterLimit
from processors.interruptible import Interruptible
from processors.jobs import Processor
from processors.journal import Journal
from processors.look_ahead.protocol import InMemoryLookAhead
from processors.reactor import Parts, Reactor
from processors.retries import Retries
from processors.room import Room
from schemas.envelope import Metadata, RawRecord
from schemas.events import AssetEvent, Event, PresetSetDefined, ProcessingFailed, UploadCompleted
from schemas.presets import DEFAULT_PRESETS, preset_set_hash

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
OWNER = UUID(int=7)
PRESET_SET = preset_set_hash(DEFAULT_PRESETS)


class Left(BaseException):
    """The process would have ended here."""


def leave(reason: str) -> NoReturn:
    raise Left(reason)


@dataclass
class World:
    """Everything a worker touches; `said` are the events that came out of it."""

    log: InMemoryEventLog = field(default_factory=InMemoryEventLog)
    dead_letters: InMemoryDeadLetters = field(default_factory=InMemoryDeadLetters)
    store: InMemoryObjectStore = field(default_factory=InMemoryObjectStore)
    keys: InMemorySubjectKeys = field(default_factory=InMemorySubjectKeys)
    presets: InMemoryPresetSets = field(default_factory=InMemoryPresetSets)
    look_ahead: InMemoryLookAhead = field(default_factory=InMemoryLookAhead)
    metrics: Metrics = field(default_factory=Metrics)
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW))
    limit: DeadLetterLimit = field(default_factory=lambda: DeadLetterLimit("variants"))
    outage_budget: float = 0.5
    lane: str = "live"
    requests: int = 0

    def __post_init__(self) -> None:
        self.presets.apply(
            PresetSetDefined(
                event_id=uuid4(), occurred_at=NOW, preset_set=PRESET_SET, presets=DEFAULT_PRESETS
            )
        )

    @property
    def journal(self) -> Journal:
        return Journal(self.metrics.worker)

    def reactor(self, processor: Processor, *, wait: float = 0.2) -> Reactor:
        appender = Appender(
            log=self.log,
            dead_letters=self.dead_letters,
            look_ahead=self.look_ahead,
            clock=self.clock,
            source=processor.source,
            component=processor.component,
            retried=self.journal.append_retried,
            limit=self.limit,
            retries=wait,
        )
        parts = Parts(
            codec=self.log.codec,
            appender=appender,
            look_ahead=self.look_ahead,
            journal=self.journal,
            clock=self.clock,
            failpoints=Failpoints(),
            retries=lambda: Retries(budget=self.outage_budget, retried=self.journal.retried),
            room=Room(jobs=4),
            limit=self.limit,
            leave=leave,
            lane=self.lane,
            worker="worker-0",
        )
        return Reactor(processor, parts)

    async def request(
        self,
        original: bytes = b"",
        *,
        sha256: str | None = None,
        stored: bool = True,
        owner: UUID = OWNER,
    ) -> UploadCompleted:
        """An upload that was completed, its original in the store and its digests sealed."""
        self.requests += 1
        asset_id = UUID(int=self.requests << 64)
        key_id = await self.keys.data_key(owner)
        object_key = f"assets/{asset_id}/original/nonce{self.requests}"
        if stored:
            await self.store.put(object_key, original, content_type="image/jpeg")
        digests = {"etag": "e", "sha256": sha256 or hashlib.sha256(original).hexdigest()}
        sealed = seal_json(self.keys, user_id=owner, key_id=key_id, field="sealed_digests", value=digests)
        return UploadCompleted(
            event_id=uuid4(),
            occurred_at=NOW,
            asset_id=asset_id,
            owner_id=owner,
            actor_id=owner,
            upload_id=uuid4(),
            job_id=uuid4(),
            object_key=object_key,
            size=len(original),
            content_type="image/jpeg",
            sealed_digests=sealed,
            data_key_id=key_id,
            preset_set=PRESET_SET,
            lane="live",
        )

    async def appended(self, event: AssetEvent, correlation_id: UUID | None = None) -> RawRecord:
        """The event as a record of the log."""
        await self.log.append(event, Metadata(correlation_id=correlation_id or uuid4(), source="/api"))
        return self.log.records[-1]

    def said(self) -> list[Event]:
        """The events of the log that workers said."""
        return [event for event in self.log.events() if not isinstance(event, UploadCompleted)]

    def names(self) -> list[str]:
        return [type(event).__name__ for event in self.said()]

    def failures(self) -> list[ProcessingFailed]:
        return [event for event in self.said() if isinstance(event, ProcessingFailed)]


async def take(reactor: Reactor, record: RawRecord) -> bool:
    """One record through the reactor, never interrupted."""
    return await reactor.take(record, Interruptible())


def altered(record: RawRecord, value: bytes | None) -> RawRecord:
    """The record with other bytes."""
    return replace(record, value=value)

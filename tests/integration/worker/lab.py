"""What tests of the worker do to the real servers: upload, append, poison, and read what came of it."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

from confluent_kafka import Producer

from adapters.event_log import KafkaEventLog, LogUnavailable, OutcomeUnknown
from adapters.object_store import S3ObjectStore
from adapters.schema_registry import load_codec
from adapters.sealing import seal_json
from adapters.settings import Settings
from adapters.subject_keys import KafkaSubjectKeys
from adapters.telemetry import Metrics
from processors.look_ahead.log_tail import KafkaTail, TailLost
from schemas.decode_errors import DecodeError, UnknownEventType
from schemas.envelope import Metadata, RawRecord, read_headers
from schemas.events import (
    Event,
    ProcessingFailed,
    ProcessingStarted,
    UploadCompleted,
    VariantsReady,
)
from schemas.partitioner import partition_for
from schemas.presets import DEFAULT_PRESETS, preset_set_hash
from tests.photographs import photograph

OWNER = UUID(int=0xADA)
PRESET_SET = preset_set_hash(DEFAULT_PRESETS)


class Reader:
    """Reads a topic from its beginning, as far as it goes each time it is asked."""

    def __init__(self, settings: Settings, topic: str) -> None:
        self._settings, self._topic = settings, topic
        self._begin()

    def _begin(self) -> None:
        kafka = self._settings.kafka
        self._tail = KafkaTail(kafka.client(), group=f"reader-{uuid4()}", topic=self._topic)
        self._next = dict.fromkeys(range(kafka.partitions), 0)
        self._tail.follow(self._next)
        self.records: list[RawRecord] = []

    def read(self) -> list[RawRecord]:
        """All records that the log has when asked; read anew where the client went deaf."""
        deadline = time.monotonic() + 60
        while True:
            try:
                return self._read(deadline)
            except TailLost:
                assert time.monotonic() < deadline, f"{self._topic} can't be read"
                self._tail.close()
                self._begin()

    def _read(self, deadline: float) -> list[RawRecord]:
        ends = {partition: span.end for partition, span in self._tail.spans(self._next).items()}
        while any(self._next[partition] < end for partition, end in ends.items()):
            assert time.monotonic() < deadline, f"{self._topic} is read to {self._next} of {ends}"
            for record in self._tail.read(0.5):
                self.records.append(record)
                self._next[record.partition] = record.offset + 1
        return self.records

    def close(self) -> None:
        self._tail.close()


class Lab:
    """One namespace's log, store and keys, as the doors would use them. Belongs to one event loop."""

    def __init__(self, settings: Settings) -> None:
        metrics = Metrics()
        self.settings = settings
        self.codec = load_codec(settings)
        self.log = KafkaEventLog(settings.kafka, self.codec, metrics=metrics.log)
        self.store = S3ObjectStore(settings.store, metrics=metrics.store)
        self.keys = KafkaSubjectKeys(settings, self.codec, self.log, component="api")
        self.keys.start()
        self._assets = Reader(settings, settings.kafka.topics.assets)
        self._letters = Reader(settings, settings.kafka.topics.dead_letters)

    async def close(self) -> None:
        self._assets.close()
        self._letters.close()
        self.keys.close()
        await self.store.close()
        await self.log.close()

    async def request(
        self, data: bytes | None = None, *, owner: UUID = OWNER, partition: int | None = None
    ) -> UploadCompleted:
        """A completed upload, its original in place; not appended yet. Where it will stand may be chosen."""
        content = photograph(640, 480) if data is None else data
        asset_id = uuid4()
        while partition not in (None, self._partition_of(asset_id)):
            asset_id = uuid4()
        object_key = f"assets/{asset_id}/original/{uuid4().hex}"
        if content:
            await self.store.put(object_key, content, content_type="image/jpeg")
        key_id = await self.keys.data_key(owner)
        digests = {"etag": "unknown", "sha256": sha256(content).hexdigest()}
        return UploadCompleted(
            event_id=uuid4(),
            occurred_at=datetime.now(UTC),
            asset_id=asset_id,
            owner_id=owner,
            actor_id=owner,
            upload_id=uuid4(),
            job_id=uuid4(),
            object_key=object_key,
            size=len(content),
            content_type="image/jpeg",
            sealed_digests=seal_json(
                self.keys, user_id=owner, key_id=key_id, field="sealed_digests", value=digests
            ),
            data_key_id=key_id,
            preset_set=PRESET_SET,
            lane="live",
        )

    async def append(self, event: Event) -> None:
        """Appends, again under the same id where the broker has only just come back."""
        deadline = time.monotonic() + 60
        while True:
            try:
                await self.log.append(event, Metadata(correlation_id=uuid4(), source="/tests"))
            except (LogUnavailable, OutcomeUnknown):
                assert time.monotonic() < deadline, "the log stays away"
            else:
                return

    async def upload(self, data: bytes | None = None) -> UploadCompleted:
        """A completed upload, appended."""
        request = await self.request(data)
        await self.append(request)
        return request

    def append_raw(self, key: bytes, value: bytes | None, headers: dict[str, bytes] | None = None) -> None:
        """A record of any bytes, where its key belongs."""
        producer = Producer(self.settings.kafka.client() | {"linger.ms": 0})
        kafka = self.settings.kafka
        producer.produce(
            kafka.topics.assets,
            value=value,
            key=key,
            partition=partition_for(key, kafka.partitions),
            headers=list((headers or {}).items()),
        )
        assert producer.flush(20) == 0

    def records(self) -> list[RawRecord]:
        """Every record of the asset log so far."""
        return self._assets.read()

    def letters(self) -> list[RawRecord]:
        """Every dead letter so far."""
        return self._letters.read()

    def said(self, request: UploadCompleted) -> list[Event]:
        """What workers said of a request's job, in the log's order."""
        events = [self._decoded(record) for record in self.records()]
        return [
            event
            for event in events
            if event is not None
            and not isinstance(event, UploadCompleted)
            and getattr(event, "job_id", None) == request.job_id
        ]

    def story(self, request: UploadCompleted) -> list[str]:
        """The same in words: `started 1`, `VariantsReady 1`, `refused 1` …"""
        return [_word(event) for event in self.said(request)]

    async def until(self, condition: Callable[[], Any], seconds: float = 60.0) -> None:
        """Waits for the condition; it may read from the servers."""
        deadline = time.monotonic() + seconds
        while not await asyncio.to_thread(condition):
            assert time.monotonic() < deadline, "waited in vain"
            await asyncio.sleep(0.05)

    async def ended(self, *requests: UploadCompleted, seconds: float = 90.0) -> None:
        """Waits until each job has its end."""
        try:
            await self.until(lambda: all(_has_end(self.said(request)) for request in requests), seconds)
        except AssertionError:
            stories = [self.story(request) for request in requests]
            raise AssertionError(f"no end within {seconds} s: {stories}") from None

    @staticmethod
    def named(request: UploadCompleted, ready: VariantsReady) -> set[str]:
        """The keys that an asset's events name: original, manifest, variants, camera metadata."""
        made = {ready.manifest_key, *(variant.object_key for variant in ready.variants)}
        return {request.object_key, *made} | ({ready.metadata_key} if ready.metadata_key else set())

    async def objects(self, request: UploadCompleted) -> dict[str, int]:
        """The keys under the asset's prefix, and their sizes."""
        return {info.key: info.size async for info in self.store.list(f"assets/{request.asset_id}/")}

    def _partition_of(self, asset_id: UUID) -> int:
        return partition_for(str(asset_id).encode(), self.settings.kafka.partitions)

    def _decoded(self, record: RawRecord) -> Event | None:
        try:
            return self.codec.decode(record.value)
        except (DecodeError, UnknownEventType):
            return None


def _word(event: Event) -> str:
    match event:
        case ProcessingStarted():
            return f"started {event.attempt}"
        case ProcessingFailed():
            return f"{event.kind}({event.code}) {event.attempt}" + (" again" if event.will_retry else "")
        case _:
            return f"{type(event).__name__} {getattr(event, 'attempt', '')}"


def _has_end(said: list[Event]) -> bool:
    return any(
        type(event).__name__ == "VariantsReady"
        or (isinstance(event, ProcessingFailed) and not event.will_retry)
        for event in said
    )


def letter_of(record: RawRecord) -> dict[str, str]:
    """A dead letter's headers."""
    return read_headers(record.headers)


def again(request: UploadCompleted) -> UploadCompleted:
    """The same event once more, as an old duplicate would bring it."""
    return replace(request)

"""The event log on Kafka."""

import asyncio
import time
from concurrent.futures import Future
from typing import Final

from adapters.event_log.ends import log_ends
from adapters.event_log.producer import Outgoing, RecordProducer
from adapters.event_log.protocol import AppendFailed, LogUnavailable, OutcomeUnknown, RecordTooLarge
from adapters.settings import KafkaSettings
from adapters.telemetry.labels import Verdict
from adapters.telemetry.of_adapters import LogMetrics
from schemas.codec import Codec, OversizedEvent
from schemas.envelope import Metadata, headers_for, key_of, topic_of
from schemas.events import Event
from schemas.partitioner import partition_for
from schemas.positions import Position
from schemas.topics import MAX_RECORD_BYTES, topic_specs


class KafkaEventLog:
    """Appends with acks from all in-sync replicas, each record at most once by each producer.

    Connects in a thread of its own as soon as it is made. Safe to use from several event loops.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        codec: Codec,
        *,
        metrics: LogMetrics,
        append_timeout: float | None = None,
    ) -> None:
        """Every append ends within `append_timeout` seconds (KAFKA_APPEND_TIMEOUT where unset)."""
        specs = topic_specs(kafka.topic_prefix, kafka.partitions, kafka.replication)
        self._topics = kafka.topics
        self._partitions: Final = {
            spec.name: spec.partitions for spec in specs if spec.name != kafka.topics.dead_letters
        }
        self._client = kafka.client()
        self._codec = codec
        self._metrics = metrics
        self._producer = RecordProducer(
            kafka,
            partitions=self._partitions,
            timeout=append_timeout or kafka.append_timeout_seconds,
            max_bytes=MAX_RECORD_BYTES,
            restarted=metrics.producer_restarts.of().inc,
        )

    async def append(self, event: Event, metadata: Metadata) -> Position:
        """As the Protocol says.

        When cancelled it still waits for the verdict, so that nothing lands after it has returned.
        """
        began = time.perf_counter()
        verdict: Verdict = "unknown"
        try:
            position = await _awaited(self._producer.send(self._outgoing(event, metadata)))
            verdict = "acknowledged"
            self._metrics.append_seconds.of().observe(time.perf_counter() - began)
        except AppendFailed as error:
            verdict = _verdict(error)
            raise
        finally:
            self._metrics.appends.of(verdict).inc()
        return position

    def append_sync(self, event: Event, metadata: Metadata) -> Position:
        """The same for a thread without an event loop."""
        return self._producer.send(self._outgoing(event, metadata)).result()

    async def reachable(self) -> bool:
        """As the Protocol says."""
        return await asyncio.to_thread(self._producer.knock) is None

    async def ends(self, topic: str) -> dict[int, int]:
        """As the Protocol says; by a client of the moment, so it is for people and not for hot paths."""
        return await asyncio.to_thread(log_ends, self._client, topic)

    async def close(self) -> None:
        """As the Protocol says."""
        await asyncio.to_thread(self._producer.close)

    def close_sync(self) -> None:
        """The same for a thread without an event loop."""
        self._producer.close()

    def _outgoing(self, event: Event, metadata: Metadata) -> Outgoing:
        topic, key = topic_of(event, self._topics), key_of(event)
        try:
            value = self._codec.encode(event)
        except OversizedEvent as error:
            raise RecordTooLarge(str(error)) from error
        return Outgoing(
            topic=topic,
            partition=partition_for(key, self._partitions[topic]),
            key=key,
            value=value,
            headers=headers_for(event, metadata),
        )


async def _awaited(sent: Future[Position]) -> Position:
    waiting = asyncio.wrap_future(sent)
    try:
        return await asyncio.shield(waiting)
    except asyncio.CancelledError:
        await asyncio.wait({waiting})
        if not waiting.cancelled():
            waiting.exception()  # seen, so that asyncio does not complain of it
        raise


def _verdict(error: AppendFailed) -> Verdict:
    match error:
        case RecordTooLarge():
            return "too_large"
        case LogUnavailable():
            return "unavailable"
        case OutcomeUnknown():
            return "unknown"
        case _:
            raise error

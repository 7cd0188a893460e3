"""Dead letters on Kafka."""

import asyncio
from concurrent.futures import Future

from adapters.dead_letters.protocol import DeadLetterNotWritten, Reason, dead_letter_headers
from adapters.event_log.producer import Outgoing, RecordProducer
from adapters.event_log.protocol import AppendFailed
from adapters.settings import KafkaSettings
from adapters.telemetry.of_adapters import LogMetrics
from schemas.envelope import RawRecord
from schemas.partitioner import partition_for
from schemas.positions import Position
from schemas.topics import topic_specs


class KafkaDeadLetters:
    """Writes to the dead-letter topic, acknowledged by all in-sync replicas."""

    def __init__(self, kafka: KafkaSettings, *, metrics: LogMetrics) -> None:
        """Connects in a thread of its own as soon as it is made."""
        specs = topic_specs(kafka.topic_prefix, kafka.partitions, kafka.replication)
        spec = next(spec for spec in specs if spec.name == kafka.topics.dead_letters)
        self._topic, self._partitions = spec.name, spec.partitions
        self._metrics = metrics
        self._producer = RecordProducer(
            kafka,
            partitions={spec.name: spec.partitions},
            timeout=kafka.append_timeout_seconds,
            max_bytes=int(spec.config["max.message.bytes"]),
            restarted=metrics.producer_restarts.of().inc,
        )

    async def append(self, record: RawRecord, reason: Reason) -> None:
        """As the Protocol says."""
        try:
            await asyncio.wrap_future(self._send(record, reason))
        except AppendFailed as error:
            raise DeadLetterNotWritten(str(error)) from error
        self._metrics.dead_letters.of(reason.code).inc()

    def append_sync(self, record: RawRecord, reason: Reason) -> None:
        """As the Protocol says."""
        try:
            self._send(record, reason).result()
        except AppendFailed as error:
            raise DeadLetterNotWritten(str(error)) from error
        self._metrics.dead_letters.of(reason.code).inc()

    def close(self) -> None:
        """As the Protocol says."""
        self._producer.close()

    def _send(self, record: RawRecord, reason: Reason) -> Future[Position]:
        outgoing = Outgoing(
            topic=self._topic,
            partition=partition_for(record.key or b"", self._partitions),
            key=record.key,
            value=record.value,
            headers=dead_letter_headers(record, reason),
        )
        return self._producer.send(outgoing)

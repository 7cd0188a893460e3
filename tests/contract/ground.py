"""What contract suites share: events to append, topics on a real broker, and reading records back."""

import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from uuid import UUID, uuid4

from confluent_kafka import Consumer, Message, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from adapters.settings import KafkaSettings
from schemas.envelope import Metadata, RawRecord
from schemas.events import UploadRequested
from schemas.positions import Position
from schemas.topics import topic_specs


def upload_requested(asset_id: UUID | None = None, *, words: bytes = b"sealed") -> UploadRequested:
    """An event with nothing special about it."""
    now = datetime.now(UTC)
    owner = uuid4()
    return UploadRequested(
        event_id=uuid4(),
        occurred_at=now,
        asset_id=asset_id or uuid4(),
        owner_id=owner,
        actor_id=owner,
        upload_id=uuid4(),
        method="form",
        object_key="incoming/x",
        content_type="image/jpeg",
        declared_size=1,
        sealed_words=words,
        expires_at=now,
    )


def metadata() -> Metadata:
    """Metadata with nothing special about it."""
    return Metadata(correlation_id=uuid4(), source="/test")


def make_topics(kafka: KafkaSettings, *, only: frozenset[str] | None = None) -> None:
    """Creates our topics under the settings' prefix."""
    admin = AdminClient(kafka.client())
    new = [
        NewTopic(spec.name, num_partitions=spec.partitions, replication_factor=1, config=dict(spec.config))
        for spec in topic_specs(kafka.topic_prefix, kafka.partitions, 1)
        if only is None or spec.name in only
    ]
    for made in admin.create_topics(new).values():
        made.result(30)


def read(kafka: KafkaSettings, topic: str, *, seconds: float = 10) -> list[RawRecord]:
    """All records of a topic, as a consumer without a group sees them."""
    config = kafka.client() | {"group.id": "test", "enable.partition.eof": True, "enable.auto.commit": False}
    with closing(Consumer(config | {"auto.offset.reset": "earliest"})) as consumer:
        partitions = list(consumer.list_topics(topic, timeout=10).topics[topic].partitions)
        consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
        return list(_to_the_end(consumer, set(partitions), time.monotonic() + seconds))


def _to_the_end(consumer: Consumer, missing: set[int], deadline: float) -> Iterator[RawRecord]:
    while missing:
        assert time.monotonic() < deadline, f"partitions {missing} were not read to their ends"
        message = consumer.poll(0.2)
        if message is None:
            continue
        error = message.error()
        if error is None:
            yield raw(message)
        elif error.name() == "_PARTITION_EOF":
            missing.discard(message.partition() or 0)


def raw(message: Message) -> RawRecord:
    """A consumed message as a record of ours."""
    key, value = message.key(), message.value()
    assert not isinstance(key, str)
    assert not isinstance(value, str)
    return RawRecord(
        topic=message.topic() or "",
        partition=message.partition() or 0,
        offset=message.offset() or 0,
        timestamp_ms=message.timestamp()[1],
        key=key,
        value=value,
        headers=_headers(message.headers() or []),
    )


def _headers(given: object) -> list[tuple[str, bytes]]:
    assert isinstance(given, list)
    return [(str(name), bytes(data)) for name, data in given]


def at(records: list[RawRecord], position: Position) -> RawRecord:
    """The record at a position."""
    return next(record for record in records if record.position == position)

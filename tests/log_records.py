"""The log as an outsider sees it: every record of a topic read raw, and records appended as they were."""

from collections.abc import Mapping, Sequence

from confluent_kafka import Consumer, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec

from schemas.envelope import RawRecord


def read_topic(env: Mapping[str, str], topic: str) -> list[RawRecord]:
    """All records of `topic` from the first to its present end, partition by partition."""
    brokers: dict[str, str | int | float | bool] = {"bootstrap.servers": env["KAFKA_BOOTSTRAP_SERVERS"]}
    admin = AdminClient(brokers)
    partitions = sorted(admin.list_topics(topic, timeout=10).topics[topic].partitions)
    firsts = _offsets(admin, topic, partitions, OffsetSpec.earliest())  # type: ignore[no-untyped-call]
    ends = _offsets(admin, topic, partitions, OffsetSpec.latest())  # type: ignore[no-untyped-call]
    filled = {part: first for part, first in firsts.items() if first < ends[part]}
    settings = {"group.id": "tests-read-only", "enable.auto.commit": False, "auto.offset.reset": "error"}
    consumer = Consumer({**brokers, **settings, "fetch.wait.max.ms": 20})
    try:
        consumer.assign([TopicPartition(topic, partition, first) for partition, first in filled.items()])
        return _read(consumer, {partition: ends[partition] for partition in filled})
    finally:
        consumer.close()


def _offsets(admin: AdminClient, topic: str, partitions: Sequence[int], spec: OffsetSpec) -> dict[int, int]:
    # Not get_watermark_offsets: it waits behind the consumer's own long poll.
    answers = admin.list_offsets(
        {TopicPartition(topic, partition): spec for partition in partitions}, request_timeout=10
    )
    return {place.partition: answer.result().offset for place, answer in answers.items()}


def _read(consumer: Consumer, ends: dict[int, int]) -> list[RawRecord]:
    """What stands before these ends."""
    records: dict[int, list[RawRecord]] = {partition: [] for partition in ends}
    left = set(ends)
    while left:
        polled = consumer.poll(10)
        assert polled is not None, f"{sorted(left)} stop before {ends}"
        assert polled.error() is None, polled.error()
        record = _record(polled)
        if record.offset < ends[record.partition]:
            records[record.partition].append(record)
        if record.offset >= ends[record.partition] - 1:
            left.discard(record.partition)
    return [record for partition in sorted(records) for record in records[partition]]


def _record(polled: Message) -> RawRecord:
    return RawRecord(
        topic=polled.topic() or "",
        partition=polled.partition() or 0,
        offset=polled.offset() or 0,
        timestamp_ms=polled.timestamp()[1],
        key=_bytes(polled.key()),
        value=_bytes(polled.value()),
        headers=_headers(polled),
    )


def _headers(polled: Message) -> list[tuple[str, bytes]]:
    found = polled.headers() or []
    pairs = found.items() if isinstance(found, dict) else found
    return [(str(name), _bytes(value) or b"") for name, value in pairs]


def append_raw(env: Mapping[str, str], records: Sequence[RawRecord]) -> None:
    """Appends records as they were, bytes, key and headers, to the partition they came from."""
    producer = Producer({"bootstrap.servers": env["KAFKA_BOOTSTRAP_SERVERS"], "linger.ms": 0})
    for record in records:
        producer.produce(
            record.topic,
            key=record.key,
            value=record.value,
            headers=list(record.headers),
            partition=record.partition,
        )
    assert producer.flush(20) == 0


def _bytes(value: str | bytes | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value

"""The log as an outsider sees it: every record of a topic read raw, and records appended as they were."""

from collections.abc import Mapping, Sequence

from confluent_kafka import Consumer, Message, Producer, TopicPartition

from schemas.envelope import RawRecord


def read_topic(env: Mapping[str, str], topic: str) -> list[RawRecord]:
    """All records of `topic` from the first to its present end, partition by partition."""
    consumer = Consumer(
        {
            "bootstrap.servers": env["KAFKA_BOOTSTRAP_SERVERS"],
            "group.id": "tests-read-only",
            "enable.auto.commit": False,
            "auto.offset.reset": "error",
        }
    )
    try:
        partitions = sorted(consumer.list_topics(topic, timeout=10).topics[topic].partitions)
        return [record for partition in partitions for record in _read_partition(consumer, topic, partition)]
    finally:
        consumer.close()


def _read_partition(consumer: Consumer, topic: str, partition: int) -> list[RawRecord]:
    place = TopicPartition(topic, partition)
    first, end = consumer.get_watermark_offsets(place, timeout=10)
    consumer.assign([TopicPartition(topic, partition, first)])
    records: list[RawRecord] = []
    while not records or records[-1].offset < end - 1:
        if first == end:
            break
        polled = consumer.poll(10)
        assert polled is not None, f"{topic}/{partition} stops before {end}"
        assert polled.error() is None, polled.error()
        records.append(
            RawRecord(
                topic=topic,
                partition=partition,
                offset=polled.offset() or 0,
                timestamp_ms=polled.timestamp()[1],
                key=_bytes(polled.key()),
                value=_bytes(polled.value()),
                headers=_headers(polled),
            )
        )
    return records


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

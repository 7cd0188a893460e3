"""Reads single records of a log again, each at its own position."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from projections.records import Record, record_of

# The next record wanted is read up to from here, rather than sought, when it is no farther off than this.
_NEAR: Final = 200
_SILENCE_SECONDS: Final = 10.0
_CUT: Final = frozenset({KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE})  # noqa: SLF001


class NotThere(Exception):
    """The log does not hold a record that it did hold."""


def read_at(
    client: Mapping[str, Any], topic: str, partition: int, offsets: Sequence[int], *, group: str
) -> list[Record]:
    """The records at these ascending offsets of one partition, by a client made for this and closed.

    `group` is a name that the client demands; nothing is committed under it. Raises NotThere, and
    KafkaException when the broker is away.
    """
    consumer = Consumer({**client, **_CONFIG, "group.id": group})
    try:
        return _each(consumer, topic, partition, offsets)
    finally:
        consumer.close()


def _each(consumer: Consumer, topic: str, partition: int, offsets: Sequence[int]) -> list[Record]:
    found: list[Record] = []
    at: int | None = None
    for offset in offsets:
        if at is None or not at <= offset < at + _NEAR:
            consumer.assign([TopicPartition(topic, partition, offset)])
        record = _next(consumer)
        while record.offset < offset:
            record = _next(consumer)
        if record.offset != offset:
            raise NotThere(f"{topic}/{partition} holds no record at {offset}")
        found.append(record)
        at = offset + 1
    return found


def _next(consumer: Consumer) -> Record:
    polled = consumer.poll(_SILENCE_SECONDS)
    if polled is None:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT))  # noqa: SLF001 - its public name
    if (error := polled.error()) is not None:
        if error.code() in _CUT:
            raise NotThere(error.str())
        if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001
            raise NotThere("the log ends before")
        raise KafkaException(error)
    return record_of(polled)


_CONFIG: Final[dict[str, Any]] = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "auto.offset.reset": "error",
    "enable.partition.eof": True,
    "allow.auto.create.topics": False,
    # Few records are wanted: what is fetched beside them is for nothing.
    "fetch.wait.max.ms": 20,
    "max.partition.fetch.bytes": 262_144,
    "queued.max.messages.kbytes": 2_048,
}

"""The key topic as the brokers hold it: which records of people's keys still stand in its segments.

Nothing here trusts a view: a record that compaction took is one that the broker no longer delivers.
"""

import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from adapters.settings import KafkaSettings
from schemas.codec import Codec
from schemas.decode_errors import DecodeError, UnknownEventType
from schemas.events import SubjectKey

_POLL_SECONDS: Final = 1.0
_SILENCE_SECONDS: Final = 20.0
_BATCH: Final = 1000


class TopicUnread(Exception):
    """The topic could not be read to its end."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a record stands in the key topic."""

    partition: int
    offset: int


def records_of(kafka: KafkaSettings, topic: str) -> Iterator[Message]:
    """Every record that the brokers still hold of the topic, partition by partition, up to its present end.

    Raises TopicUnread, KafkaException.
    """
    with closing(_consumer(kafka)) as consumer:
        found = consumer.list_topics(topic, timeout=_SILENCE_SECONDS).topics[topic]
        spans = _spans(consumer, topic, sorted(found.partitions))
        for partition, (first, end) in spans.items():
            if first < end:
                yield from _records(consumer, TopicPartition(topic, partition, first), end)


def key_places(kafka: KafkaSettings, codec: Codec, users: Collection[UUID]) -> dict[UUID, list[Place]]:
    """For each person where records stand that hold a key of theirs, wrapped; markers are none."""
    found: dict[UUID, list[Place]] = {user: [] for user in users}
    for message in records_of(kafka, kafka.topics.subject_keys):
        if (user := _user_of(message.key())) in found and not _is_marker(codec, message.value()):
            found[user].append(Place(message.partition() or 0, message.offset() or 0))
    return found


def outlived_places(kafka: KafkaSettings, codec: Codec) -> list[Place]:
    """Where a wrapped key stands of which a later record says that it is erased, or wraps it anew."""
    last: dict[str | bytes, Place] = {}
    outlived: list[Place] = []
    for message in records_of(kafka, kafka.topics.subject_keys):
        key = message.key() or b""
        if (before := last.pop(key, None)) is not None:
            outlived.append(before)
        if not _is_marker(codec, message.value()):
            last[key] = Place(message.partition() or 0, message.offset() or 0)
    return outlived


def still_there(kafka: KafkaSettings, places: Iterable[Place]) -> list[Place]:
    """Those of the places at which the broker still delivers a record. Raises TopicUnread, KafkaException."""
    topic = kafka.topics.subject_keys
    with closing(_consumer(kafka)) as consumer:
        asked = list(places)
        spans = _spans(consumer, topic, {place.partition for place in asked})
        return [place for place in asked if _delivered(consumer, topic, place, spans[place.partition])]


def _spans(consumer: Consumer, topic: str, partitions: Iterable[int]) -> dict[int, tuple[int, int]]:
    """First and next offset of each partition; to be asked before reading, as it waits behind a long poll."""
    return {
        partition: consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=_SILENCE_SECONDS)
        for partition in partitions
    }


def _delivered(consumer: Consumer, topic: str, place: Place, span: tuple[int, int]) -> bool:
    first, end = span
    if not first <= place.offset < end:
        return False
    consumer.assign([TopicPartition(topic, place.partition, place.offset)])
    message = next(_messages(consumer, end), None)
    return message is not None and message.offset() == place.offset


def _records(consumer: Consumer, start: TopicPartition, end: int) -> Iterator[Message]:
    consumer.assign([start])
    for message in _messages(consumer, end):
        yield message
        if (message.offset() or 0) >= end - 1:
            return


def _messages(consumer: Consumer, end: int) -> Iterator[Message]:
    """What is delivered; ends at the end of the partition, where that was compacted away."""
    deadline = time.monotonic() + _SILENCE_SECONDS
    while True:
        # Not consume() alone: it waits out its time although there is something.
        polled = consumer.poll(_POLL_SECONDS)
        messages = [] if polled is None else [polled, *consumer.consume(_BATCH, 0)]
        for message in messages:
            error = message.error()
            if error is None:
                yield message
            elif error.name() == "_PARTITION_EOF":
                if (message.offset() or 0) >= end:
                    return
            else:
                raise KafkaException(error)
        if messages:
            deadline = time.monotonic() + _SILENCE_SECONDS
        elif time.monotonic() > deadline:
            raise TopicUnread("the brokers delivered nothing for too long")


def _consumer(kafka: KafkaSettings) -> Consumer:
    return Consumer(
        kafka.client()
        | {
            "group.id": f"{kafka.topic_prefix}.ops",  # has to be named; nothing is committed to it
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 50,  # the next partition waits behind it
            "auto.offset.reset": "earliest",
        }
    )


def _user_of(key: str | bytes | None) -> UUID | None:
    text = key.decode("latin-1") if isinstance(key, bytes) else key or ""
    try:
        return UUID(text.partition("/")[0])
    except ValueError:
        return None


def _is_marker(codec: Codec, value: str | bytes | None) -> bool:
    try:
        event = codec.decode(value if isinstance(value, bytes) else None)
    except (DecodeError, UnknownEventType):
        return False
    return isinstance(event, SubjectKey) and event.erased and event.wrapped is None

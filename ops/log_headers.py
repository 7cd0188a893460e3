"""Reads the log once to see whether each record's schema id means what the record's own headers say."""

from collections.abc import Iterator
from typing import Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, TopicPartition
from rich.console import Console
from rich.progress import Progress

from adapters.schema_registry import SchemaRegistry
from adapters.settings import Settings
from ops.waiting import UNREACHABLE, leave
from schemas.avsc import full_name_of
from schemas.envelope import read_headers

_BATCH: Final = 1_000
_SILENCE_SECONDS: Final = 10.0
_HEADER = 5


def misnamed_records(settings: Settings, registry: SchemaRegistry) -> Iterator[str]:
    """A sentence for the first record of each schema id whose headers name another type than the registry.

    Reads every partition of the topics that hold events up to where it ends now, with progress on stderr.
    """
    topics = settings.kafka.topics
    consumer = Consumer(
        {
            **settings.kafka.client(),
            "group.id": f"{settings.kafka.topic_prefix}.schemas-check",  # demanded; nothing is committed
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "enable.partition.eof": True,
        }
    )
    names: dict[int, str] = {}
    accused: set[int] = set()
    logs = (topics.assets, topics.identity, topics.operations, topics.subject_keys)
    try:
        for record in _records(consumer, logs):
            value, told = record.value() or b"", read_headers(record.headers()).get("ce_type")
            if len(value) < _HEADER or value[0] or told is None:
                continue
            schema_id = int.from_bytes(value[1:_HEADER], "big")
            if schema_id not in names:
                names[schema_id] = full_name_of(registry.schema(schema_id) or {}) or "no record schema"
            if names[schema_id] != told and schema_id not in accused:
                accused.add(schema_id)
                yield (
                    f"Schema id {schema_id} is {names[schema_id]} in the registry, but {told[:200]} at "
                    f"{record.topic()}/{record.partition()}/{record.offset()}: the registry was filled anew. "
                    "Restore it from its export."
                )
    finally:
        consumer.close()


def _records(consumer: Consumer, topics: tuple[str, ...]) -> Iterator[Message]:
    """Every record before the ends as they are now; ends the command where the brokers go away."""
    left = _ends(consumer, topics)
    consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for topic, partition in left])
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("reading the log", total=sum(left.values()))
        while left:
            # consume() alone would wait out its time for a full batch.
            first = consumer.poll(_SILENCE_SECONDS)
            if first is None:
                leave("The brokers went away while the log was read.", code=UNREACHABLE)
            for record in (first, *consumer.consume(_BATCH, timeout=0)):
                place, offset = (record.topic() or "", record.partition() or 0), record.offset() or 0
                error = record.error()
                at_end = error is not None and error.code() == KafkaError._PARTITION_EOF  # noqa: SLF001
                if error is None and place in left:
                    progress.advance(task)
                    yield record
                if at_end or offset + 1 >= left.get(place, 0):
                    left.pop(place, None)


def _ends(consumer: Consumer, topics: tuple[str, ...]) -> dict[tuple[str, int], int]:
    known = consumer.list_topics(timeout=_SILENCE_SECONDS).topics
    ends: dict[tuple[str, int], int] = {}
    for topic in topics:
        for partition in known[topic].partitions if topic in known else ():
            first, end = consumer.get_watermark_offsets(
                TopicPartition(topic, partition), timeout=_SILENCE_SECONDS
            )
            if end > first:
                ends[topic, partition] = end
    return ends

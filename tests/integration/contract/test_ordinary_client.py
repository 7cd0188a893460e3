"""An ordinary registry-aware client reads our log and could write it: events in order, key, headers (F3)."""

import dataclasses
from typing import Any
from uuid import UUID

import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient, topic_record_subject_name_strategy
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from adapters.event_log import KafkaEventLog
from adapters.schema_registry import load_codec
from adapters.telemetry.metrics import Metrics
from schemas.avsc import avsc_text
from schemas.catalogue import by_class
from schemas.envelope import Metadata, RawRecord, key_of, topic_of
from tests.contract.ground import read
from tests.golden.examples import EXAMPLES
from tests.integration.contract.commands import run_ops
from tests.servers import World

METADATA = Metadata(correlation_id=UUID(int=7), causation_id=UUID(int=8), source="/test")


@pytest.fixture(scope="module")
def written(world: World) -> World:
    """A log with one event of each type, appended as our programs append."""
    for words in (("topics", "apply"), ("schemas", "register")):
        assert run_ops(world, *words).returncode == 0
    settings = world.settings()
    log = KafkaEventLog(settings.kafka, load_codec(settings), metrics=Metrics().log, append_timeout=30)
    for event in EXAMPLES:
        log.append_sync(event, METADATA)
    log.close_sync()
    return world


def values_of(thing: Any) -> Any:
    if dataclasses.is_dataclass(thing):
        return {field.name: values_of(getattr(thing, field.name)) for field in dataclasses.fields(thing)}
    return [values_of(item) for item in thing] if isinstance(thing, tuple) else thing


def records_of(world: World) -> list[RawRecord]:
    settings = world.settings()
    topics = settings.kafka.topics
    names = (topics.assets, topics.identity, topics.operations, topics.subject_keys)
    return [record for name in names for record in read(settings.kafka, name)]


def test_events_are_read_in_order_with_key_and_headers(written: World) -> None:
    settings = written.settings()
    with SchemaRegistryClient({"url": settings.registry.url}) as client:
        deserialize = AvroDeserializer(client)
        read_back = [
            (deserialize(record.value, SerializationContext(record.topic, MessageField.VALUE)), record)
            for record in records_of(written)
        ]
    assert len(read_back) == len(EXAMPLES)
    for event, (values, record) in zip(EXAMPLES, read_back, strict=True):
        headers = {name: value.decode() for name, value in record.headers}
        assert values == values_of(event)
        assert record.topic == topic_of(event, settings.kafka.topics)
        assert (record.key or b"").decode() == key_of(event).decode() == headers["ce_subject"]
        assert headers["ce_type"] == by_class()[type(event)].full_name
        assert headers["ce_id"] == str(event.event_id)
        assert (headers["correlationid"], headers["causationid"]) == (str(UUID(int=7)), str(UUID(int=8)))
        assert len(headers) == len(record.headers)


def test_what_an_ordinary_client_writes_is_what_we_write(written: World) -> None:
    """The subjects are where TopicRecordNameStrategy looks, and the bytes are the same."""
    settings = written.settings()
    codec = load_codec(settings)
    config = {
        "auto.register.schemas": False,
        "subject.name.strategy": topic_record_subject_name_strategy,
    }
    with SchemaRegistryClient({"url": settings.registry.url}) as client:
        for event in EXAMPLES:
            row, topic = by_class()[type(event)], topic_of(event, settings.kafka.topics)
            serialize = AvroSerializer(client, avsc_text(row, row.newest), conf=config)
            value = serialize(values_of(event), SerializationContext(topic, MessageField.VALUE))
            assert value == codec.encode(event)


def test_the_log_keeps_its_own_time(written: World) -> None:
    """Not the producer's, nor the event's: LogAppendTime."""
    records = records_of(written)
    assert records
    assert all(record.timestamp_ms > 1_700_000_000_000 for record in records)
    assert all(record.timestamp_ms != int(EXAMPLES[0].occurred_at.timestamp() * 1000) for record in records)

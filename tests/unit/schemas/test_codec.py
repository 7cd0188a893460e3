"""The codec: what it refuses, each with its own error, and what it makes of other versions and types."""

import json
import time
from io import BytesIO
from typing import Any

import pytest
from fastavro import parse_schema, schemaless_writer
from hypothesis import given
from hypothesis import strategies as st

from schemas.avsc import avsc
from schemas.catalogue import CATALOGUE, by_full_name
from schemas.codec import MAX_VALUE_BYTES, Codec, DecodeError, InvalidEvent, OversizedEvent, WriterSchema
from schemas.decode_errors import (
    ArrayBomb,
    EmptyValue,
    InvalidValue,
    NotOurs,
    NullValue,
    OversizedValue,
    TooShort,
    TrailingBytes,
    TruncatedValue,
    Undecodable,
    UnknownEventType,
    UnknownSchemaId,
    WrongMagic,
    WrongSchema,
)
from schemas.envelope import Metadata, headers_for
from schemas.events import PresetSetDefined, ProcessingStarted
from schemas.scalars import zigzag
from tests.golden.examples import EVENT_ID, EXAMPLES
from tests.unit.schemas.test_compiled import values_of

CODEC = Codec.local()
STARTED = next(event for event in EXAMPLES if isinstance(event, ProcessingStarted))
DEFINED = next(event for event in EXAMPLES if isinstance(event, PresetSetDefined))
DEFINED_ID = int.from_bytes(CODEC.encode(DEFINED)[1:5])  # the id that its schema has here
VALUE = CODEC.encode(STARTED)
HEADER = VALUE[:5]
IDS = {row.full_name: number for number, row in enumerate(CATALOGUE, start=1)}
METADATA = Metadata(correlation_id=EVENT_ID, source="/test")


def codec_with(schema_id: int, schema: Any) -> Codec:
    """A codec to which the registry also shows `schema`."""
    known = {number: WriterSchema(schema=avsc(by_full_name()[name], 1)) for name, number in IDS.items()}
    return Codec(IDS, (known | {schema_id: WriterSchema(schema=schema)}).get)


def written(schema: Any, values: Any, schema_id: int = 99) -> bytes:
    stream = BytesIO()
    schemaless_writer(stream, parse_schema(schema), values)
    return b"\0" + schema_id.to_bytes(4, "big") + stream.getvalue()


def changed(full_name: str, change: Any) -> Any:
    """A copy of a schema of ours with `change` made to its list of fields."""
    schema = json.loads(json.dumps(avsc(by_full_name()[full_name], 1)))
    change(schema["fields"])
    return schema


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (None, NullValue),
        (b"", EmptyValue),
        (b"\x01" + VALUE[1:], WrongMagic),
        (b"{}", WrongMagic),
        (b"\xff" * 1_000_000, WrongMagic),
        (VALUE[:4], TooShort),
        (b"\0", TooShort),
        (b"\0\0\0\0\x63" + VALUE[5:], UnknownSchemaId),
        (HEADER, TruncatedValue),
        (VALUE[:-1], TruncatedValue),
        (VALUE + b"\0", TrailingBytes),
        (VALUE + VALUE, TrailingBytes),
        (VALUE + bytes(MAX_VALUE_BYTES), OversizedValue),
    ],
    ids=lambda one: one.__name__ if isinstance(one, type) else repr(one)[:24],
)
def test_each_fault_has_its_own_error(value: bytes | None, error: type[DecodeError]) -> None:
    with pytest.raises(error) as caught:
        CODEC.decode(value)
    assert type(caught.value) is error
    assert caught.value.code == caught.value.code.lower() != ""


def test_every_error_has_a_code_of_its_own() -> None:
    kinds: list[type[DecodeError | UnknownEventType]] = [
        *(kind for kind in NotOurs.__subclasses__() if kind.__module__ == DecodeError.__module__),
        *(kind for kind in Undecodable.__subclasses__() if kind.__module__ == DecodeError.__module__),
        UnknownEventType,
    ]
    assert len({kind.code for kind in kinds}) == len(kinds) == 12


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: type(event).__name__)
def test_a_value_cut_anywhere_is_refused(event: Any) -> None:
    value = CODEC.encode(event)
    for length in range(len(value)):
        with pytest.raises(DecodeError):
            CODEC.decode(value[:length])


@given(st.binary(max_size=300), st.sampled_from(sorted(IDS.values())))
def test_noise_is_refused_and_nothing_else_happens(noise: bytes, schema_id: int) -> None:
    """Whatever the bytes: an event that survives a round trip, or a DecodeError."""
    try:
        event = CODEC.decode(b"\0" + schema_id.to_bytes(4, "big") + noise)
    except DecodeError:
        return
    assert CODEC.decode(CODEC.encode(event)) == event


def test_six_bytes_that_claim_a_trillion_items() -> None:
    head = CODEC.encode(DEFINED)[: 5 + 37 + 8 + 2 + 64]
    bomb = zigzag(1 << 40)
    assert len(bomb) == 6
    began = time.process_time()
    with pytest.raises(ArrayBomb):
        CODEC.decode(head + bomb)
    with pytest.raises(ArrayBomb):
        CODEC.decode(head + zigzag(-(1 << 40)) + bomb)
    assert time.process_time() - began < 0.5


def test_many_tiny_items_are_not_even_read() -> None:
    """An honest count of items that are there, too many for any event: refused before they cost memory."""
    count = 60_000
    values = {**values_of(DEFINED), "presets": [{**values_of(DEFINED.presets[0]), "formats": [""] * count}]}
    value = written(avsc(by_full_name()["darkroom.operations.PresetSetDefined"], 1), values, DEFINED_ID)
    with pytest.raises(ArrayBomb):
        CODEC.decode(value)


def test_a_foreign_schema_can_not_make_us_count_nothings() -> None:
    """Items of no bytes: fastavro would make as many as the count says, out of thin air."""
    name = "darkroom.assets.ProcessingStarted"
    nothings = {"name": "nothings", "type": {"type": "array", "items": "null"}, "default": []}
    schema = changed(name, lambda fields: fields.append(nothings))
    value = written(schema, {**values_of(STARTED), "nothings": []})[:-1] + zigzag(1 << 40)
    with pytest.raises(ArrayBomb):
        codec_with(99, schema).decode(value)


@pytest.mark.parametrize(
    ("field", "wire"),
    [
        ("event_id", b"\x48" + b"z" * 36),
        ("event_id", b"\x02a"),
        ("worker", b"\x04a\0"),
        ("worker", b"\x04\xff\xfe"),
        ("occurred_at", zigzag(1 << 62)),
    ],
)
def test_fields_that_no_event_can_hold(field: str, wire: bytes) -> None:
    pieces = {
        "event_id": b"\x48" + str(EVENT_ID).encode(),
        "occurred_at": zigzag(0),
        "ids": 3 * (b"\x48" + str(EVENT_ID).encode()),
        "attempt": zigzag(1),
        "worker": b"\x02w",
        "lane": b"\x08live",
    }
    assert isinstance(CODEC.decode(HEADER + b"".join(pieces.values())), ProcessingStarted)
    with pytest.raises(InvalidValue):
        CODEC.decode(HEADER + b"".join((pieces | {field: wire}).values()))


def test_an_id_of_another_schema_is_seen_by_the_headers() -> None:
    codec = Codec.local()
    headers = headers_for(STARTED, METADATA)
    other = b"\0" + IDS["darkroom.assets.ProcessingFailed"].to_bytes(4, "big") + VALUE[5:]
    for _ in range(2):
        with pytest.raises(WrongSchema):
            codec.decode(other, headers=headers)
    assert codec.decode(VALUE, headers=headers) == STARTED


def test_another_version_in_the_headers_is_another_schema() -> None:
    headers = [
        (name, b"7" if name == "schemaversion" else value) for name, value in headers_for(STARTED, METADATA)
    ]
    with pytest.raises(WrongSchema):
        Codec.local().decode(VALUE, headers=headers)


def test_headers_are_looked_at_where_an_id_is_first_met() -> None:
    """Later ones are not read: they would cost a third of the speed."""
    codec = Codec.local()
    assert codec.decode(VALUE, headers=headers_for(STARTED, METADATA)) == STARTED
    assert codec.decode(VALUE, headers=[("ce_type", b"something else")]) == STARTED


def test_records_without_headers_are_read() -> None:
    assert Codec.local().decode(VALUE, headers=[]) == STARTED
    assert Codec.local().decode(VALUE, headers=None) == STARTED


def test_a_type_that_we_never_heard_of_is_no_fault() -> None:
    schema = {"type": "record", "name": "Later", "namespace": "darkroom.assets", "fields": []}
    asked: list[int] = []

    def ask(schema_id: int) -> WriterSchema:
        asked.append(schema_id)
        return WriterSchema(schema=schema)

    codec = Codec(IDS, ask)
    for _ in range(2):
        with pytest.raises(UnknownEventType) as caught:
            codec.decode(b"\0\0\0\0\x63anything")
        assert caught.value.full_name == "darkroom.assets.Later"
    assert asked == [99]


def test_a_newer_version_of_a_known_type_is_resolved_to_ours() -> None:
    later = {"name": "mood", "type": ["null", "string"], "default": None}
    schema = changed("darkroom.assets.ProcessingStarted", lambda fields: fields.insert(3, later))
    value = written(schema, {**values_of(STARTED), "mood": "sunny"})
    codec = codec_with(99, schema)
    assert codec.decode(value) == STARTED
    with pytest.raises(TrailingBytes):
        codec.decode(value + b"\0")
    with pytest.raises(TruncatedValue):
        codec.decode(value[:-1])


def test_a_namesake_that_can_not_be_resolved_is_a_wrong_schema() -> None:
    schema = changed("darkroom.assets.ProcessingStarted", lambda fields: fields.pop())
    values = values_of(STARTED)
    with pytest.raises(WrongSchema):
        codec_with(99, schema).decode(written(schema, values))


def test_a_schema_that_is_none_is_a_wrong_schema() -> None:
    schema = {
        "type": "record",
        "namespace": "darkroom.assets",
        "name": "ProcessingStarted",
        "fields": [{"x": 1}],
    }
    with pytest.raises(WrongSchema):
        codec_with(99, schema).decode(b"\0\0\0\0\x63anything")


def test_a_registry_that_is_away_is_no_fault_of_the_record() -> None:
    def away(schema_id: int) -> WriterSchema:
        raise ConnectionError(schema_id)

    with pytest.raises(ConnectionError):
        Codec(IDS, away).decode(VALUE)


def test_an_event_without_an_id_can_not_be_written() -> None:
    with pytest.raises(InvalidEvent):
        Codec({}, lambda _: None).encode(STARTED)


def test_an_event_that_readers_would_refuse_is_not_written() -> None:
    huge = ProcessingStarted(
        event_id=STARTED.event_id,
        occurred_at=STARTED.occurred_at,
        asset_id=STARTED.asset_id,
        owner_id=STARTED.owner_id,
        job_id=STARTED.job_id,
        attempt=1,
        worker="w" * MAX_VALUE_BYTES,
        lane="live",
    )
    with pytest.raises(OversizedEvent):
        CODEC.encode(huge)


def test_headers_are_asked_though_the_type_was_met_without_any() -> None:
    codec = Codec.local()
    assert codec.decode(VALUE) == codec.decode(VALUE) == STARTED
    with pytest.raises(WrongSchema):
        codec.decode(VALUE, headers=[("ce_type", b"something else")])

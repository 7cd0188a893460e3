"""Our writing and fastavro's are the same bytes, and each reads what the other wrote."""

import dataclasses
from datetime import datetime
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from fastavro import parse_schema, schemaless_reader, schemaless_writer
from hypothesis import given
from hypothesis import strategies as st

from schemas.avsc import avsc
from schemas.catalogue import by_class
from schemas.codec import Codec, InvalidEvent
from schemas.compiled import compiled
from schemas.scalars import from_micros, micros, uuid_from_text, uuid_text, zigzag
from tests.golden.examples import AT, EXAMPLES
from tests.unit.schemas.strategies import MOMENTS, any_event

CODEC = Codec.local()
HEADER = 5


def values_of(thing: Any) -> Any:
    """What fastavro's own logical types take and give: dictionaries with ids and times in them."""
    if dataclasses.is_dataclass(thing):
        return {field.name: values_of(getattr(thing, field.name)) for field in dataclasses.fields(thing)}
    return [values_of(item) for item in thing] if isinstance(thing, tuple) else thing


@given(any_event())
def test_the_bytes_are_those_that_fastavro_writes(event: Any) -> None:
    row = by_class()[type(event)]
    stream = BytesIO()
    schemaless_writer(stream, parse_schema(avsc(row, row.newest)), values_of(event))
    assert CODEC.encode(event)[HEADER:] == stream.getvalue()


@given(any_event())
def test_fastavro_reads_with_its_logical_types_what_we_wrote(event: Any) -> None:
    row = by_class()[type(event)]
    read = schemaless_reader(BytesIO(CODEC.encode(event)[HEADER:]), parse_schema(avsc(row, row.newest)), None)
    assert read == values_of(event)


@given(any_event())
def test_every_event_comes_back(event: Any) -> None:
    assert CODEC.decode(CODEC.encode(event)) == event


@given(st.integers())
def test_numbers_of_more_than_64_bits_are_refused(number: int) -> None:
    if -(2**63) <= number < 2**63:
        assert 1 <= len(zigzag(number)) <= 10
    else:
        with pytest.raises(OverflowError):
            zigzag(number)


@given(MOMENTS)
def test_times_keep_their_microseconds(moment: datetime) -> None:
    assert from_micros(micros(moment)) == moment


@pytest.mark.parametrize(
    "text", ["9999-12-31T23:59:59.999999-00:01", "0001-01-01T00:00:00+00:01"], ids=["after", "before"]
)
def test_times_that_nobody_could_read_are_not_written(text: str) -> None:
    with pytest.raises(OverflowError):
        micros(datetime.fromisoformat(text))


@given(st.uuids())
def test_ids_are_spelled_as_python_spells_them(value: UUID) -> None:
    assert uuid_text(value) == str(value)
    made = uuid_from_text(str(value))
    assert (made, made.is_safe, hash(made)) == (value, value.is_safe, hash(value))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x" * 36,
        "a" * 36,
        "0190f3c2-7b1e-7c3a-9d55-1f2e3a4b5c6",
        "0190f3c27b1e7c3a9d551f2e3a4b5c6d",
        "{0190f3c2-7b1e-7c3a-9d55-1f2e3a4b5c6d}",
        " 190f3c2-7b1e-7c3a-9d55-1f2e3a4b5c6d",
    ],
)
def test_other_texts_are_no_ids(text: str) -> None:
    with pytest.raises(ValueError):
        uuid_from_text(text)


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: type(event).__name__)
def test_a_field_of_another_type_is_refused(event: Any) -> None:
    """Each field of each event in turn holds something that its type does not allow."""
    for field in dataclasses.fields(event):
        for wrong in (object(), 1.5, "a\0b", "\ud800", [], AT.replace(tzinfo=None)):
            with pytest.raises(InvalidEvent):
                CODEC.encode(dataclasses.replace(event, **{field.name: wrong}))


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: type(event).__name__)
def test_only_what_is_optional_may_be_missing(event: Any) -> None:
    row = by_class()[type(event)]
    fields: Any = avsc(row, row.newest)["fields"]
    optional = {field["name"] for field in fields if isinstance(field["type"], list)}
    for field in dataclasses.fields(event):
        without = dataclasses.replace(event, **{field.name: None})
        if field.name in optional:
            assert CODEC.decode(CODEC.encode(without)) == without
        else:
            with pytest.raises(InvalidEvent):
                CODEC.encode(without)


def test_a_class_with_a_strange_field_can_not_be_an_event() -> None:
    @dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
    class Strange:
        where: complex

    with pytest.raises(TypeError, match="where"):
        compiled(Strange)

"""The suspicious walk agrees with fastavro on what is whole, and says why where something is not."""

from io import BytesIO
from typing import Any

import pytest
from fastavro import parse_schema, schemaless_writer
from hypothesis import given

from schemas.avsc import avsc, bare
from schemas.catalogue import by_class
from schemas.codec import Codec
from schemas.decode_errors import ArrayBomb, DecodeError, InvalidValue, TrailingBytes, TruncatedValue
from schemas.scalars import zigzag
from schemas.walk import MAX_ITEMS, walk
from tests.golden.examples import EXAMPLES
from tests.unit.schemas.strategies import any_event

CODEC = Codec.local()

ODD: Any = {
    "type": "record",
    "name": "Odd",
    "fields": [
        {"name": "nothing", "type": "null"},
        {"name": "truth", "type": "boolean"},
        {"name": "half", "type": "float"},
        {"name": "whole", "type": "double"},
        {"name": "few", "type": "int"},
        {"name": "mood", "type": {"type": "enum", "name": "Mood", "symbols": ["sunny", "grey"]}},
        {"name": "hash", "type": {"type": "fixed", "name": "Hash", "size": 3}},
        {"name": "again", "type": "Hash"},
        {"name": "tags", "type": {"type": "map", "values": {"type": "long"}}},
        {"name": "perhaps", "type": ["null", {"type": "array", "items": "Mood"}]},
    ],
}
VALUES = {
    "nothing": None,
    "truth": True,
    "half": 0.5,
    "whole": 1.5,
    "few": 3,
    "mood": "grey",
    "hash": b"abc",
    "again": b"def",
    "tags": {"a": 1, "b": -(2**60)},
    "perhaps": ["sunny", "grey"],
}


@given(any_event())
def test_what_we_write_is_whole(event: Any) -> None:
    row = by_class()[type(event)]
    walk(bare(avsc(row, row.newest)), CODEC.encode(event), 5)
    walk(parse_schema(bare(avsc(row, row.newest))), CODEC.encode(event), 5)


def test_every_kind_of_schema_is_known() -> None:
    stream = BytesIO()
    schemaless_writer(stream, parse_schema(ODD), VALUES)
    value = stream.getvalue()
    walk(ODD, value, 0)
    with pytest.raises(TrailingBytes):
        walk(ODD, value + b"\0", 0)
    for length in range(len(value)):
        with pytest.raises(TruncatedValue):
            walk(ODD, value[:length], 0)


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: type(event).__name__)
def test_a_cut_is_found(event: Any) -> None:
    row, value = by_class()[type(event)], CODEC.encode(event)
    for length in range(5, len(value)):
        with pytest.raises(DecodeError):
            walk(bare(avsc(row, row.newest)), value[:length], 5)


def array(items: Any) -> Any:
    return {"type": "array", "items": items}


@pytest.mark.parametrize(
    ("schema", "value", "error"),
    [
        (array("null"), zigzag(MAX_ITEMS) + b"\0", None),
        (array("null"), zigzag(MAX_ITEMS + 1) + b"\0", ArrayBomb),
        (array("null"), (zigzag(MAX_ITEMS) + zigzag(1)) + b"\0", ArrayBomb),
        (array("null"), zigzag(-MAX_ITEMS) + zigzag(0) + b"\0", None),
        (array("null"), zigzag(-MAX_ITEMS - 1) + zigzag(0) + b"\0", ArrayBomb),
        (array("string"), zigzag(1 << 62), ArrayBomb),
        ({"type": "map", "values": "null"}, zigzag(1 << 40), ArrayBomb),
        ("string", zigzag(-1), InvalidValue),
        ("bytes", zigzag(1 << 50), TruncatedValue),
        ("long", b"\xff" * 10 + b"\x01", InvalidValue),
        ("long", b"\xff" * 3, TruncatedValue),
        (["null", "long"], zigzag(2), InvalidValue),
        (["null", "long"], zigzag(-1), InvalidValue),
    ],
)
def test_claims(schema: Any, value: bytes, error: type[DecodeError] | None) -> None:
    if error is None:
        walk(schema, value, 0)
        return
    with pytest.raises(error):
        walk(schema, value, 0)


def test_a_schema_that_contains_itself_has_a_floor() -> None:
    nest: Any = {
        "type": "record",
        "name": "Nest",
        "fields": [{"name": "inner", "type": ["null", "Nest"], "default": None}],
    }
    walk(nest, zigzag(1) * 5 + zigzag(0), 0)
    with pytest.raises(InvalidValue):
        walk(nest, zigzag(1) * 500 + zigzag(0), 0)

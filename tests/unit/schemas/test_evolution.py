"""Golden bytes stay readable, released schemas stay as they are, and changes keep FULL_TRANSITIVE (R13)."""

import itertools
import json
from io import BytesIO
from typing import Any

import pytest
from fastavro import parse_schema, schemaless_reader, schemaless_writer
from fastavro.read import SchemaResolutionError

from schemas.avsc import avsc
from schemas.catalogue import CATALOGUE, EventType
from schemas.codec import Codec
from schemas.evolution import objections
from tests.golden.examples import EXAMPLES
from tests.golden.files import HEADER, avsc_digests, frozen_digests, golden_bytes, json_file, plain

VERSIONS = [(row, version) for row in CATALOGUE for version in range(1, row.newest + 1)]
EACH = pytest.mark.parametrize(("row", "version"), VERSIONS, ids=lambda one: getattr(one, "name", str(one)))
ROWS = pytest.mark.parametrize("row", CATALOGUE, ids=lambda row: row.name)
CODEC = Codec.local()
IDS = {one: number for number, one in enumerate(VERSIONS, start=1)}


def copy(row: EventType) -> Any:
    return json.loads(json.dumps(avsc(row, row.newest)))


def resolved(value: bytes, written: Any, wanted: Any) -> Any:
    return schemaless_reader(BytesIO(value), parse_schema(written), parse_schema(wanted))


def test_a_released_schema_is_never_edited() -> None:
    """A change is a new file; `python -m tests.golden.files` adds its digest and its golden bytes."""
    assert avsc_digests() == frozen_digests()


@EACH
def test_golden_bytes_are_decoded(row: EventType, version: int) -> None:
    header = b"\0" + IDS[row, version].to_bytes(4, "big")
    read = plain(CODEC.decode(header + golden_bytes(row, version)))
    told = json.loads(json_file(row, version).read_text("utf-8"))
    assert {name: read[name] for name in told} == told


@ROWS
def test_golden_bytes_are_what_we_write(row: EventType) -> None:
    event = next(event for event in EXAMPLES if type(event) is row.cls)
    assert CODEC.encode(event)[HEADER:] == golden_bytes(row, row.newest)


@ROWS
def test_versions_read_each_other(row: EventType) -> None:
    """Each by each, not only neighbours: by the rules, and by real golden bytes."""
    numbers = range(1, row.newest + 1)
    for older, newer in itertools.combinations(numbers, 2):
        assert objections(avsc(row, older), avsc(row, newer)) == []
    for written, wanted in itertools.product(numbers, numbers):
        assert resolved(golden_bytes(row, written), avsc(row, written), avsc(row, wanted))


@ROWS
def test_a_new_field_with_a_default_is_read_both_ways(row: EventType) -> None:
    newer = copy(row)
    newer["fields"].insert(1, {"name": "mood", "type": ["null", "string"], "default": None})
    assert objections(avsc(row, row.newest), newer) == []
    old = resolved(golden_bytes(row, row.newest), avsc(row, row.newest), newer)
    assert old["mood"] is None
    stream = BytesIO()
    schemaless_writer(stream, parse_schema(newer), {**old, "mood": "sunny"})
    del old["mood"]
    assert resolved(stream.getvalue(), newer, avsc(row, row.newest)) == old


@ROWS
def test_a_new_field_without_a_default_breaks_new_programs(row: EventType) -> None:
    newer = copy(row)
    newer["fields"].append({"name": "mood", "type": "string"})
    assert objections(avsc(row, row.newest), newer)
    with pytest.raises(SchemaResolutionError):
        resolved(golden_bytes(row, row.newest), avsc(row, row.newest), newer)


@ROWS
def test_a_field_without_a_default_can_not_go(row: EventType) -> None:
    """Nor be renamed, which is the same: old programs miss it."""
    newer = copy(row)
    gone = newer["fields"].pop(0)
    assert gone["name"] == "event_id"
    assert any("event_id" in why for why in objections(avsc(row, row.newest), newer))
    stream = BytesIO()
    values = resolved(golden_bytes(row, row.newest), avsc(row, row.newest), newer)
    schemaless_writer(stream, parse_schema(newer), values)
    with pytest.raises(SchemaResolutionError):
        resolved(stream.getvalue(), newer, avsc(row, row.newest))


OLD: Any = {
    "type": "record",
    "name": "a.Old",
    "fields": [
        {"name": "count", "type": "int"},
        {"name": "mood", "type": {"type": "enum", "name": "Mood", "symbols": ["sunny", "grey"]}},
        {"name": "seen", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "note", "type": ["null", "string"], "default": None},
        {
            "name": "parts",
            "type": {"type": "array", "items": {"type": "record", "name": "Part", "fields": []}},
        },
        {"name": "tags", "type": {"type": "map", "values": "string"}},
        {"name": "hash", "type": {"type": "fixed", "name": "Hash", "size": 4}},
    ],
}


def but(field: str, **changes: Any) -> Any:
    fields = [{**one, **changes} if one["name"] == field else one for one in OLD["fields"]]
    return {**OLD, "fields": fields}


@pytest.mark.parametrize(
    ("newer", "said"),
    [
        (but("count", type="long"), "old programs can't read new records: count is long"),
        (but("count", type="string"), "count is int in one and string in the other"),
        (but("count", type=["null", "int"]), "old programs can't read new records: count is null"),
        (but("note", type=["null", "string", "int"]), "note may now be int"),
        (but("note", type="string"), "new programs can't read old records: note is null"),
        (but("seen", type={"type": "long", "logicalType": "timestamp-millis"}), "timestamp-micros"),
        (but("mood", type={"type": "enum", "name": "Mood", "symbols": ["sunny"]}), "mood loses grey"),
        (but("tags", type={"type": "map", "values": "int"}), "tags{} is"),
        (but("hash", type={"type": "fixed", "name": "Hash", "size": 5}), "hash changes its size"),
        (but("hash", name="digest"), "hash is missing in one"),
        (
            but("parts", type={"type": "array", "items": {"type": "record", "name": "Piece", "fields": []}}),
            "parts[] is Part in one and Piece in the other",
        ),
        ({**OLD, "name": "a.New"}, "it is a.Old in one and a.New in the other"),
    ],
)
def test_changes_that_are_none(newer: Any, said: str) -> None:
    assert objections(OLD, OLD) == []
    assert said in " | ".join(objections(OLD, newer))


@pytest.mark.parametrize(
    "newer", [but("note", doc="words"), but("note", type=["null", "string"], default=None)]
)
def test_changes_that_are_well(newer: Any) -> None:
    assert objections(OLD, newer) == []

"""The catalogue is complete: each event has its schema, its golden bytes, who says it and who listens."""

import dataclasses
import json
from datetime import datetime
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import pytest

from schemas.avsc import FOLDER, avsc, full_name_of
from schemas.catalogue import CATALOGUE, EventType
from schemas.events import Event
from tests.golden.examples import EXAMPLES
from tests.golden.files import FOLDER as GOLDEN
from tests.golden.files import hex_file, json_file

ROWS = pytest.mark.parametrize("row", CATALOGUE, ids=lambda row: row.name)
SCALARS: dict[Any, Any] = {
    UUID: {"type": "string", "logicalType": "uuid"},
    bool: "boolean",
    bytes: "bytes",
    datetime: {"type": "long", "logicalType": "timestamp-micros"},
    int: "long",
    str: "string",
}
COMMON = ["event_id", "occurred_at"]
OF_A_RUN = ("owner_id", "RunStarted")


def schema_of(hint: Any) -> Any:
    """The Avro type that a field of this Python type must have, without documentation."""
    if get_origin(hint) in {Union, UnionType}:
        (only,) = (part for part in get_args(hint) if part is not NoneType)
        return ["null", schema_of(only)]
    if get_origin(hint) is tuple:
        return {"type": "array", "items": schema_of(get_args(hint)[0])}
    if not dataclasses.is_dataclass(hint):
        return SCALARS[hint]
    hints = get_type_hints(hint)
    fields = {field.name: schema_of(hints[field.name]) for field in dataclasses.fields(hint)}
    return {"type": "record", "name": getattr(hint, "__name__", ""), "fields": fields}


def undocumented(schema: Any) -> Any:
    """A schema with its fields as {name: type}, without documentation and defaults."""
    if isinstance(schema, list):
        return [undocumented(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if schema["type"] == "record":
        fields = {field["name"]: undocumented(field["type"]) for field in schema["fields"]}
        return {"type": "record", "name": schema["name"], "fields": fields}
    return {key: undocumented(value) for key, value in schema.items()}


def fields_of(schema: Any) -> list[Any]:
    """All fields of a schema, those of nested records too."""
    if isinstance(schema, list):
        return [field for part in schema for field in fields_of(part)]
    if not isinstance(schema, dict):
        return []
    nested = [schema.get("items"), *(field["type"] for field in schema.get("fields", ()))]
    return [*schema.get("fields", ()), *(field for part in nested for field in fields_of(part))]


def test_every_event_class_has_its_row() -> None:
    assert [row.cls for row in CATALOGUE] == list(dict.fromkeys(row.cls for row in CATALOGUE))
    assert {row.cls for row in CATALOGUE} == set(get_args(Event))
    assert {type(event) for event in EXAMPLES} == set(get_args(Event))


def test_no_file_stands_outside_the_catalogue() -> None:
    there = {str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.*") if path.is_file()}
    assert there == {file for row in CATALOGUE for file in row.versions}
    golden = set(GOLDEN.rglob("*.hex"))
    assert golden == {hex_file(row, version) for row in CATALOGUE for version in range(1, row.newest + 1)}


@ROWS
def test_a_row_says_everything(row: EventType) -> None:
    assert row.says.endswith(".")
    assert row.producers
    assert row.consumers
    assert row.cls.__doc__
    for version in range(1, row.newest + 1):
        assert row.versions[version - 1] == f"{row.namespace}/{row.name}.v{version}.avsc"
        assert hex_file(row, version).exists()
        assert json.loads(json_file(row, version).read_text("utf-8"))["event_id"]


@ROWS
def test_the_newest_schema_is_the_class(row: EventType) -> None:
    schema = avsc(row, row.newest)
    assert full_name_of(schema) == row.full_name
    assert undocumented(schema) == schema_of(row.cls)


@ROWS
def test_a_schema_is_documented_and_keeps_the_rules(row: EventType) -> None:
    schema: Any = avsc(row, row.newest)
    assert schema["doc"]
    assert [field["name"] for field in schema["fields"]][:2] == COMMON
    for field in fields_of(schema):
        assert field["doc"].endswith("."), field["name"]
        if isinstance(field["type"], list):
            assert field["type"][0] == "null"
            assert field["default"] is None
        assert "enum" not in json.dumps(field["type"])
    for name in ("asset_id", "owner_id"):  # a run may be about one person's assets
        assert (name in row.cls.__slots__) == (row.topic == "assets" or (name, row.name) == OF_A_RUN)
    assert ("account_key" in row.cls.__slots__) == (row.topic == "identity")


UNVERSIONED = {
    "AssetPurged": {"actor_id", "request_hash"},  # holds on any: who removes the objects folds nothing
    "VariantsRetired": {"actor_id"},  # names the one set that it means
    "RecordDiscarded": {"actor_id"},  # no part of what it is about
    "AccountRecordDiscarded": {"actor_id"},
    "WorkersResumed": {"actor_id"},  # what it says twice it says once
}


@ROWS
def test_what_a_person_causes_says_who_and_on_which_version(row: EventType) -> None:
    told = {"actor_id", "expected_version", "request_hash"} & set(row.cls.__slots__)
    if row.name in UNVERSIONED:
        assert told == UNVERSIONED[row.name]
        return
    assert len(told) in {0, 3}
    of_a_person = not {"api", "ops erasures run"}.isdisjoint(row.producers)
    assert bool(told) == (row.topic == "identity" or (row.topic != "subject_keys" and of_a_person))

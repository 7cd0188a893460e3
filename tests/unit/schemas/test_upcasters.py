"""Old versions made new: the machinery on made-up versions, since none of ours has a second one yet."""

import itertools
from typing import Any

import pytest

from schemas.catalogue import CATALOGUE
from schemas.upcasters import UPCASTERS, upcast, with_defaults


def record(*fields: Any) -> Any:
    return {"type": "record", "name": "Seen", "fields": list(fields)}


NAME = {"name": "name", "type": "string"}
FULL = {"name": "full_name", "type": ["null", "string"], "default": None}
COUNT = {"name": "count", "type": "long", "default": 1}
V1, V2, V3 = record(NAME), record(NAME, FULL), record(NAME, FULL, COUNT)
VERSIONS = [V1, V2, V3]


def seen_v1_to_v2(values: dict[str, Any]) -> dict[str, Any]:
    return {**values, "full_name": f"{values['name']} the first"}


def seen_v2_to_v3(values: dict[str, Any]) -> dict[str, Any]:
    return {**values, "count": len(values["full_name"] or "")}


BOTH = {("Seen", 1): seen_v1_to_v2, ("Seen", 2): seen_v2_to_v3}


@pytest.mark.parametrize(
    ("version", "values", "upcasters", "newest"),
    [
        (1, {"name": "a"}, {}, {"name": "a", "full_name": None, "count": 1}),
        (1, {"name": "a"}, BOTH, {"name": "a", "full_name": "a the first", "count": 11}),
        (2, {"name": "a", "full_name": "b"}, BOTH, {"name": "a", "full_name": "b", "count": 1}),
        (3, {"name": "a", "full_name": "b", "count": 9}, BOTH, {"name": "a", "full_name": "b", "count": 9}),
        (1, {"name": "a"}, {("Other", 1): seen_v1_to_v2}, {"name": "a", "full_name": None, "count": 1}),
    ],
)
def test_each_step_in_its_turn(version: int, values: Any, upcasters: Any, newest: Any) -> None:
    before = dict(values)
    assert upcast("Seen", version, values, versions=VERSIONS, upcasters=upcasters) == newest
    assert values == before


def test_a_step_may_drop_what_the_next_version_has_not() -> None:
    def seen_v1_to_v2_renaming(values: dict[str, Any]) -> dict[str, Any]:
        return {"full_name": values["name"], **values}

    shorter = [V1, record(FULL)]
    read = upcast("Seen", 1, {"name": "a"}, versions=shorter, upcasters={("Seen", 1): seen_v1_to_v2_renaming})
    assert read == {"full_name": "a"}


def test_defaults_reach_into_records_and_arrays() -> None:
    inner = {"type": "record", "name": "Part", "fields": [NAME, COUNT]}
    schema = record(
        {"name": "one", "type": inner},
        {"name": "many", "type": {"type": "array", "items": inner}},
        {"name": "words", "type": {"type": "array", "items": "string"}},
        {"name": "perhaps", "type": ["null", "string"], "default": None},
    )
    values = {"one": {"name": "a"}, "many": [{"name": "b"}, {"name": "c", "count": 3}], "words": ["w"]}
    assert with_defaults(values, schema) == {
        "one": {"name": "a", "count": 1},
        "many": [{"name": "b", "count": 1}, {"name": "c", "count": 3}],
        "words": ["w"],
        "perhaps": None,
    }


def test_every_upcaster_starts_from_a_version_that_was() -> None:
    steps = {(row.full_name, step) for row in CATALOGUE for step in range(1, row.newest)}
    assert set(UPCASTERS) <= steps
    names = {name.rpartition(".")[2] for name, _ in itertools.chain(UPCASTERS)}
    assert names <= {row.name for row in CATALOGUE}

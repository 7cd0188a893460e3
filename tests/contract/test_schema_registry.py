"""The contract of a schema registry, met by the one in memory and by a real one."""

import copy
import json
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from uuid import uuid4

import pytest

from adapters.schema_registry import (
    COMPATIBILITY,
    ConfluentSchemaRegistry,
    ContractMismatch,
    InMemorySchemaRegistry,
    RegistryUnavailable,
    SchemaIncompatible,
    SchemaRegistry,
    codec_of,
)
from adapters.settings import load_settings
from ops.schemas import register_all, standings_of
from schemas.avsc import bare
from schemas.catalogue import CATALOGUE
from schemas.codec import DecodeError, UnknownEventType
from schemas.decode_errors import UnknownSchemaId
from schemas.topics import Topics
from tests.golden.examples import EXAMPLES
from tests.servers import World

SEEN: Any = {
    "type": "record",
    "namespace": "test",
    "name": "Seen",
    "fields": [{"name": "what", "type": "string"}, {"name": "count", "type": "int"}],
}


@pytest.fixture(params=["memory", "real"])
def registry(request: pytest.FixtureRequest) -> Iterator[SchemaRegistry]:
    if request.param == "memory":
        yield InMemorySchemaRegistry()
        return
    world: World = request.getfixturevalue("world")
    real = ConfluentSchemaRegistry(world.settings("registry").registry)
    yield real
    real.close()


@pytest.fixture
def subject() -> str:
    return f"subject-{uuid4()}"


@pytest.fixture
def topics() -> Topics:
    return Topics(prefix=f"t{uuid4().hex[:12]}")


def changed(**changes: Any) -> str:
    """SEEN with other fields: a field of None goes, others come or are replaced."""
    schema = copy.deepcopy(SEEN)
    fields = {field["name"]: field for field in schema["fields"]} | changes
    schema["fields"] = [field for field in fields.values() if field is not None]
    return json.dumps(schema)


def test_what_was_registered_is_found(registry: SchemaRegistry, subject: str) -> None:
    assert not registry.exists(subject)
    assert registry.lookup(subject, json.dumps(SEEN)) is None
    number = registry.register(subject, json.dumps(SEEN))
    assert registry.exists(subject)
    assert registry.lookup(subject, json.dumps(SEEN)) == number
    assert registry.lookup(f"{subject}-other", json.dumps(SEEN)) is None
    found = registry.schema(number)
    assert found is not None
    assert bare(found) == bare(SEEN)


def test_layout_and_documentation_make_no_other_schema(registry: SchemaRegistry, subject: str) -> None:
    number = registry.register(subject, json.dumps(SEEN))
    assert registry.register(subject, json.dumps(SEEN, indent=3)) == number
    documented = json.dumps({**SEEN, "doc": "What was seen."})
    assert registry.lookup(subject, documented) == number


def test_another_schema_is_not_found(registry: SchemaRegistry, subject: str) -> None:
    registry.register(subject, json.dumps(SEEN))
    assert registry.lookup(subject, changed(mood={"name": "mood", "type": "string"})) is None


def test_registering_twice_is_registering_once(registry: SchemaRegistry, subject: str) -> None:
    assert registry.register(subject, json.dumps(SEEN)) == registry.register(subject, json.dumps(SEEN))


def test_an_id_that_nobody_gave(registry: SchemaRegistry) -> None:
    assert registry.schema(2**31 - 1) is None
    assert registry.schema(2**32 - 1) is None
    assert registry.schema(0) is None


def test_compatibility_is_the_subjects_own(registry: SchemaRegistry, subject: str) -> None:
    assert registry.compatibility(subject) is None
    registry.set_compatibility(subject, COMPATIBILITY)
    assert registry.compatibility(subject) == COMPATIBILITY
    assert registry.compatibility(f"{subject}-other") is None


OPTIONAL = {"name": "mood", "type": ["null", "string"], "default": None}


def test_a_compatible_change_is_a_new_schema(registry: SchemaRegistry, subject: str) -> None:
    registry.set_compatibility(subject, COMPATIBILITY)
    first = registry.register(subject, json.dumps(SEEN))
    second = registry.register(subject, changed(mood=OPTIONAL))
    assert first != second
    assert registry.lookup(subject, json.dumps(SEEN)) == first
    assert registry.register(subject, changed(mood=OPTIONAL)) == second


@pytest.mark.parametrize(
    "newer",
    [
        changed(mood={"name": "mood", "type": "string"}),
        changed(count=None),
        changed(count=None, number={"name": "number", "type": "int"}),
        changed(count={"name": "count", "type": "string"}),
        changed(count={"name": "count", "type": "long"}),
        changed(count={"name": "count", "type": ["null", "int"], "default": None}),
    ],
    ids=["no default", "gone", "renamed", "other type", "promoted", "optional"],
)
def test_an_incompatible_change_is_refused(registry: SchemaRegistry, subject: str, newer: str) -> None:
    registry.set_compatibility(subject, COMPATIBILITY)
    registry.register(subject, json.dumps(SEEN))
    with pytest.raises(SchemaIncompatible):
        registry.register(subject, newer)
    assert registry.lookup(subject, newer) is None


def test_every_ancestor_counts(registry: SchemaRegistry, subject: str) -> None:
    """Each step would do after the one before, yet the third can't read the first: TRANSITIVE."""
    registry.set_compatibility(subject, COMPATIBILITY)
    registry.register(subject, json.dumps(SEEN))
    registry.register(subject, changed(mood=OPTIONAL))
    with pytest.raises(SchemaIncompatible):
        registry.register(subject, changed(mood={"name": "mood", "type": "int", "default": 0}))
    registry.register(subject, changed(weather=OPTIONAL | {"name": "weather"}))
    with pytest.raises(SchemaIncompatible):
        registry.register(subject, changed(mood={"name": "mood", "type": "int", "default": 0}))


def test_our_schemas_are_registered_and_stand(registry: SchemaRegistry, topics: Topics) -> None:
    assert all(standing.wrong for standing in standings_of(registry, topics))
    ids = register_all(registry, topics)
    assert register_all(registry, topics) == ids
    assert set(ids) == {file for row in CATALOGUE for file in row.versions}
    standings = list(standings_of(registry, topics))
    assert [standing.wrong for standing in standings] == [""] * len(ids)
    assert {standing.compatibility for standing in standings} == {COMPATIBILITY}


def test_a_codec_from_the_registry(registry: SchemaRegistry, topics: Topics) -> None:
    ids = register_all(registry, topics)
    codec = codec_of(registry, topics)
    for event in EXAMPLES:
        value = codec.encode(event)
        assert codec.decode(value) == event
        name = f"{type(event).__name__}.v1.avsc"
        assert int.from_bytes(value[1:5], "big") == next(
            ids[file] for file in ids if file.endswith(f"/{name}")
        )
    with pytest.raises(UnknownSchemaId):
        codec.decode(b"\0\x7f\xff\xff\xff...")


def test_a_codec_learns_of_types_that_came_later(registry: SchemaRegistry, topics: Topics) -> None:
    register_all(registry, topics)
    codec = codec_of(registry, topics)
    number = registry.register(f"{topics.assets}-test.Seen", json.dumps(SEEN))
    with pytest.raises(UnknownEventType) as caught:
        codec.decode(b"\0" + number.to_bytes(4, "big") + b"...")
    assert caught.value.full_name == "test.Seen"


def test_a_registry_without_our_schemas_is_refused(registry: SchemaRegistry, topics: Topics) -> None:
    with pytest.raises(ContractMismatch) as caught:
        codec_of(registry, topics)
    assert len(caught.value.sentences) == len(CATALOGUE)
    assert all("ops schemas register" in sentence for sentence in caught.value.sentences)


def test_a_registry_with_another_contract_is_refused(registry: SchemaRegistry, topics: Topics) -> None:
    register_all(registry, topics)
    other = Topics(prefix=f"{topics.prefix}x")
    for row in CATALOGUE:
        registry.register(row.subject(other), json.dumps(SEEN))
    with pytest.raises(ContractMismatch, match="has no schema like"):
        codec_of(registry, other)


class Sometimes(InMemorySchemaRegistry):
    """A registry that is away for the first few calls, and counts the rest."""

    def __init__(self, silent: int) -> None:
        super().__init__()
        self.silent, self.asked = silent, 0

    def lookup(self, subject: str, schema: str) -> int | None:
        if self.silent:
            self.silent -= 1
            raise RegistryUnavailable("away")
        return super().lookup(subject, schema)

    def schema(self, schema_id: int) -> dict[str, object] | None:
        self.asked += 1
        return super().schema(schema_id)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.schema_registry.loading._PAUSE_SECONDS", 0.01)


@pytest.mark.usefixtures("hurried")
def test_a_registry_that_is_away_is_waited_for(topics: Topics) -> None:
    registry = Sometimes(0)
    register_all(registry, topics)
    registry.silent = 3
    assert codec_of(registry, topics).encode(EXAMPLES[0])
    stop = threading.Event()
    stop.set()
    registry.silent = 3
    with pytest.raises(RegistryUnavailable):
        codec_of(registry, topics, stop=stop)


def test_an_unknown_id_is_asked_for_once(topics: Topics) -> None:
    """A flood of poisoned records is not a flood of questions."""
    registry = Sometimes(0)
    register_all(registry, topics)
    codec = codec_of(registry, topics)
    for _ in range(50):
        with pytest.raises(DecodeError):
            codec.decode(b"\0\0\0\xff\xff...")
    assert registry.asked == 1


def test_nobody_who_is_warm_asks_again(topics: Topics) -> None:
    registry = Sometimes(0)
    register_all(registry, topics)
    codec = codec_of(registry, topics)
    registry.silent = 10**9
    for event in EXAMPLES:
        assert codec.decode(codec.encode(event)) == event
    assert registry.asked == 0


def test_a_registry_that_nobody_serves() -> None:
    settings = load_settings({"SCHEMA_REGISTRY_URL": "http://127.0.0.1:9"})
    registry = ConfluentSchemaRegistry(settings.registry)
    with closing(registry), pytest.raises(RegistryUnavailable):
        registry.exists("anything")

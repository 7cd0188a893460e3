"""Schemas in a real registry: registered, checked, and refused when they can't follow what is there."""

import json
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from confluent_kafka import Producer

from adapters.schema_registry import COMPATIBILITY, ConfluentSchemaRegistry, load_codec
from schemas.avsc import avsc
from schemas.catalogue import CATALOGUE, by_full_name
from schemas.codec import Codec
from schemas.decode_errors import WrongSchema
from schemas.envelope import Metadata, headers_for
from schemas.events import ProcessingFailed, ProcessingStarted
from tests.golden.examples import EVENT_ID, EXAMPLES
from tests.integration.contract.commands import run_ops
from tests.servers import Servers, World

STARTED = next(event for event in EXAMPLES if isinstance(event, ProcessingStarted))
FAILED = next(event for event in EXAMPLES if isinstance(event, ProcessingFailed))


@pytest.fixture
def fresh(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> World:
    """A world of the test's own: subjects stay for ever."""
    return World(servers=servers, env=servers.environment(), folder=tmp_path_factory.mktemp("world"))


@pytest.fixture
def registry(fresh: World) -> Iterator[ConfluentSchemaRegistry]:
    with closing(ConfluentSchemaRegistry(fresh.settings().registry)) as registry:
        yield registry


def test_registered_twice_is_registered_once(fresh: World) -> None:
    missing = run_ops(fresh, "schemas", "check")
    assert missing.returncode == 3
    assert missing.stderr.count("Run `python -m ops schemas register`.") == len(CATALOGUE)

    first = run_ops(fresh, "schemas", "register", "--json")
    assert first.returncode == 0, first.stderr
    again = run_ops(fresh, "schemas", "register", "--json")
    assert json.loads(again.stdout) == json.loads(first.stdout)
    assert len(json.loads(first.stdout)) == len(CATALOGUE)

    checked = run_ops(fresh, "schemas", "check", "--json")
    assert checked.returncode == 0, checked.stderr
    told = json.loads(checked.stdout)
    assert told["wrong"] == []
    assert {one["compatibility"] for one in told["schemas"]} == {COMPATIBILITY}
    assert {one["subject"] for one in told["schemas"]} == {
        row.subject(fresh.settings().kafka.topics) for row in CATALOGUE
    }


def test_an_incompatible_change_is_refused(fresh: World, registry: ConfluentSchemaRegistry) -> None:
    """What stands under our subject is somebody's schema without two of our fields."""
    row = by_full_name()["darkroom.assets.ProcessingStarted"]
    subject = row.subject(fresh.settings().kafka.topics)
    other: Any = json.loads(json.dumps(avsc(row, 1)))
    del other["fields"][3:5]
    registry.set_compatibility(subject, COMPATIBILITY)
    registry.register(subject, json.dumps(other))
    refused = run_ops(fresh, "schemas", "register")
    assert refused.returncode == 3
    assert f"ProcessingStarted.v1.avsc can't follow what {subject} has" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_loosened_subject_is_noticed_and_tightened(fresh: World, registry: ConfluentSchemaRegistry) -> None:
    assert run_ops(fresh, "schemas", "register").returncode == 0
    subject = CATALOGUE[0].subject(fresh.settings().kafka.topics)
    registry.set_compatibility(subject, "NONE")
    noticed = run_ops(fresh, "schemas", "check")
    assert noticed.returncode == 3
    assert f"Subject {subject} has NONE, not {COMPATIBILITY}." in noticed.stderr
    assert run_ops(fresh, "schemas", "register").returncode == 0
    assert run_ops(fresh, "schemas", "check").returncode == 0


def append_raw(world: World, topic: str, value: bytes, headers: list[tuple[str, str | bytes | None]]) -> None:
    producer = Producer(world.settings().kafka.client())
    producer.produce(topic, value=value, key=b"k", headers=headers)
    assert producer.flush(30) == 0


def test_a_registry_that_was_filled_anew_is_found_out(fresh: World) -> None:
    """The ids in the log mean other schemas now: the headers of the records tell."""
    assert run_ops(fresh, "topics", "apply").returncode == 0
    assert run_ops(fresh, "schemas", "register").returncode == 0
    codec = load_codec(fresh.settings())
    topic = fresh.settings().kafka.topics.assets
    metadata = Metadata(correlation_id=EVENT_ID, source="/test")
    headers: list[tuple[str, str | bytes | None]] = [*headers_for(STARTED, metadata)]
    append_raw(fresh, topic, b"poison", [])
    append_raw(fresh, topic, codec.encode(STARTED), headers)
    assert run_ops(fresh, "schemas", "check", "--log").returncode == 0

    as_if = codec.encode(FAILED)[:5] + codec.encode(STARTED)[5:]
    append_raw(fresh, topic, as_if, headers)
    found = run_ops(fresh, "schemas", "check", "--log")
    assert found.returncode == 3
    assert (
        "is darkroom.assets.ProcessingFailed in the registry, but darkroom.assets.Processing" in found.stderr
    )
    with pytest.raises(WrongSchema):
        load_codec(fresh.settings()).decode(as_if, headers=headers)


def test_a_registry_that_does_not_answer(fresh: World) -> None:
    left = run_ops(fresh, "schemas", "register", "--wait", "1", SCHEMA_REGISTRY_URL="http://127.0.0.1:9")
    assert left.returncode == 1
    assert "The registry at http://127.0.0.1:9 can't be reached" in left.stderr
    assert "Traceback" not in left.stderr


def test_who_is_warm_goes_on_without_the_registry(fresh: World) -> None:
    assert run_ops(fresh, "schemas", "register").returncode == 0
    codec = load_codec(fresh.settings())
    with fresh.servers.registry.down():
        for event in EXAMPLES:
            assert codec.decode(codec.encode(event)) == event


def test_ids_outlive_a_restart_of_the_registry(fresh: World) -> None:
    assert run_ops(fresh, "schemas", "register").returncode == 0
    before = load_codec(fresh.settings()).encode(STARTED)
    fresh.servers.registry.restart()
    assert load_codec(fresh.settings()).encode(STARTED) == before
    assert load_codec(fresh.settings()).decode(before) == STARTED


def test_our_own_ids_are_not_the_registrys(fresh: World) -> None:
    """A codec without a registry is for tests: nothing says that its ids mean the same elsewhere."""
    assert run_ops(fresh, "schemas", "register").returncode == 0
    began = time.monotonic()
    codec = load_codec(fresh.settings())
    assert time.monotonic() - began < 30
    assert codec.encode(STARTED)[5:] == Codec.local().encode(STARTED)[5:]

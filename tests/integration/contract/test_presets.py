"""Preset sets in a real log: defined once, activated, and kept."""

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.clock import SystemClock
from adapters.schema_registry import load_codec
from ops.presets.defining import missing_events
from schemas.events import PresetSetActivated, PresetSetDefined
from schemas.presets import DEFAULT_PRESETS, preset_set_hash, presets_from_json
from tests.contract.ground import read
from tests.integration.contract.commands import run_ops
from tests.servers import World

WIDE = [{"name": "wide", "width": 2000, "height": 500, "fit": "contain", "formats": ["webp"], "quality": 70}]
DEFAULT = preset_set_hash(DEFAULT_PRESETS)


@pytest.fixture
def ground(world: World) -> World:
    for words in (("topics", "apply"), ("schemas", "register")):
        assert run_ops(world, *words).returncode == 0
    return world


def said(world: World) -> list[Any]:
    """The events of the operations topic, in order."""
    settings = world.settings()
    codec = load_codec(settings)
    records = read(settings.kafka, settings.kafka.topics.operations)
    return [codec.decode(record.value, headers=record.headers) for record in records]


def test_defined_once_and_kept_until_another_is_chosen(ground: World, tmp_path: Path) -> None:
    first = run_ops(ground, "presets", "define", "--json")
    assert first.returncode == 0, first.stderr
    names = ["PresetSetDefined", "PresetSetActivated"]
    assert json.loads(first.stdout) == [{"event": name, "preset_set": DEFAULT} for name in names]
    assert json.loads(run_ops(ground, "presets", "define", "--json").stdout) == []

    file = tmp_path / "wide.json"
    file.write_text(json.dumps(WIDE), "utf-8")
    other = preset_set_hash(presets_from_json(file.read_text("utf-8")))
    chosen = run_ops(ground, "presets", "define", str(file), "--json")
    assert [row["preset_set"] for row in json.loads(chosen.stdout)] == [other, other]
    assert json.loads(run_ops(ground, "presets", "define", "--json").stdout) == []

    file.write_text(json.dumps([{**WIDE[0], "width": 0}]), "utf-8")
    refused = run_ops(ground, "presets", "define", str(file))
    assert refused.returncode == 2
    assert "a side of 0 pixels" in refused.stderr

    defined, activated, wide, active = said(ground)
    assert isinstance(defined, PresetSetDefined)
    assert (defined.preset_set, defined.presets) == (DEFAULT, DEFAULT_PRESETS)
    assert isinstance(activated, PresetSetActivated)
    assert isinstance(wide, PresetSetDefined)
    assert [activated.preset_set, wide.preset_set, active.preset_set] == [DEFAULT, other, other]


def test_a_broker_that_does_not_answer(ground: World) -> None:
    left = run_ops(ground, "presets", "define", "--wait", "1", KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:9")
    assert left.returncode == 1
    assert "can't be reached" in left.stderr
    assert "Traceback" not in left.stderr


@pytest.mark.parametrize(
    ("presets", "defined", "active", "events"),
    [
        (None, False, None, ["PresetSetDefined", "PresetSetActivated"]),
        (None, True, None, ["PresetSetActivated"]),
        (None, False, "other", []),
        (None, True, DEFAULT, []),
        (DEFAULT_PRESETS, True, DEFAULT, []),
        (DEFAULT_PRESETS, True, "other", ["PresetSetActivated"]),
        (DEFAULT_PRESETS, False, "other", ["PresetSetDefined", "PresetSetActivated"]),
    ],
)
def test_only_what_is_missing_is_appended(
    presets: Any, defined: bool, active: str, events: list[str]
) -> None:
    now = SystemClock().now()
    missing = missing_events(presets, defined=defined, active=active, now=now)
    assert [type(event).__name__ for event in missing] == events
    assert all(event.preset_set == DEFAULT and event.occurred_at == now for event in missing)

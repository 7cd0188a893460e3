"""What is known of preset sets follows the operations topic, event by event."""

from datetime import UTC, datetime
from uuid import uuid4

from adapters.operations import InMemoryPresetSets
from adapters.operations_known import Known, learn
from schemas.events import PresetSetActivated, PresetSetDefined
from schemas.presets import DEFAULT_PRESETS, preset_set_hash

NOW = datetime(2026, 5, 17, tzinfo=UTC)
NAME = preset_set_hash(DEFAULT_PRESETS)


def defined(name: str = NAME) -> PresetSetDefined:
    return PresetSetDefined(event_id=uuid4(), occurred_at=NOW, preset_set=name, presets=DEFAULT_PRESETS)


def activated(name: str) -> PresetSetActivated:
    return PresetSetActivated(event_id=uuid4(), occurred_at=NOW, preset_set=name)


def test_the_last_activation_counts_and_definitions_stay() -> None:
    known = Known()
    for event in (defined(), activated(NAME), defined("other"), activated("other"), activated(NAME)):
        known = learn(known, event)
    assert known.active == NAME
    assert known.definitions == {NAME: DEFAULT_PRESETS, "other": DEFAULT_PRESETS}


def test_a_definition_is_never_replaced() -> None:
    known = learn(Known(), defined())
    other = PresetSetDefined(event_id=uuid4(), occurred_at=NOW, preset_set=NAME, presets=DEFAULT_PRESETS[:1])
    assert learn(known, other) is known


def test_the_twin_knows_what_it_is_told() -> None:
    sets = InMemoryPresetSets([defined()])
    assert (sets.active(), sets.definition(NAME), sets.definition("other")) == (None, DEFAULT_PRESETS, None)
    sets.apply(activated(NAME))
    assert sets.active() == NAME

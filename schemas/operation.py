"""What the operations log tells of: preset sets and runs, each a stream of its own, folded purely."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never
from uuid import UUID

from schemas import run
from schemas.events import (
    Preset,
    PresetEvent,
    PresetSetActivated,
    PresetSetDefined,
    RunEvent,
)
from schemas.run import RunState

StreamEvent = PresetEvent | RunEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetSetState:
    """One preset set; `activations` are the event ids by which it became the active one, so far."""

    preset_set: str
    presets: tuple[Preset, ...]
    defined_at: datetime
    activated_at: datetime | None = None
    activations: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationState:
    """A preset set or a run: one of them."""

    preset_set: PresetSetState | None = None
    run: RunState | None = None


@dataclass(frozen=True, slots=True)
class Folded:
    """The state after an event, and whether the event had any part in it."""

    state: OperationState | None
    accepted: bool


def fold(state: OperationState | None, event: StreamEvent) -> Folded:
    """The stream's state after `event`: the very same object where the event has no part in it."""
    after = evolve(state, event)
    return Folded(after, after is not state)


def evolve(state: OperationState | None, event: StreamEvent) -> OperationState | None:
    """As `fold`."""
    if isinstance(event, PresetEvent):
        known = None if state is None else state.preset_set
        preset_set = _preset_set(known, event)
        return state if preset_set is known else OperationState(preset_set=preset_set)
    before = None if state is None else state.run
    after = run.evolve(before, event)
    return state if after is before else OperationState(run=after)


def stream_of(event: StreamEvent) -> str:
    """The stream that an event belongs to: the key of its record as a text."""
    return event.preset_set if isinstance(event, PresetEvent) else str(event.run_id)


def _preset_set(state: PresetSetState | None, event: PresetEvent) -> PresetSetState | None:
    """A definition is never replaced, its name is made of it; each activation counts once."""
    match event:
        case PresetSetDefined():
            if state is not None:
                return state
            return PresetSetState(
                preset_set=event.preset_set, presets=event.presets, defined_at=event.occurred_at
            )
        case PresetSetActivated():
            if state is None or event.event_id in state.activations:
                return state
            return replace(
                state,
                activated_at=event.occurred_at,
                activations=(*state.activations, event.event_id),
            )
        case _:
            assert_never(event)

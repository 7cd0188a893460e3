"""Runs and preset sets: one rule a test, and that no repeat and no old record moves anything."""

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events import RunCounts
from schemas.operation import OperationState, StreamEvent, evolve, fold, stream_of
from schemas.run import STEPS_KEPT, RunState
from schemas.state_codec import decode_state, encode_state, state_format
from tests.unit.projections.operation_stories import (
    NAMES,
    SETS,
    activated,
    begun,
    cancelled,
    counted,
    defined,
    paused,
    resumed,
    whole,
)
from tests.unit.schemas.strategies import any_event

VERSION = st.none() | st.integers(0, 4)
AT = st.integers(0, 60)
OF_ONE_RUN: st.SearchStrategy[StreamEvent] = st.one_of(
    st.builds(begun, st.just(0), AT),
    st.builds(paused, st.just(0), VERSION, AT),
    st.builds(resumed, st.just(0), VERSION, AT),
    st.builds(cancelled, st.just(0), VERSION, AT),
    st.builds(counted, st.just(0), AT),
)
OF_ONE_SET: st.SearchStrategy[StreamEvent] = st.one_of(
    st.builds(defined, st.just(0), AT), st.builds(activated, st.just(0), AT)
)


def after(*events: StreamEvent) -> OperationState:
    """The state after events of which every one is accepted."""
    state: OperationState | None = None
    for event in events:
        step = fold(state, event)
        assert step.accepted, event
        state = step.state
    assert state is not None
    return state


def run_after(*events: StreamEvent) -> RunState:
    run = after(*events).run
    assert run is not None
    return run


def test_a_run_from_its_start_to_its_counts() -> None:
    run = run_after(*whole(0))
    assert (run.status, run.version, run.paused_at) == ("completed", 3, None)
    assert run.counts == RunCounts(requested=5, completed=4, failed=1, skipped=2)
    assert (run.preset_set, run.filter, run.kind) == (NAMES[0], '{"status":"ready"}', "regenerate")


@pytest.mark.parametrize("version", [None, 0, 2])
def test_a_pause_counts_on_its_version_alone(version: int | None) -> None:
    """So an old one that comes again does not stop what somebody let go on."""
    state = after(begun(0))
    assert evolve(state, paused(0, version)) is state
    assert evolve(after(begun(0), paused(0, 1)), resumed(0, version and 1)) is not None


def test_a_cancelled_run_stays_so_and_is_counted_once() -> None:
    state = after(begun(0), cancelled(0))
    assert state.run is not None
    assert (state.run.status, state.run.counts) == ("cancelled", None)
    assert evolve(state, resumed(0, 2)) is state
    counted_up = after(begun(0), cancelled(0), counted(0))
    assert counted_up.run is not None
    assert (counted_up.run.status, counted_up.run.ended_at) == ("cancelled", state.run.ended_at)
    assert evolve(counted_up, counted(0, 9, failed=5)) is counted_up


def test_a_paused_run_may_be_complete_or_cancelled() -> None:
    assert run_after(begun(0), paused(0, 1), counted(0)).status == "completed"
    assert run_after(begun(0), paused(0, 1), cancelled(0, 2)).status == "cancelled"
    ended = after(*whole(0))
    assert evolve(ended, cancelled(0)) is ended


def test_of_a_run_that_nobody_started_nothing_is_known() -> None:
    for event in (paused(0, 1), resumed(0, 1), cancelled(0), counted(0), activated(0)):
        assert evolve(None, event) is None


def test_a_definition_is_never_replaced_and_an_activation_counts_once() -> None:
    state = after(defined(0), activated(0))
    assert state.preset_set is not None
    assert (state.preset_set.presets, len(state.preset_set.activations)) == (SETS[0], 1)
    other = dataclasses.replace(defined(0, 9), presets=SETS[1])
    assert evolve(state, other) is state
    assert evolve(state, activated(0)) is state
    again = after(defined(0), activated(0), activated(0, 9))
    assert again.preset_set is not None
    assert again.preset_set.activated_at != state.preset_set.activated_at


def test_a_run_knows_the_last_events_that_steered_it() -> None:
    run = run_after(begun(0), paused(0, 1), resumed(0, 2), cancelled(0))
    assert run.steered == (paused(0, 1).event_id, resumed(0, 2).event_id, cancelled(0).event_id)
    assert run_after(*whole(0)).steered, "also once it is over"
    steps = [paused(0, n, at=n) if n % 2 else resumed(0, n, at=n) for n in range(1, STEPS_KEPT + 3)]
    many = run_after(begun(0), *steps)
    assert many.steered == tuple(step.event_id for step in steps[-STEPS_KEPT:])


@given(st.one_of(st.lists(OF_ONE_RUN, max_size=15), st.lists(OF_ONE_SET, max_size=8)))
def test_no_accepted_event_is_accepted_again(events: list[StreamEvent]) -> None:
    state: OperationState | None = None
    accepted: list[StreamEvent] = []
    for event in events:
        step = fold(state, event)
        state = step.state
        if step.accepted:
            accepted.append(event)
        assert all(evolve(state, old) is state for old in accepted)
        if state is not None:
            assert decode_state(OperationState, encode_state(state)) == state


@given(any_event())
def test_any_event_at_all_can_be_folded(event: Any) -> None:
    if isinstance(event, StreamEvent):
        step = fold(None, event)
        assert step.accepted == (step.state is not None)
        assert isinstance(stream_of(event), str)


def test_the_format_of_states_has_a_name() -> None:
    """Who keeps states folds them anew when this name changes: bump the read model's version with it."""
    assert state_format(OperationState) == "427cbe77a13dcbaa"

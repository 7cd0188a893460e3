"""A life that is told at once comes to what folding its events comes to."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events import AssetEvent
from schemas.lifecycle import AssetState, fold
from schemas.whole_life import LENGTH, state_of, whole_life
from tests.unit.schemas.asset_events import completed, folded, ready, requested, started
from tests.unit.schemas.test_lifecycle_properties import ANY_ORDER

USUAL: list[AssetEvent] = [requested(), completed(), started(), ready()]
ATTEMPTS = st.integers(-1, 4)
VERSIONS = st.none() | st.integers(0, 3)


@st.composite
def nearly_usual(draw: st.DrawFn) -> list[AssetEvent]:
    """The four events, each as the others want it or not."""
    two = st.sampled_from([0, 0, 0, 1])
    events: list[AssetEvent] = [
        requested(upload=draw(two), expected_version=draw(VERSIONS)),
        completed(
            upload=draw(two), job=draw(two), original=draw(two), expected_version=draw(VERSIONS), lane="bulk"
        ),
        started(job=draw(two), attempt=draw(ATTEMPTS)),
        ready(
            job=draw(two),
            attempt=draw(ATTEMPTS),
            original=draw(two),
            metadata_key=draw(st.none() | st.just("m")),
        ),
    ]
    return events


def one_by_one(events: list[AssetEvent]) -> AssetState | None:
    """The state after them; None where one is not accepted."""
    state: AssetState | None = None
    for event in events:
        state, accepted = fold(state, event)
        if not accepted:
            return None
    return state


@settings(max_examples=500, deadline=None)
@given(nearly_usual())
def test_it_is_told_at_once_where_and_only_where_each_event_is_accepted(events: list[AssetEvent]) -> None:
    life = whole_life(events)
    assert (None if life is None else state_of(life)) == one_by_one(events)


@settings(max_examples=300, deadline=None)
@given(st.lists(ANY_ORDER, min_size=LENGTH, max_size=LENGTH) | st.permutations(USUAL))
def test_whatever_else_is_told_at_once_is_what_the_fold_says(events: list[AssetEvent]) -> None:
    if (life := whole_life(events)) is not None:
        assert state_of(life) == one_by_one(events)


@pytest.mark.parametrize("at", range(LENGTH))
@pytest.mark.parametrize("name", ["asset_id", "owner_id", "upload_id", "job_id", "object_key"])
def test_one_event_that_is_another_s_is_for_the_fold(at: int, name: str) -> None:
    strange: Any = USUAL[at]
    if not hasattr(strange, name):
        return
    strange = replace(strange, **{name: "another" if name == "object_key" else UUID(int=99)})
    events = [*USUAL[:at], strange, *USUAL[at + 1 :]]
    life = whole_life(events)
    assert (None if life is None else state_of(life)) == one_by_one(events)


def test_the_usual_life_is_told_at_once() -> None:
    life = whole_life(USUAL)
    assert life is not None
    assert state_of(life) == folded(USUAL)


@pytest.mark.parametrize("gone", range(LENGTH))
def test_a_life_that_says_something_twice_is_for_the_fold(gone: int) -> None:
    events = [*USUAL[:gone], USUAL[gone - 1], *USUAL[gone + 1 :]]
    assert whole_life(events) is None

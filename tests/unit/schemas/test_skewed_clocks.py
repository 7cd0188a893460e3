"""R21: what an asset comes to is decided by the order of its events, never by the clocks that wrote them."""

import dataclasses
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from schemas.events import AssetEvent
from schemas.lifecycle import AssetState, fold
from tests.unit.schemas.asset_events import (
    asked_again,
    completed,
    deleted,
    failed,
    ready,
    requested,
    restored,
    started,
    updated,
)

HOURS = 2
STORY: Sequence[AssetEvent] = [
    requested(0),
    completed(1),
    started(2),
    failed(3, "interrupted", code="shutdown", will_retry=True),
    started(4, attempt=2),
    ready(5, attempt=2),
    updated(2, 6),
    asked_again(7),
    started(8, job=1),
    ready(9, job=1),
    deleted(4, 10),
    restored(5, 11),
]


def told(events: Sequence[AssetEvent]) -> tuple[AssetState | None, list[bool]]:
    """What they came to, and which of them had a part in it."""
    state, accepted = None, []
    for event in events:
        after = fold(state, event)
        state = after.state
        accepted.append(after.accepted)
    return state, accepted


def timeless(value: Any) -> Any:
    """The same without what a clock said."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: timeless(getattr(value, each.name)) for each in dataclasses.fields(value)}
    if isinstance(value, tuple | list):
        return [timeless(each) for each in value]
    return "a moment" if isinstance(value, datetime) else value


@pytest.mark.parametrize("seed", range(20))
def test_clocks_that_are_hours_apart_change_no_more_than_the_times_that_are_shown(seed: int) -> None:
    """R21: each event by a machine of its own, up to two hours ahead or behind."""
    chance = random.Random(seed)
    skewed = [
        dataclasses.replace(
            event, occurred_at=event.occurred_at + timedelta(hours=chance.uniform(-HOURS, HOURS))
        )
        for event in STORY
    ]
    state, accepted = told(STORY)
    other, accepted_too = told(skewed)
    assert accepted == accepted_too
    assert all(accepted)
    assert timeless(state) == timeless(other)
    assert state != other

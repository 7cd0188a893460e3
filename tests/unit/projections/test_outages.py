"""Patience with outages, and what is said meanwhile."""

import threading
from collections.abc import Callable

import psycopg
import pytest

from adapters.telemetry import Condition, Loop, Metrics
from projections.checkpoints import Fenced
from projections.outages import Patience, Stopping


class Counted(Loop):
    """A loop whose beats are counted."""

    beats = 0

    def beat(self) -> None:
        self.beats += 1


class Given:
    """A patient one."""

    def __init__(self) -> None:
        self.loop = Counted()
        self.condition = self.loop.condition
        self.stop = threading.Event()
        self.metrics = Metrics()
        self.patience = Patience(metrics=self.metrics.projector, stop=self.stop, loop=self.loop)

    def failing(self, times: int, error: Exception, seen: list[str | None]) -> Callable[[], str]:
        """Fails so many times, noting each time what readiness says."""
        left = [times]

        def act() -> str:
            seen.append(self.condition.reason())
            if left[0]:
                left[0] -= 1
                raise error
            return "done"

        return act


def test_an_outage_is_outlasted_and_told_until_it_is_over() -> None:
    given, seen = Given(), list[str | None]()
    act = given.failing(2, psycopg.OperationalError("connection refused\nwith a second line"), seen)
    assert given.patience.until_done("read models", act) == "done"
    assert seen == [None, *["read models: OperationalError: connection refused"] * 2]
    assert given.condition.reason() is None
    assert given.loop.beats == 3
    assert (
        given.metrics.registry.get_sample_value(
            "darkroom_projector_outages_total", {"dependency": "postgres"}
        )
        == 2
    )


def test_what_is_no_outage_is_raised_and_leaves_no_trouble_behind() -> None:
    given, seen = Given(), list[str | None]()
    outage = given.failing(1, psycopg.OperationalError("away"), seen)

    def act() -> None:
        outage()
        raise Fenced

    with pytest.raises(Fenced):
        given.patience.until_done("read models", act)
    assert given.condition.reason() is None


def test_waiting_ends_when_the_process_is_to_end() -> None:
    given, seen = Given(), list[str | None]()
    fails = given.failing(1_000_000, psycopg.OperationalError("away"), seen)

    def act() -> str:
        if len(seen) == 2:
            given.stop.set()
        return fails()

    with pytest.raises(Stopping):
        given.patience.until_done("read models", act)
    assert len(seen) == 3


def test_other_errors_count_where_they_are_named() -> None:
    given, seen = Given(), list[str | None]()
    act = given.failing(1, LookupError("nothing there"), seen)
    assert given.patience.until_done("log", act, LookupError) == "done"


def test_all_troubles_are_told_together() -> None:
    condition = Condition()
    condition.trouble("a", "one")
    condition.trouble("b", "two")
    assert condition.reason() == "one; two"
    condition.well("a")
    condition.well("a")
    assert condition.reason() == "two"

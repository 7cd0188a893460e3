"""What each loop of a program shows: that it turns, how far it is, what keeps it, and since when."""

import json
import urllib.request
from datetime import timedelta

import pytest

from adapters.following import Following
from adapters.hearing import Hearing
from adapters.settings import load_settings
from adapters.telemetry import Condition, Loop, Loops, Metrics, serve_metrics
from adapters.telemetry.progress import ReadOn


class Given:
    """A program with one loop that reads a log of two partitions; the clocks are set by hand."""

    def __init__(self) -> None:
        self.metrics, self.now = Metrics(), 1_000.0
        self.loops = Loops("variants", timedelta(seconds=30), self.metrics.loops, now=lambda: self.now)
        self.loop = self.loops.expect("preset-sets")
        self.progress = ReadOn(now=lambda: self.now)
        self.loop.reads(self.progress)
        self.progress.begin({0: 0, 1: 7})

    def shown(self, name: str) -> float | None:
        labels = {"component": "variants", "loop": "preset-sets"}
        return self.metrics.registry.get_sample_value(f"darkroom_loop_{name}", labels)


@pytest.fixture
def given() -> Given:
    return Given()


def test_a_loop_at_the_end_of_its_log_is_not_behind(given: Given) -> None:
    given.progress.told({0: 0, 1: 7, 2: 99})
    assert (given.progress.positions(), given.progress.lags()) == ({0: 0, 1: 7}, {0: 0, 1: 0})
    given.now += 5_000
    assert (given.shown("lag_records"), given.shown("lag_seconds")) == (0, 0)


def test_it_is_as_far_behind_as_what_came_after_the_end_that_it_saw(given: Given) -> None:
    given.progress.told({0: 0, 1: 7})
    given.now = 1_002.0
    given.progress.told({0: 3, 1: 7})
    assert (given.shown("lag_records"), given.shown("lag_seconds")) == (3, 2)
    given.progress.read(0, 0, 990_000)
    assert (given.shown("lag_records"), given.shown("lag_seconds")) == (2, 12)
    given.progress.ended(0, 3)
    assert (given.progress.positions()[0], given.shown("lag_seconds")) == (3, 0)


def test_a_backlog_of_a_start_is_as_old_as_its_records(given: Given) -> None:
    given.progress.told({0: 5, 1: 7})
    assert given.shown("lag_records") == 5
    given.progress.read(0, 0, 400_000)
    assert given.shown("lag_seconds") == 600


def test_what_is_of_partitions_that_were_given_up_counts_nothing(given: Given) -> None:
    given.progress.told({0: 5, 1: 7})
    given.progress.begin({1: 7})
    given.progress.read(0, 0, 400_000)
    assert (given.progress.positions(), given.progress.lags()) == ({1: 7}, {1: 0})


def test_the_end_is_one_that_was_told_since_it_began(given: Given) -> None:
    assert not given.progress.complete()
    given.progress.told({0: 0})
    assert not given.progress.complete(), "of the other partition nobody has said"
    given.progress.told({1: 7})
    assert given.progress.complete()
    given.progress.told({1: 8})
    assert not given.progress.complete()
    given.progress.read(1, 7, 1_000_000)
    assert given.progress.complete()
    given.progress.begin({0: 0, 1: 8})
    assert not given.progress.complete(), "what another client was told is old"


def test_a_position_that_is_not_known_yet_is_not_shown(given: Given) -> None:
    given.progress.begin({0: -2})
    given.progress.told({0: 4})
    assert (given.progress.positions(), given.progress.lags()) == ({}, {})
    given.progress.ended(0, 4)
    assert (given.progress.positions(), given.progress.complete()) == ({0: 4}, True)


def test_a_doubted_broker_makes_no_end(monkeypatch: pytest.MonkeyPatch, given: Given) -> None:
    hearing = Hearing(now=lambda: given.now)
    following = Following("t", loop=given.loop, progress=given.progress, hearing=hearing)
    monkeypatch.setattr("adapters.following.ends_of", lambda *_: {0: 0, 1: 7})
    following.look(None)  # type: ignore[arg-type]  # the ends that a consumer has are given above
    assert following.at_the_end()
    hearing.doubt(None)  # type: ignore[arg-type]  # whatever the client complained of
    assert not following.at_the_end()
    hearing.unanswered()
    following.look(None)  # type: ignore[arg-type]
    assert [each.code for each in given.loop.state().troubles] == ["broker: no answer"]
    hearing.answered()
    following.look(None)  # type: ignore[arg-type]
    assert given.loop.state().troubles == ()


def test_a_trouble_begins_once_and_its_last_error_outlives_it(given: Given) -> None:
    given.loop.trouble("broker", "no broker answers at kafka:9092", error="broker: no answer")
    (first,) = given.loop.state().troubles
    given.loop.trouble("broker", "still none", error="broker: no answer")
    (second,) = given.loop.state().troubles
    assert (second.since, second.reason) == (first.since, "still none")
    assert (given.shown("trouble_seconds") or 0) > 0
    assert given.loops.condition.reason() == "still none"
    given.loop.well("broker")
    state = given.loop.state()
    assert (state.troubles, given.shown("trouble_seconds")) == ((), 0)
    assert state.last_error is not None
    assert state.last_error.code == "broker: no answer"


def test_probes_show_the_loops_in_codes_without_words(given: Given) -> None:
    given.progress.told({0: 0, 1: 9})
    given.loop.trouble("topic", "words that could hold anything", error="KafkaException")
    settings = load_settings({"METRICS_PORT": "0"})
    server = serve_metrics(settings, given.metrics, loops=given.loops)
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/readyz", timeout=5) as answer:
            text = answer.read().decode()
    finally:
        server.close()
    said = json.loads(text)
    assert (said["component"], said["stuck"]) == ("variants", None)
    (loop,) = said["loops"]
    since = loop["troubles"][0].pop("since")
    assert loop == {
        "loop": "preset-sets",
        "silent_seconds": 0.0,
        "positions": {"0": 0, "1": 7},
        "lag_records": 2,
        "lag_seconds": 0.0,
        "troubles": [{"code": "KafkaException"}],
        "last_error": {"code": "KafkaException", "at": since},
    }
    assert "words" not in text


def test_a_loop_that_nobody_expected_is_watched_by_nobody() -> None:
    loop = Loop()
    loop.beat()
    loop.reads(ReadOn())
    assert (loop.state().troubles, loop.lag_seconds()) == ((), 0.0)
    assert Condition().reason() is None

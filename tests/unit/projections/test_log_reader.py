"""How a reader of the log gets another client: its loop beats on, and two of one name never meet."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from adapters.telemetry import Condition
from projections.log_reader import LogReader
from projections.outages import Stopping


class SlowToClose:
    """A client whose close waits for brokers that are away; it notes what was done to it and its fellows."""

    back = threading.Event()
    done: list[str] = []  # noqa: RUF012 - of all of a test

    def __init__(self, _config: dict[str, Any]) -> None:
        self.done.append("made")

    def subscribe(self, *_topics: object, **_told: Callable[..., None]) -> None:
        """Joins the group some time."""

    def get_watermark_offsets(self, place: Any, *, cached: bool) -> tuple[int, int]:
        assert cached, "nobody is asked"
        return 0, 10 * (place.partition + 1)

    def poll(self, _seconds: float) -> None:
        """Nothing came."""

    def close(self) -> None:
        assert self.back.wait(20)
        self.done.append("closed")


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> LogReader:
    SlowToClose.back, SlowToClose.done = threading.Event(), []
    monkeypatch.setattr("projections.log_reader.Consumer", SlowToClose)
    return LogReader({}, "t", group="g", member="m", open_at=lambda _: {}, condition=Condition())


def test_the_loop_beats_on_while_the_old_client_closes(reader: LogReader) -> None:
    beats: list[float] = []

    def pause(seconds: float) -> None:
        beats.append(seconds)
        assert SlowToClose.done == ["made"], "another before the old one is closed"
        if len(beats) == 5:
            SlowToClose.back.set()
            while len(SlowToClose.done) == 1:
                threading.Event().wait(0.001)

    reader.positions = {0: 3}
    reader.renew(pause)
    assert (len(beats), SlowToClose.done) == (5, ["made", "closed", "made"])
    assert reader.positions == {}


def test_who_is_told_to_stop_meanwhile_waits_no_longer(
    reader: LogReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(_seconds: float) -> None:
        raise Stopping

    monkeypatch.setattr("projections.log_reader._LAST_SECONDS", 0.01)
    with pytest.raises(Stopping):
        reader.renew(stopped)
    reader.close()
    assert SlowToClose.done == ["made"]
    SlowToClose.back.set()


def test_lags_are_those_of_the_last_look(reader: LogReader) -> None:
    reader.positions = {0: 4, 1: 25}
    assert reader.lags() == {}
    reader.read(1, 0.0)
    assert reader.lags() == {0: 6, 1: 0}
    reader.positions = {1: 15}
    assert reader.lags() == {1: 5}

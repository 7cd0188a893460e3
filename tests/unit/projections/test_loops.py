"""Several loops in one process: what one is in trouble with, all are; they end together."""

import threading

import pytest

from adapters.telemetry.condition import Condition
from projections.__main__ import main
from projections.loops import run_all


def test_each_loop_speaks_of_its_own_troubles_and_the_process_of_all() -> None:
    whole = Condition()
    assets, identity = whole.part("assets"), whole.part("identity")
    assets.trouble("log", "log: away")
    identity.trouble("log", "log: away")
    assert whole.reason() == "log: away"
    assets.well("log")
    assert (assets.reason(), identity.reason(), whole.reason()) == (None, "log: away", "log: away")
    whole.trouble("start", "starting")
    assert assets.reason() is None
    assert whole.reason() == "log: away; starting"
    identity.well("log")
    whole.well("start")
    assert whole.reason() is None


def test_the_first_loop_that_fails_ends_the_others_and_is_heard() -> None:
    stop, ended = threading.Event(), []

    def waits() -> None:
        assert stop.wait(10)
        ended.append("waits")

    def fails() -> None:
        raise LookupError("no such thing")

    with pytest.raises(LookupError, match="no such thing"):
        run_all({"waits": waits, "fails": fails}, stop)
    assert ended == ["waits"]


def test_loops_that_are_told_to_stop_return() -> None:
    stop = threading.Event()
    threading.Timer(0.05, stop.set).start()
    run_all({"a": lambda: assert_waited(stop), "b": lambda: assert_waited(stop)}, stop)


def assert_waited(stop: threading.Event) -> None:
    assert stop.wait(10)


def test_a_loop_that_there_is_not_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["asets"])
    assert ended.value.code == 2
    assert "assets, identity, operations" in capsys.readouterr().err

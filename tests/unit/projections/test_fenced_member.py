"""A projector that was fenced goes on as the next client of its name; fenced again and again it gives way."""

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, ClassVar, cast

import pytest

from adapters.telemetry import Loop, Metrics
from projections.log_reader import Expelled, LogReader
from projections.outages import Patience
from projections.projector import Projector


class FencedReader:
    """A reader whose every client is fenced at its first look."""

    def __init__(self) -> None:
        self.renewed = 0

    def read(self, _most: int, _seconds: float) -> list[Any]:
        raise Expelled("fenced by another with the same name")

    def renew(self, pause: Callable[[float], None]) -> None:
        pause(0.0)
        self.renewed += 1


def test_it_comes_back_three_times_a_minute_and_then_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, now = FencedReader(), [0.0]
    monkeypatch.setattr("projections.projector.time.monotonic", lambda: now[0])
    projector = projector_of(reader)
    for now[0] in (0.0, 10.0, 20.0):
        assert projector._read() == []
    assert reader.renewed == 3
    now[0] = 59.0
    with pytest.raises(Expelled):
        projector._read()
    assert reader.renewed == 3
    now[0] = 61.0
    assert projector._read() == []
    now[0] = 69.0
    with pytest.raises(Expelled):
        projector._read()
    assert reader.renewed == 4


class BusyReader:
    """A reader to whom records come at each turn."""

    positions: ClassVar[dict[int, int]] = {}

    def read(self, _most: int, _seconds: float) -> list[Any]:
        return ["a record"]


def test_brokers_that_give_records_are_there_though_it_never_has_time_to_ask_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    projector = projector_of(BusyReader())
    condition = projector._patience.condition
    condition.trouble("broker", "no broker answers")
    for name in ("_rests", "_take", "_redrive", "_tell", "_say_alive"):
        monkeypatch.setattr(projector, name, lambda *_: None)
    monkeypatch.setattr(projector, "_measures", SimpleNamespace(due=lambda: False))
    projector._turn()
    assert condition.reason() is None


def projector_of(reader: object) -> Projector:
    nothing = cast("Any", None)
    return Projector(
        ground=nothing,
        reader=cast("LogReader", reader),
        reading=nothing,
        batches=nothing,
        redrives=nothing,
        patience=Patience(metrics=Metrics().projector, stop=threading.Event(), loop=Loop()),
        measures=nothing,
        behind=nothing,
        limit=nothing,
        most=1,
    )

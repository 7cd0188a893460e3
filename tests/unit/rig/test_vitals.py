"""A series is judged by what it becomes after its warm-up, and only where it lasts long enough."""

import os
import socket
import time
from collections.abc import Callable

import psutil
import pytest

from tests.rig import sampling
from tests.rig.sampling import Sampler
from tests.rig.vitals import MOST_MORE, Series, Vitals, complaints, growth, table

MIB = 2**20


Course = Callable[[float], float]


def series(
    rss: Course = lambda _: 100.0,
    *,
    family: Course = lambda _: 200.0,
    seconds: int = 600,
    what: str = "",
    course: Course = lambda _: 10.0,
) -> Series:
    """A look each second: `rss` in MiB, `what` in its course, the rest as it was."""
    steady = dict.fromkeys(MOST_MORE, 10)
    return Series(
        "worker 0",
        [
            Vitals(
                at=float(at),
                rss=round(rss(at) * MIB),
                family=round(family(at) * MIB),
                **{**steady, **({what: round(course(at))} if what else {})},
            )
            for at in range(seconds)
        ],
    )


def judged(made: Series, warm_up: float = 120.0, at_least: float = 240.0) -> list[str]:
    return list(complaints(made, warm_up=warm_up, at_least=at_least))


def test_what_stays_as_it_is_is_well() -> None:
    assert judged(series(seconds=600)) == []


def test_a_slope_of_a_mebibyte_a_minute_is_too_much_and_less_is_not() -> None:
    assert growth(series(lambda at: 100 + at / 60).samples) == pytest.approx(1.0, abs=0.01)
    assert judged(series(lambda at: 100 + 1.1 * at / 60)) == ["worker 0 grows by 1.10 MiB a minute"]
    assert judged(series(lambda at: 100 + 0.9 * at / 60)) == []
    assert judged(series(lambda at: 100 - 3 * at / 60)) == []


def test_what_grows_while_it_warms_up_may_do_so() -> None:
    warming = series(lambda at: 100 + min(at, 120) / 2)
    assert judged(warming) == []
    assert judged(warming, warm_up=0.0) != []


def test_children_are_counted_where_a_step_is_no_slope() -> None:
    """A child more is no leak: with its children a program is judged by a quarter of an hour."""
    one_more = series(family=lambda at: 200 + 15 * (at > 400), seconds=600)
    assert growth(one_more.samples, "family") > 1
    assert judged(one_more) == []
    growing = series(family=lambda at: 200 + 2 * at / 60, seconds=1200)
    assert judged(growing) == ["worker 0 with its children grows by 2.00 MiB a minute"]


def test_spikes_are_no_slope() -> None:
    assert judged(series(lambda at: 400 if at % 100 == 50 else 100)) == []


@pytest.mark.parametrize("what", MOST_MORE)
def test_a_count_that_creeps_up_is_told_and_one_that_breathes_is_not(what: str) -> None:
    most = MOST_MORE[what]
    creeping = judged(series(what=what, course=lambda at: 10 + 3 * most * at / 600))
    assert [line.split()[4] for line in creeping] == [what]
    assert judged(series(what=what, course=lambda at: 10 + 5 * most * (at // 20 % 2))) == []
    assert judged(series(what=what, course=lambda at: 10 + most * at / 600)) == []


def test_a_short_life_tells_nothing() -> None:
    growing = series(lambda at: 100 + at, seconds=300)
    assert judged(growing) == []
    assert judged(growing, warm_up=30.0) != []
    assert "too short to tell" in table([growing], warm_up=120.0, at_least=240.0)
    assert "+60.00 MiB/min" in table([growing], warm_up=30.0, at_least=240.0)


class Pids:
    """Programs whose ids a test decides."""

    def __init__(self, **pids: int) -> None:
        self.by_number = {int(number[1:]): pid for number, pid in pids.items()}

    def pids(self) -> dict[int, int]:
        return self.by_number


def test_each_start_begins_a_series_and_who_is_gone_is_passed_over() -> None:
    workers = Pids(_0=os.getpid())
    sampler = Sampler({"worker": workers}, database_port=1)
    sampler.look()
    sampler.look()
    workers.by_number[0] = os.getppid()
    sampler.look()
    workers.by_number[0] = 2**22 + 1  # more than any process id
    sampler.look()
    assert [(each.name, len(each.samples)) for each in sampler.series] == [
        ("worker 0, start 1", 2),
        ("worker 0, start 2", 1),
    ]
    first = sampler.series[0].samples[0]
    assert first.rss >= psutil.Process().memory_info().rss / 2
    assert (first.threads >= 1, first.fds >= 3, first.connections) == (True, True, 0)


def test_connections_to_the_database_are_counted_and_no_others() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_server(("127.0.0.1", 0)) as other:
        port = server.getsockname()[1]
        with (
            socket.create_connection(("127.0.0.1", port)),
            socket.create_connection(other.getsockname()),
        ):
            sampler = Sampler({"us": Pids(_0=os.getpid())}, database_port=port)
            sampler.look()
    assert sampler.series[0].samples[0].connections == 1


def test_it_looks_by_itself_while_its_block_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "EVERY_SECONDS", 0.01)
    deadline = time.monotonic() + 30
    with Sampler({"us": Pids(_0=os.getpid())}, database_port=1) as sampler:
        while not sampler.series or len(sampler.series[0].samples) < 3:
            assert time.monotonic() < deadline
            time.sleep(0.01)

"""What the work waits for is a trouble of the worker: it begins once, and ends when it is past."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from adapters.telemetry import Loop
from processors.failures import Outage
from processors.look_ahead.at_work import Arrivals, AtWork, Standing
from processors.outages import Waits
from processors.retries import Retries


class Away(Exception):
    """The store does not answer."""


ON: dict[type[Exception], str] = {Away: "store_unavailable"}


class Given:
    """A worker's loop, and calls that fail for as long as they are told to."""

    def __init__(self) -> None:
        self.loop = Loop()
        self.waits = Waits(self.loop)
        self.tried = asyncio.Event()

    def retries(self, budget: float = 60.0) -> Retries:
        """Time stands still for them: what they spend are their delays."""

        async def sleep(_seconds: float) -> None:
            self.tried.set()
            await asyncio.sleep(0.001)

        return Retries(budget=budget, retried=lambda *_: None, waits=self.waits, now=lambda: 0.0, sleep=sleep)

    def codes(self) -> list[str]:
        return [each.code for each in self.loop.state().troubles]


def failing_until(answers: asyncio.Event) -> Callable[[], Awaitable[str]]:
    async def call() -> str:
        if not answers.is_set():
            raise Away
        return "bytes"

    return call


async def at_once() -> str:
    return "bytes"


async def test_records_that_pass_neither_end_a_trouble_nor_begin_it_anew() -> None:
    given, back = Given(), asyncio.Event()
    waiting = asyncio.create_task(given.retries().run(failing_until(back), on=ON))
    await given.tried.wait()
    (first,) = given.loop.state().troubles
    for _ in range(3):
        assert await given.retries().run(at_once, on=ON) == "bytes"
    (now,) = given.loop.state().troubles
    assert (now.code, now.since) == ("store_unavailable", first.since)
    back.set()
    assert await waiting == "bytes"
    assert given.codes() == []
    last = given.loop.state().last_error
    assert last is not None
    assert last.code == "store_unavailable"


async def test_an_attempt_that_was_given_up_proves_nothing() -> None:
    given, never = Given(), asyncio.Event()
    with pytest.raises(Outage):
        await given.retries(budget=0.2).run(failing_until(never), on=ON)
    (first,) = given.loop.state().troubles
    with pytest.raises(Outage):
        await given.retries(budget=0.2).run(failing_until(never), on=ON)
    (second,) = given.loop.state().troubles
    assert first.since == second.since
    await given.retries().run(at_once, on={KeyError: "key_unavailable"})
    assert given.codes() == ["store_unavailable"], "another system answered"
    await given.retries().run(at_once, on=ON)
    assert given.codes() == []


async def test_with_nothing_left_to_do_it_is_past() -> None:
    given, never = Given(), asyncio.Event()
    cut = asyncio.create_task(given.retries().run(failing_until(never), on=ON))
    await given.tried.wait()
    given.waits.past()
    assert given.codes() == ["store_unavailable"], "somebody waits for it still"
    cut.cancel()
    await asyncio.gather(cut, return_exceptions=True)
    given.waits.past()
    assert given.codes() == []


def test_the_oldest_record_left_is_as_old_as_the_log_says() -> None:
    arrivals = Arrivals()
    for offset in range(10_000):
        arrivals.came(offset, 1_000 * offset)
    assert arrivals.oldest(0) == 0
    arrivals.forget(9_000)
    assert (arrivals.oldest(9_000), arrivals.oldest(10_000)) == (9_000_000, None)
    standings = {
        0: Standing(9_000, 10_000, arrivals.oldest(9_000)),
        1: Standing(5, 5, None),
        2: Standing(6, 5, 0),
    }

    class Ahead:
        def standings(self) -> dict[int, Standing]:
            return standings

    work = AtWork(Ahead(), now=lambda: 9_060.0)
    assert work.positions() == {0: 9_000, 1: 5, 2: 6}
    assert (work.lags(), work.seconds()) == ({0: 1_000, 1: 0, 2: 0}, 60.0)

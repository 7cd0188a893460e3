"""Retrying in place: what is retried, for how long, what the budget counts and when it rests."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from processors.failures import Outage
from processors.retries import Retries


class Away(Exception):
    """The system is away."""


@dataclass
class Time:
    """A clock that only sleeping moves."""

    now: float = 0.0
    sleeps: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


def retries(time: Time, budget: float = 60.0, retries: list[str] | None = None) -> Retries:
    heard = retries if retries is not None else []
    return Retries(
        budget=budget,
        retried=lambda code, _tries: heard.append(code),
        now=lambda: time.now,
        sleep=time.sleep,
        jitter=lambda: 1.0,
    )


def failing(times: int) -> Callable[[], Awaitable[str]]:
    left = [times]

    async def call() -> str:
        if left[0]:
            left[0] -= 1
            raise Away
        return "done"

    return call


async def test_a_call_that_recovers_gives_its_result() -> None:
    time, heard = Time(), list[str]()
    assert await retries(time, retries=heard).run(failing(3), on={Away: "away"}) == "done"
    assert heard == ["away"] * 3
    assert time.sleeps == [0.1, 0.2, 0.4]


async def test_the_delay_is_bounded_and_the_budget_ends_it() -> None:
    time = Time()
    with pytest.raises(Outage) as caught:
        await retries(time).run(failing(10_000), on={Away: "away"})
    assert caught.value.code == "away"
    assert max(time.sleeps) == 5.0
    assert 60.0 <= time.now < 66.0


async def test_the_time_that_failing_calls_take_counts_too() -> None:
    time = Time()

    async def slow() -> None:
        time.now += 20.0
        raise Away

    with pytest.raises(Outage):
        await retries(time).run(slow, on={Away: "away"})
    assert time.now < 61.0


async def test_other_errors_pass_at_once() -> None:
    time = Time()

    async def broken() -> None:
        raise ValueError("ours")

    with pytest.raises(ValueError, match="ours"):
        await retries(time).run(broken, on={Away: "away"})
    assert time.sleeps == []


async def test_the_budget_rests_while_the_whole_system_is_down() -> None:
    """Ten minutes of outage spend nothing; what fails after that has the whole budget still."""
    time = Time()

    async def resting() -> bool:
        return time.now < 600.0

    with pytest.raises(Outage):
        await retries(time).run(failing(10_000), on={Away: "away"}, resting=resting)
    assert 660.0 <= time.now < 672.0


async def test_the_call_under_way_when_an_outage_ends_is_not_counted() -> None:
    time, down = Time(), [True, True, False, False]

    async def slow() -> str:
        if not down:
            return "done"
        time.now += 100.0
        raise Away

    async def resting() -> bool:
        return down.pop(0)

    assert await retries(time, budget=150.0).run(slow, on={Away: "away"}, resting=resting) == "done"


async def test_calls_one_after_the_other_share_the_budget() -> None:
    time = Time()
    mine = retries(time, budget=1.0)
    await mine.run(failing(3), on={Away: "away"})
    spent = time.now
    with pytest.raises(Outage):
        await mine.run(failing(10_000), on={Away: "away"})
    assert time.now - spent < 1.0


async def test_calls_side_by_side_spend_the_same_time_once() -> None:
    """Two calls that each fail for 0.7 s at the same time leave 0.3 s of a budget of one second."""
    mine = retries(Time(), budget=1.0)
    calls = [mine.run(failing(3), on={Away: "away"}) for _ in range(2)]
    assert await asyncio.gather(*calls) == ["done", "done"]
    assert await mine.run(failing(1), on={Away: "away"}) == "done"
    with pytest.raises(Outage):
        await mine.run(failing(10), on={Away: "away"})

"""Chores are done by one process at a time, each in its own time, and none stops another."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import psycopg
import pytest

from adapters.event_log import LogUnavailable
from ops.housekeeping.chore import Chore, Done, Tools
from ops.housekeeping.runner import Runner

SOON = timedelta(milliseconds=1)


@dataclass(slots=True)
class Turns:
    """A chore that counts its turns, and fails with what it is told."""

    name: str
    failures: list[Exception] = field(default_factory=list)
    count: int = 0

    def maker(self, _: Tools) -> Chore:
        return Chore(name=self.name, every=SOON, turn=self.turn)

    async def turn(self) -> Done:
        self.count += 1
        if self.failures:
            raise self.failures.pop(0)
        return {"things": 2}


@dataclass(slots=True)
class Lock:
    leads: bool = True
    failure: Exception | None = None

    def held(self) -> bool:
        if self.failure is not None:
            raise self.failure
        return self.leads


async def eventually(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110 - conditions of many kinds are waited for here
            await asyncio.sleep(0.01)


async def tending(
    tools: Tools, lock: Lock, *turns: Turns, until: Callable[[], bool], then: Callable[[Runner], None]
) -> None:
    """Tends the chores until the condition holds, looks at the runner, and ends it."""
    stop = threading.Event()
    runner = Runner(tools.settings, stop, [each.maker for each in turns])
    task = asyncio.create_task(runner.tend(tools, lock))
    await eventually(until)
    then(runner)
    stop.set()
    await asyncio.wait_for(task, 30)


def sample(runner: Runner, name: str, **labels: str) -> float:
    return runner.metrics.registry.get_sample_value(name, labels) or 0.0


async def test_each_chore_is_done_again_and_again_and_counted(tools: Tools) -> None:
    one, other = Turns("one"), Turns("other")

    def counted(runner: Runner) -> None:
        assert sample(runner, "darkroom_chore_done_total", chore="one", what="things") >= 2
        assert runner.condition.reason() is None

    await tending(tools, Lock(), one, other, until=lambda: min(one.count, other.count) > 2, then=counted)


@pytest.mark.parametrize(
    "failure", [LogUnavailable("away"), ZeroDivisionError("a bug")], ids=["outage", "bug"]
)
async def test_a_chore_that_fails_stops_no_other_and_is_tried_again(tools: Tools, failure: Exception) -> None:
    bad, good = Turns("bad", [failure]), Turns("good")
    lock = Lock()

    def troubled(runner: Runner) -> None:
        reason = runner.condition.reason()
        assert reason is not None
        assert reason.startswith(f"bad: {type(failure).__name__}")
        end = "outage" if isinstance(failure, LogUnavailable) else "bug"
        assert sample(runner, "darkroom_chore_turns_total", chore="bad", end=end) == 1

    await tending(tools, lock, bad, good, until=lambda: bad.count == 1 and good.count > 2, then=troubled)

    bad.failures, bad.count = [type(failure)("again")], 0
    await tending(tools, lock, bad, until=lambda: bad.count > 2, then=lambda runner: well(runner))


def well(runner: Runner) -> None:
    assert runner.condition.reason() is None


async def test_who_does_not_lead_does_nothing_until_it_does(tools: Tools) -> None:
    chore, asked = Turns("one"), threading.Event()

    class Late(Lock):
        def held(self) -> bool:
            first = not asked.is_set()
            asked.set()
            if first:
                assert chore.count == 0
            return not first

    await tending(tools, Late(), chore, until=lambda: chore.count > 0, then=well)
    assert asked.is_set()


async def test_without_the_database_nobody_leads_and_it_is_said(tools: Tools) -> None:
    chore, lock = Turns("one"), Lock(failure=psycopg.OperationalError("gone"))
    stop = threading.Event()
    runner = Runner(tools.settings, stop, [chore.maker])
    task = asyncio.create_task(runner.tend(tools, lock))
    await eventually(lambda: runner.condition.reason() is not None)
    assert runner.condition.reason() == "lead: OperationalError: gone"
    stop.set()
    await asyncio.wait_for(task, 30)
    assert chore.count == 0

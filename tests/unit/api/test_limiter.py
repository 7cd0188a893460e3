"""Rates: blocks, refusals, several processes, restarts, and what goes on when nobody can count (H10)."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.settings import SettingsError, load_settings
from adapters.settings.rates import Rate, rate
from adapters.telemetry import Metrics
from api.limits import Class, Counters, CountersAway, Grant, InMemoryCounters, Limiter, RateExceeded
from api.limits import limiter as module
from api.limits.bucket import take, wait

HOURLY: Mapping[Class, Rate | None] = {
    "reads": Rate(100, 3600, "100/hour"),
    "writes": None,
    "uploads": Rate(2, 2, "2 per 2 second"),
    "login_account": Rate(3, 3600, "3/hour"),
}


@dataclass
class Now:
    """A clock that moves when told."""

    time: float = 1000.0

    def __call__(self) -> float:
        return self.time


@dataclass
class Silent:
    """Counters that never answer."""

    asked: int = 0
    waiting: asyncio.Event = field(default_factory=asyncio.Event)

    async def grant(self, scope: bytes, rate: Rate, wanted: int) -> Grant:  # noqa: ARG002 - the Protocol's
        self.asked += 1
        await self.waiting.wait()
        return Grant(permits=wanted, wait=0.0)

    async def sweep(self) -> int:
        return 0


def made(counters: Counters, now: Callable[[], float]) -> Limiter:
    return Limiter(counters, HOURLY, secret=b"s" * 32, metrics=Metrics().limits, now=now)


async def admitted(limiter: Limiter, kind: Class = "reads", subject: str = "ada", tries: int = 1000) -> int:
    """How many of so many requests at once are let in."""

    async def once() -> bool:
        try:
            await limiter.admit(kind, subject)
        except RateExceeded:
            return False
        return True

    return sum(await asyncio.gather(*(once() for _ in range(tries))))


async def test_h10_a_rate_admits_its_amount_and_says_when_there_is_more() -> None:
    now = Now()
    limiter = made(InMemoryCounters(now), now)
    assert await admitted(limiter) == 100
    with pytest.raises(RateExceeded) as refused:
        await limiter.admit("reads", "ada")
    assert refused.value.wait == 36
    now.time += 36.001
    assert await admitted(limiter, tries=10) == 1
    assert await admitted(limiter, subject="ben", tries=10) == 10


async def test_h10_a_read_does_not_ask_the_database_each_time_and_a_flood_never() -> None:
    now = Now()
    counters = InMemoryCounters(now)
    limiter = made(counters, now)
    assert await admitted(limiter, tries=100) == 100
    assert counters.asked == 20  # blocks of 5
    await admitted(limiter, tries=1)
    before = counters.asked
    assert await admitted(limiter, tries=500) == 0
    assert counters.asked == before


async def test_h10_processes_share_a_rate_and_a_restart_forgives_nothing() -> None:
    now = Now()
    counters = InMemoryCounters(now)
    first, second = made(counters, now), made(counters, now)
    both = await asyncio.gather(admitted(first, tries=70), admitted(second, tries=70))
    assert sum(both) == 100
    assert await admitted(made(counters, now)) == 0


async def test_h10_a_lone_read_now_and_then_is_not_counted_one_by_one() -> None:
    now = Now()
    counters = InMemoryCounters(now)
    limiter = made(counters, now)
    for _ in range(5):
        await limiter.admit("reads", "ada")
        now.time += 60
    assert counters.asked == 1


async def test_what_is_not_limited_is_not_counted() -> None:
    counters = InMemoryCounters()
    assert await admitted(made(counters, Now()), "writes", tries=50) == 50
    assert counters.asked == 0


async def test_h10_without_counters_reads_have_a_cap_of_their_own_and_logins_are_refused() -> None:
    now = Now()
    counters = InMemoryCounters(now)
    counters.away = True
    limiter = made(counters, now)
    assert await admitted(limiter, tries=150) == 100
    for _ in range(3):
        with pytest.raises(CountersAway):
            await limiter.admit("login_account", "ada")
    assert counters.asked == 1  # nobody queues for what has just failed
    counters.away = False
    now.time += module.PAUSE_SECONDS
    await limiter.admit("login_account", "ada")
    assert await admitted(limiter, tries=150) == 100


async def test_h10_counters_that_never_answer_hold_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.02)
    now, counters = Now(), Silent()
    limiter = made(counters, now)
    async with asyncio.timeout(20):
        assert await admitted(limiter, tries=20) == 20
        with pytest.raises(CountersAway):
            await limiter.admit("login_account", "ada")
    assert counters.asked == 1
    counters.waiting.set()
    await asyncio.sleep(0.01)
    await limiter.admit("login_account", "ada")
    await limiter.close()


async def test_a16_right_passwords_are_not_counted() -> None:
    now = Now()
    limiter = made(InMemoryCounters(now), now)
    for _ in range(20):
        permit = await limiter.admit("login_account", "ada")
        permit.give_back()
    assert await admitted(limiter, "login_account") == 3


async def test_what_is_given_back_late_revives_nothing() -> None:
    now = Now()
    limiter = made(InMemoryCounters(now), now)
    permits = [await limiter.admit("login_account", "ada") for _ in range(3)]
    permits[0].give_back()
    permits[1].give_back()
    now.time += 3601  # two are held here and out of date, three are in the bucket again
    permits[2].give_back()
    assert await admitted(limiter, "login_account") == 4


async def test_what_is_full_again_is_swept_now_and_then() -> None:
    now = Now()
    counters = InMemoryCounters(now)
    limiter = made(counters, now)
    await limiter.admit("uploads", "ada")
    now.time += module.SWEEP_SECONDS + 1
    await limiter.admit("uploads", "ben")
    await asyncio.sleep(0)
    assert len(counters._full_at) == 1
    await limiter.close()


async def test_a_fault_of_the_counters_is_nobodys_permit() -> None:
    class Broken(InMemoryCounters):
        async def grant(self, scope: bytes, rate: Rate, wanted: int) -> Grant:  # noqa: ARG002 - the twin's
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError):
        await made(Broken(), Now()).admit("reads", "ada")


@given(
    amount=st.integers(1, 50),
    seconds=st.integers(1, 3600),
    steps=st.lists(st.tuples(st.floats(0, 4000), st.integers(1, 60)), max_size=40),
)
def test_h10_no_span_of_time_ever_holds_more_than_two_fillings(
    amount: int, seconds: int, steps: list[tuple[float, int]]
) -> None:
    limit = Rate(amount, seconds, "")
    now, full_at, taken = 1000.0, 0.0, []
    for pause, wanted in steps:
        now += pause
        got = take(full_at, now, limit, wanted)
        full_at = got.full_at
        assert 0 <= got.granted <= wanted
        assert got.granted or wait(full_at, now, limit) > 0
        taken.append((now, got.granted))
    for begin, _ in taken:
        within = sum(granted for at, granted in taken if begin <= at < begin + seconds)
        assert within <= 2 * amount


@pytest.mark.parametrize(
    ("text", "amount", "seconds"),
    [("300/minute", 300, 60), ("10 per 15 minutes", 10, 900), ("1/second", 1, 1), ("5/2hours", 5, 7200)],
)
def test_rates_are_written_as_the_limits_library_writes_them(text: str, amount: int, seconds: int) -> None:
    assert rate(text) == Rate(amount, seconds, text)
    assert rate("off") is None


@pytest.mark.parametrize(
    "text", ["", "many", "0/minute", "-1/minute", "5", "5/fortnight", "1/minute; 2/hour x"]
)
def test_what_is_no_rate_stops_the_start(text: str) -> None:
    if text:
        with pytest.raises(SettingsError, match="RATE_READS must be a rate"):
            load_settings({"RATE_READS": text})
    else:
        assert load_settings({"RATE_READS": text}).rates.reads == Rate(3000, 60, "3000/minute")

"""The look-ahead over a tail in memory: when gates open, what it knows and forgets, when it begins anew."""

import asyncio
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import pytest

from adapters.telemetry import Loop, Metrics
from processors.failures import Interruption
from processors.look_ahead.follower import KafkaLookAhead
from processors.look_ahead.job_index import Begin, JobFact, Skip, Wait
from processors.look_ahead.log_tail import Span, TailLost
from schemas.codec import Codec
from schemas.envelope import RawRecord

JOB, ASSET = uuid4(), uuid4()


def record(partition: int, offset: int, event: str, *, attempt: int = 1, job: UUID = JOB) -> RawRecord:
    headers = {"ce_type": f"darkroom.assets.{event}", "jobid": str(job), "attempt": str(attempt)}
    return RawRecord(
        topic="t",
        partition=partition,
        offset=offset,
        timestamp_ms=0,
        key=str(ASSET).encode(),
        value=b"",
        headers=[(name, text.encode()) for name, text in headers.items()],
    )


@dataclass
class Log:
    """A topic in memory; `hold` keeps tails from reading, `lost` makes the next read fail once."""

    records: dict[int, list[RawRecord]] = field(default_factory=lambda: defaultdict(list))
    committed: dict[int, int] = field(default_factory=dict)
    hold: bool = False
    lost: int = 0
    tails: int = 0

    def append(self, partition: int, event: str, *, attempt: int = 1, job: UUID = JOB) -> None:
        offset = len(self.records[partition])
        self.records[partition].append(record(partition, offset, event, attempt=attempt, job=job))


class MemoryTail:
    """A tail of a `Log`."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._next: dict[int, int] = {}
        log.tails += 1

    def spans(self, partitions: Iterable[int]) -> dict[int, Span]:
        return {p: Span(self._log.committed.get(p, 0), len(self._log.records[p])) for p in partitions}

    def follow(self, starts: Mapping[int, int]) -> None:
        assert not set(starts) & set(self._next)
        self._next.update(starts)

    def leave(self, partitions: Iterable[int]) -> None:
        for partition in partitions:
            del self._next[partition]

    def read(self, seconds: float) -> list[RawRecord]:
        time.sleep(min(seconds, 0.005))
        if self._log.lost:
            self._log.lost -= 1
            raise TailLost("gone")
        if self._log.hold:
            return []
        found = [r for p, start in self._next.items() for r in self._log.records[p][start:]]
        for each in found:
            self._next[each.partition] = each.offset + 1
        return found

    def ends(self, partitions: Iterable[int]) -> dict[int, int]:
        return {p: len(self._log.records[p]) for p in partitions}

    def tell(self, loop: Loop) -> None:
        """The log in memory always answers."""

    def committed(self, partitions: Iterable[int]) -> dict[int, int]:
        return {p: self._log.committed[p] for p in partitions if p in self._log.committed}

    def close(self) -> None:
        self._next.clear()


@contextmanager
def looking(log: Log, died: Callable[[BaseException], None] | None = None) -> Iterator[KafkaLookAhead]:
    def unexpected(error: BaseException) -> None:
        raise AssertionError(repr(error))

    ahead = KafkaLookAhead(
        lambda: MemoryTail(log),
        Codec.local().decode,
        metrics=Metrics().worker,
        loop=Loop(),
        died=died or unexpected,
    )
    ahead.start()
    try:
        yield ahead
    finally:
        ahead.close()


async def opened(ahead: KafkaLookAhead, partition: int = 0) -> None:
    await asyncio.wait_for(ahead.wait_open(partition), 5.0)


async def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5.0
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)


def verdict(ahead: KafkaLookAhead, partition: int = 0) -> object:
    return ahead.verdict(partition, job_id=JOB, asset_id=ASSET)


async def test_a_partition_that_nobody_looked_at_is_closed() -> None:
    log = Log(hold=True)
    log.append(0, "ProcessingStarted")
    with looking(log) as ahead:
        ahead.assigned(frozenset({0}))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(ahead.wait_open(0), 0.1)
        assert not ahead.all_open()
        log.hold = False
        await opened(ahead)
        assert verdict(ahead) == Begin(2, 1)


async def test_an_empty_partition_opens_at_once() -> None:
    with looking(Log()) as ahead:
        ahead.assigned(frozenset({0, 1}))
        await opened(ahead, 0)
        await opened(ahead, 1)
        assert verdict(ahead) == Begin(1, 0)


async def test_it_reads_from_where_the_group_stands() -> None:
    log = Log(committed={0: 1})
    log.append(0, "ProcessingStarted", attempt=1)
    log.append(0, "ProcessingStarted", attempt=2)
    with looking(log) as ahead:
        ahead.assigned(frozenset({0}))
        await opened(ahead)
        assert verdict(ahead) == Begin(3, 1)
        assert ahead.lag() == 1
        ahead.handled(0, 1)
        assert ahead.lag() == 0


async def test_it_keeps_up_after_the_gate_is_open() -> None:
    log = Log()
    with looking(log) as ahead:
        ahead.assigned(frozenset({0}))
        await opened(ahead)
        log.append(0, "ProcessingStarted")
        await until(lambda: verdict(ahead) == Begin(2, 1))
        log.append(0, "VariantsReady")
        await until(lambda: verdict(ahead) == Skip("ready"))


async def test_what_this_worker_says_is_known_before_it_is_read() -> None:
    log = Log(hold=True)
    with looking(log) as ahead:
        ahead.assigned(frozenset({0}))
        await opened(ahead)
        ahead.said(0, JobFact(offset=1, event="VariantsReady", job_id=JOB))
        assert verdict(ahead) == Skip("ready")


async def test_a_partition_that_stays_keeps_its_notes() -> None:
    log = Log()
    log.append(0, "VariantsReady")
    with looking(log) as ahead:
        ahead.assigned(frozenset({0}))
        await opened(ahead)
        log.hold = True
        ahead.assigned(frozenset({0, 1}))
        await opened(ahead)
        assert verdict(ahead) == Skip("ready")


async def test_a_partition_that_was_away_is_read_anew() -> None:
    """While it was another's, more may have been said than the notes know, and committed too."""
    log = Log()
    with looking(log) as ahead:
        ahead.assigned(frozenset({0}))
        await opened(ahead)
        log.hold = True
        ahead.assigned(frozenset())
        ahead.assigned(frozenset({0}))
        log.append(0, "ProcessingStarted")
        await asyncio.sleep(0.05)
        log.hold = False
        await opened(ahead)
        await until(lambda: verdict(ahead) == Begin(2, 1))


async def test_while_a_rebalance_is_under_way_nothing_is_begun() -> None:
    """Whatever was begun then would be unknown to the next owner, who reads to the end just now."""
    with looking(Log()) as ahead:
        ahead.assigned(frozenset({0}))
        await opened(ahead)
        ahead.revoked()
        assert verdict(ahead) == Wait()
        await asyncio.sleep(0.05)
        assert not ahead.is_open(0)
        ahead.assigned(frozenset({0}))
        await opened(ahead)
        assert verdict(ahead) == Begin(1, 0)


async def test_a_partition_that_stays_opens_at_the_end_as_it_is_now() -> None:
    """Who was frozen hears only of the last rebalance; another may have held the partition since."""
    log = Log()
    with looking(log) as ahead:
        ahead.assigned(frozenset({0}))
        await opened(ahead)
        log.hold = True
        await asyncio.sleep(0.02)
        log.append(0, "ProcessingStarted")
        ahead.assigned(frozenset({0}))
        assert verdict(ahead) == Wait()
        await asyncio.sleep(0.05)
        assert not ahead.is_open(0)
        log.hold = False
        await opened(ahead)
        assert verdict(ahead) == Begin(2, 1)


async def test_an_end_that_was_asked_for_before_a_rebalance_opens_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log, asking, answer = Log(), threading.Event(), threading.Event()
    spans = MemoryTail.spans

    def slow(self: MemoryTail, partitions: Iterable[int]) -> dict[int, Span]:
        found = spans(self, partitions)
        asking.set()
        answer.wait(30)
        return found

    monkeypatch.setattr(MemoryTail, "spans", slow)
    with looking(log) as ahead:
        ahead.assigned(frozenset({0}))
        assert await asyncio.to_thread(asking.wait, 30)
        log.hold = True
        log.append(0, "ProcessingStarted")
        ahead.assigned(frozenset({0}))
        answer.set()
        await asyncio.sleep(0.05)
        assert not ahead.is_open(0)
        log.hold = False
        await opened(ahead)
        assert verdict(ahead) == Begin(2, 1)


async def test_of_a_partition_that_was_taken_nothing_is_decided() -> None:
    with looking(Log()) as ahead:
        ahead.assigned(frozenset({0}))
        await opened(ahead)
        ahead.assigned(frozenset())
        with pytest.raises(Interruption):
            verdict(ahead)
        assert not ahead.is_open(0)


async def test_a_lost_tail_closes_all_gates_until_all_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("processors.look_ahead.follower._PAUSE_SECONDS", 0.01)
    log = Log()
    with looking(log) as ahead:
        ahead.assigned(frozenset({0}))
        await opened(ahead)
        log.hold, log.lost = True, 1
        log.append(0, "ProcessingStarted")
        await until(lambda: not ahead.is_open(0))
        assert verdict(ahead) == Wait()
        log.hold = False
        await opened(ahead)
        assert verdict(ahead) == Begin(2, 1)
        assert log.tails == 2


async def test_what_was_handled_before_anybody_looked_is_not_behind() -> None:
    log = Log()
    log.append(0, "ProcessingStarted")
    with looking(log) as ahead:
        ahead.assigned(frozenset({0}))
        ahead.handled(0, 0)
        await opened(ahead)
        assert ahead.lag() == 0


async def test_what_was_handled_before_a_tail_was_lost_is_not_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("processors.look_ahead.follower._PAUSE_SECONDS", 0.01)
    log = Log()
    log.append(0, "ProcessingStarted")
    with looking(log) as ahead:
        ahead.assigned(frozenset({0}))
        await opened(ahead)
        ahead.handled(0, 0)
        log.lost = 1
        await until(lambda: log.tails == 2)
        await opened(ahead)
        assert ahead.lag() == 0


async def test_notes_that_no_record_needs_any_more_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("processors.look_ahead.follower._FORGET_EVERY_SECONDS", 0.02)
    log = Log()
    log.append(0, "VariantsReady")
    with looking(log) as ahead:
        ahead.assigned(frozenset({0}))
        await opened(ahead)
        assert verdict(ahead) == Skip("ready")
        log.committed[0] = 1
        await until(lambda: verdict(ahead) == Begin(1, 0))


async def test_a_thread_that_dies_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MemoryTail, "read", lambda _self, _seconds: 1 // 0)
    died = threading.Event()
    with looking(Log(), lambda _error: died.set()) as ahead:
        ahead.assigned(frozenset({0}))
        assert await asyncio.to_thread(died.wait, 5.0)

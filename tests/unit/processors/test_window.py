"""A partition's records in hand: side by side, each key in order, acknowledged in the log's order."""

import asyncio
from collections.abc import Callable
from functools import partial
from uuid import UUID

from adapters.dead_letters.thickness import LONGEST_RUN
from adapters.event_log import InMemoryEventLog
from processors.failures import Interruption
from processors.faust_app.window import Window
from processors.interruptible import Interruptible
from processors.jobs import Attempt, Job
from processors.reactor import Reactor
from schemas.envelope import RawRecord
from tests.unit.processors.scripted import Scripted, stuck, well
from tests.unit.processors.worlds import World, altered


class Hands:
    """Takes records, each until `end` says how it ended, and notes what became of them by offset."""

    def __init__(self, size: int = 8) -> None:
        self.window = Window(self._take, size=size)
        self.taken: list[int] = []
        self.acked: list[int] = []
        self.interrupted: dict[int, str | None] = {}
        self._ends: dict[int, asyncio.Future[bool]] = {}

    async def add(self, *offsets: int, key: bytes | None = b"") -> None:
        """Adds records, each of a key of its own unless one is given."""
        for offset in offsets:
            self.window.add(record(offset, str(offset).encode() if key == b"" else key), self._ack(offset))
        await turns()

    async def add_done(self, offset: int) -> None:
        await self.window.add_done(self._ack(offset))

    async def end(self, offset: int, *, settled: bool = True) -> None:
        self._ends[offset].set_result(settled)
        await turns()

    def _ack(self, offset: int) -> "partial[asyncio.Future[None]]":
        return partial(self._acked, offset)

    def _acked(self, offset: int) -> asyncio.Future[None]:
        self.acked.append(offset)
        return asyncio.ensure_future(asyncio.sleep(0))

    async def _take(self, record: RawRecord, work: Interruptible) -> bool:
        self.taken.append(record.offset)
        self._ends[record.offset] = asyncio.get_running_loop().create_future()
        try:
            return await work.run(_value(self._ends[record.offset]))
        except Interruption:
            self.interrupted[record.offset] = work.code
            return False


async def _value(future: asyncio.Future[bool]) -> bool:
    return await future


def record(offset: int, key: bytes | None) -> RawRecord:
    return RawRecord(topic="t", partition=0, offset=offset, timestamp_ms=0, key=key, value=b"", headers=())


async def turns() -> None:
    """Lets everything happen that waits for nothing."""
    for _ in range(20):
        await asyncio.sleep(0)


async def until(reached: Callable[[], bool]) -> None:
    """Waits until it is so, and lets happen what would go beyond it."""
    async with asyncio.timeout(30):
        while not reached():
            await turns()
    await turns()


async def test_records_are_taken_side_by_side_and_acknowledged_in_the_logs_order() -> None:
    hands = Hands()
    await hands.add(1, 2, 3)
    assert hands.taken == [1, 2, 3]
    await hands.end(3)
    await hands.end(2)
    assert hands.acked == []
    await hands.end(1)
    assert hands.acked == [1, 2, 3]


async def test_what_asks_for_nothing_is_acknowledged_behind_what_is_in_hand() -> None:
    hands = Hands()
    await hands.add_done(1)
    assert hands.acked == [1]
    await hands.add(2)
    await hands.add_done(3)
    assert hands.acked == [1]
    await hands.end(2)
    assert hands.acked == [1, 2, 3]


async def test_records_of_one_asset_are_taken_one_after_the_other() -> None:
    hands = Hands()
    await hands.add(1, 2, 3, key=b"asset")
    await hands.add(4)
    assert hands.taken == [1, 4]
    await hands.end(1)
    assert hands.taken == [1, 4, 2]
    await hands.end(2)
    await hands.end(3)
    await hands.end(4)
    assert hands.acked == [1, 2, 3, 4]


async def test_records_without_a_key_wait_for_nobody() -> None:
    hands = Hands()
    await hands.add(1, 2, key=None)
    assert hands.taken == [1, 2]


async def test_a_full_window_waits_for_the_first_in_it() -> None:
    hands = Hands(size=3)
    await hands.add(1, 2)
    assert await asyncio.wait_for(hands.window.has_room(), 5)
    await hands.add(3)
    waiting = asyncio.create_task(hands.window.has_room())
    await hands.end(2)
    assert not waiting.done()
    await hands.end(1)
    assert await asyncio.wait_for(waiting, 5)
    assert hands.acked == [1, 2]


async def test_nothing_behind_a_record_left_undone_is_acknowledged() -> None:
    """At a shutdown: what had begun may end, and what is before the first that could not is acknowledged."""
    hands = Hands()
    await hands.add(1, 2, 3)
    await hands.end(2, settled=False)
    waiting = asyncio.create_task(hands.window.has_room())
    await hands.end(3)
    assert not waiting.done()
    await hands.end(1)
    assert await asyncio.wait_for(waiting, 5) is False
    assert (hands.acked, hands.interrupted) == ([1], {})


async def test_who_waits_for_room_hears_of_a_record_left_undone() -> None:
    hands = Hands(size=1)
    await hands.add(1)
    waiting = asyncio.create_task(hands.window.has_room())
    await hands.end(1, settled=False)
    assert await asyncio.wait_for(waiting, 5) is False


async def test_behind_a_record_left_undone_nothing_of_its_asset_is_taken() -> None:
    hands = Hands()
    await hands.add(1, 2, key=b"asset")
    await hands.end(1, settled=False)
    await asyncio.wait_for(hands.window.emptied(), 5)
    assert (hands.taken, hands.acked) == ([1], [])


async def test_what_is_interrupted_ends_and_nothing_more_is_acknowledged() -> None:
    hands = Hands()
    await hands.add(1, 2)
    await hands.add(3, 4, key=b"asset")
    await hands.end(2)
    hands.window.interrupt("rebalance")
    await asyncio.wait_for(hands.window.emptied(), 5)
    assert hands.interrupted == {1: "rebalance", 3: "rebalance"}
    assert (hands.taken, hands.acked) == ([1, 2, 3], [])


async def test_what_ends_well_after_an_interruption_is_not_acknowledged() -> None:
    """Its partition may be another's by now."""
    acked, end = list[int](), asyncio.Event()

    async def deaf(_record: RawRecord, _work: Interruptible) -> bool:
        await end.wait()
        return True

    window = Window(deaf, size=8)
    window.add(record(1, b"asset"), partial(_note, acked, 1))
    await turns()
    window.interrupt("rebalance")
    end.set()
    await asyncio.wait_for(window.emptied(), 5)
    assert acked == []


async def _note(acked: list[int], offset: int) -> None:
    acked.append(offset)


def of_one_partition() -> World:
    return World(log=InMemoryEventLog(partitions=1))


async def taken_by(reactor: Reactor, *records: RawRecord) -> list[int]:
    """What was acknowledged of the records once nothing is under way any more."""
    acked, window = list[int](), Window(reactor.take, size=len(records) + 1)
    for one in records:
        window.add(one, partial(_note, acked, one.offset))
    await asyncio.wait_for(window.emptied(), 20)
    return acked


async def test_a_person_with_one_upload_does_not_wait_for_somebodys_thirty() -> None:
    """R31: whose upload is the last in the log is among the first whose variants are made."""
    world, order, all_read = of_one_partition(), list[UUID](), asyncio.Event()

    async def noted(job: Job, _attempt: Attempt) -> None:
        order.append(job.owner_id)
        await all_read.wait()

    flood = [await world.appended(await world.request(owner=UUID(int=1))) for _ in range(30)]
    one = await world.appended(await world.request(owner=UUID(int=2)))
    acked = asyncio.create_task(taken_by(world.reactor(Scripted(noted)), *flood, one))
    for _ in range(30):
        await turns()
    assert order == [UUID(int=1)] * 4  # all that there is room for
    all_read.set()
    assert await acked == [each.offset for each in (*flood, one)]
    assert order.index(UUID(int=2)) == 5


async def test_poison_among_those_in_hand_is_set_aside_and_holds_up_nobody() -> None:
    world, scripted = of_one_partition(), Scripted(well)
    records = [await world.appended(await world.request()) for _ in range(5)]
    records[2] = altered(records[2], b"poison")
    acked = await taken_by(world.reactor(scripted), *records)
    assert acked == [each.offset for each in records]
    assert [letter.record.offset for letter in world.dead_letters.letters] == [records[2].offset]
    assert scripted.attempts == [1] * 4


async def test_too_many_dead_letters_stop_those_in_hand_too() -> None:
    """Poison and jobs behind the one that was too many wait, however many are in hand."""
    world, scripted = of_one_partition(), Scripted(well)
    records = [await world.appended(await world.request()) for _ in range(LONGEST_RUN + 20)]
    reactor = world.reactor(scripted)
    window = Window(reactor.take, size=128)
    for one in records[:-1]:
        window.add(altered(one, b"poison"), partial(_note, [], one.offset))
    window.add(records[-1], partial(_note, [], records[-1].offset))
    await until(lambda: len(world.dead_letters.letters) >= LONGEST_RUN)
    assert len(world.dead_letters.letters) == LONGEST_RUN
    assert scripted.attempts == []
    window.interrupt("shutdown")
    await asyncio.wait_for(window.emptied(), 5)


async def test_jobs_that_wait_for_their_turn_do_not_begin_once_dead_letters_are_too_many() -> None:
    world, begun, end = of_one_partition(), list[UUID](), asyncio.Event()

    async def until_told(job: Job, _attempt: Attempt) -> None:
        begun.append(job.job_id)
        await end.wait()

    records = [await world.appended(await world.request()) for _ in range(6)]
    window = Window(world.reactor(Scripted(until_told)).take, size=128)
    for one in records:
        window.add(one, partial(_note, [], one.offset))
    await until(lambda: len(begun) >= 4)
    assert len(begun) == 4  # all that there is room for
    for _ in range(LONGEST_RUN):
        world.limit.dead_letter()
    end.set()
    await asyncio.sleep(0.05)
    assert len(begun) == 4
    world.limit.go_on()
    await asyncio.wait_for(window.emptied(), 5)
    assert len(begun) == 6


async def test_a_worker_that_was_killed_makes_only_what_was_not_made() -> None:
    """What was done and not acknowledged comes again, and is found done."""
    world = of_one_partition()
    requests = [await world.request() for _ in range(3)]
    records = [await world.appended(request) for request in requests]

    async def all_but_the_first(job: Job, attempt: Attempt) -> None:
        if job.job_id == requests[0].job_id:
            await stuck(job, attempt)

    acked, window = list[int](), Window(world.reactor(Scripted(all_but_the_first)).take, size=8)
    for one in records:
        window.add(one, partial(_note, acked, one.offset))
    await until(lambda: world.names().count("VariantsReady") >= 2)
    assert (world.names().count("VariantsReady"), acked) == (2, [])

    again = Scripted(well)
    assert await taken_by(world.reactor(again), *records) == [each.offset for each in records]
    assert again.attempts == [2]
    assert world.names().count("VariantsReady") == 3
    window.interrupt("shutdown")
    await asyncio.wait_for(window.emptied(), 5)

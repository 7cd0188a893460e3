"""How a reactor stops: in order, within its grace, for a rebalance, and for too many dead letters."""

import asyncio

from adapters.dead_letters.thickness import LONGEST_RUN
from processors.interruptible import Interruptible
from processors.jobs import Attempt, Job
from tests.unit.processors.scripted import Scripted, stuck, well
from tests.unit.processors.worlds import World, altered, take


async def test_shutdown_lets_work_end_within_its_grace() -> None:
    world = World()

    async def brief(_job: Job, _attempt: Attempt) -> None:
        await asyncio.sleep(0.1)

    reactor = world.reactor(Scripted(brief))
    record = await world.appended(await world.request())
    taken = asyncio.ensure_future(take(reactor, record))
    await asyncio.sleep(0.02)
    await reactor.drain(5.0)
    assert await taken
    assert world.names() == ["ProcessingStarted", "VariantsReady"]
    assert not await take(reactor, record)


async def test_shutdown_cuts_what_takes_longer_and_the_record_comes_again() -> None:
    world = World()
    reactor = world.reactor(Scripted(stuck))
    record = await world.appended(await world.request())
    taken = asyncio.ensure_future(take(reactor, record))
    await asyncio.sleep(0.02)
    await reactor.drain(0.05)
    assert await taken is False
    (failure,) = world.failures()
    assert (failure.kind, failure.code, failure.will_retry) == ("interrupted", "shutdown", True)

    again = Scripted(well)
    assert await take(world.reactor(again), record)
    assert again.attempts == [2]


async def test_a_job_whose_partition_was_taken_says_so() -> None:
    world, work = World(), Interruptible()
    reactor = world.reactor(Scripted(stuck))
    taken = asyncio.ensure_future(reactor.take(await world.appended(await world.request()), work))
    await asyncio.sleep(0.02)
    work.interrupt("rebalance")
    assert await taken is False
    (failure,) = world.failures()
    assert (failure.kind, failure.code, failure.will_retry) == ("interrupted", "rebalance", True)


async def test_what_has_not_begun_is_let_go_without_a_word() -> None:
    world = World()
    reactor = world.reactor(Scripted(stuck))
    records = [await world.appended(await world.request()) for _ in range(5)]
    taken = [asyncio.ensure_future(take(reactor, record)) for record in records]
    await asyncio.sleep(0.02)
    await reactor.drain(0.05)
    assert await asyncio.gather(*taken) == [False] * 5
    # There is room for four jobs; the fifth never started, so nothing is said of it.
    assert len(world.failures()) == 4


async def test_too_many_dead_letters_stop_the_worker_until_it_is_told_to_go_on() -> None:
    world, scripted = World(), Scripted(well)
    reactor = world.reactor(scripted)
    record = await world.appended(await world.request())
    for _ in range(LONGEST_RUN):
        assert world.limit.trouble() is None
        assert await take(reactor, altered(record, b"poison"))
    assert "dead-letters resume" in str(world.limit.trouble())
    waiting = asyncio.ensure_future(take(reactor, record))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    assert scripted.attempts == []
    world.limit.go_on()
    assert await waiting
    assert scripted.attempts == [1]
    assert world.limit.trouble() is None


async def test_dead_letters_among_good_records_stop_nobody_below_half() -> None:
    world = World()
    for _ in range(300):
        world.limit.dead_letter()
        world.limit.well()
    assert world.limit.trouble() is None
    for _ in range(3):
        world.limit.dead_letter()
    assert world.limit.trouble() is not None


async def test_a_worker_that_stopped_for_dead_letters_can_be_shut_down() -> None:
    world = World()
    reactor = world.reactor(Scripted(well))
    for _ in range(LONGEST_RUN):
        world.limit.dead_letter()
    waiting = asyncio.ensure_future(take(reactor, await world.appended(await world.request())))
    await asyncio.sleep(0.02)
    await reactor.drain(5.0)
    assert await waiting is False

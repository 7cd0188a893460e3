"""How many jobs are in hand at a time, and that owners take turns."""

import asyncio

import pytest

from processors.room import Room


async def test_a_few_of_any_size_and_more_that_are_small() -> None:
    room = Room(jobs=2, small=3, size=10)
    for size in (4, 1, 2, 2):
        await entered(room, size)
    assert await waits(room, 2)
    await entered(room, 1)
    assert await waits(room, 0)
    assert await waits(Room(jobs=0, small=1, size=3), 4)


async def test_a_large_one_leaves_room_for_the_few_alone() -> None:
    room = Room(jobs=2, small=3, size=10)
    await entered(room, 1000)
    await entered(room, 1000)
    assert await waits(room, 1)
    room.leave(1000)
    await entered(room, 1)
    assert await waits(room, 1)


async def test_who_came_first_is_let_in_first_whatever_its_size() -> None:
    room, order = Room(jobs=1, small=2, size=10), list[int]()

    async def job(size: int) -> None:
        await room.enter(size, owner="ada")
        order.append(size)

    await entered(room, 5)
    jobs = []
    for size in (20, 1, 2):
        jobs.append(asyncio.create_task(job(size)))
        await asyncio.sleep(0)
    assert order == []
    room.leave(5)
    await asyncio.wait_for(jobs[0], 5)
    assert order == [20]
    room.leave(20)
    await asyncio.wait_for(asyncio.gather(*jobs), 5)
    assert order == [20, 1, 2]


@pytest.mark.parametrize("let_in_first", [False, True])
async def test_who_goes_while_waiting_takes_nothing_along(let_in_first: bool) -> None:
    room = Room(jobs=1)
    await entered(room, 1)
    going = asyncio.create_task(room.enter(7, owner="ada"))
    staying = asyncio.create_task(room.enter(8, owner="ada"))
    await asyncio.sleep(0)
    if let_in_first:
        room.leave(1)
    going.cancel()
    with pytest.raises(asyncio.CancelledError):
        await going
    if not let_in_first:
        assert not staying.done()
        room.leave(1)
    await asyncio.wait_for(staying, 5)
    assert await waits(room, 0)
    room.leave(8)
    await entered(room, 100)


async def test_a_large_one_that_goes_lets_in_the_small_ones_behind_it() -> None:
    room = Room(jobs=1, small=1, size=10)
    await entered(room, 1)
    large, small = (
        asyncio.create_task(room.enter(50, owner="ada")),
        asyncio.create_task(room.enter(2, owner="ada")),
    )
    await asyncio.sleep(0)
    large.cancel()
    await asyncio.wait_for(small, 5)


async def test_owners_take_turns_and_each_owners_jobs_their_order() -> None:
    room, order = Room(jobs=1), list[str]()
    jobs = [
        asyncio.create_task(job_of(room, order, name)) for name in ("a1", "a2", "a3", "a4", "b1", "c1", "b2")
    ]
    await asyncio.wait_for(asyncio.gather(*jobs), 5)
    assert order == ["a1", "a2", "b1", "c1", "a3", "b2", "a4"]


async def test_an_owner_whose_jobs_have_all_gone_holds_nobody_up() -> None:
    room, order = Room(jobs=1), list[str]()
    await entered(room, 1)
    going = [asyncio.create_task(job_of(room, order, name)) for name in ("b1", "b2")]
    staying = asyncio.create_task(job_of(room, order, "c1"))
    await asyncio.sleep(0)
    for task in going:
        task.cancel()
    await asyncio.wait(going)
    room.leave(1)
    await asyncio.wait_for(staying, 5)
    assert order == ["c1"]


async def test_a_large_job_waits_for_room_and_is_not_overtaken_by_another_owners_small_one() -> None:
    room, order = Room(jobs=1, small=1, size=10), list[str]()
    await entered(room, 1)
    large = asyncio.create_task(job_of(room, order, "b1", size=50))
    small = asyncio.create_task(job_of(room, order, "c1"))
    await asyncio.sleep(0.01)
    assert order == []
    room.leave(1)
    await asyncio.wait_for(asyncio.gather(large, small), 5)
    assert order == ["b1", "c1"]


async def job_of(room: Room, order: list[str], name: str, *, size: int = 1) -> None:
    """A job that says its name once it is let in; the name's first letter is its owner."""
    await room.enter(size, owner=name[0])
    order.append(name)
    await asyncio.sleep(0)
    room.leave(size)


async def entered(room: Room, size: int) -> None:
    await asyncio.wait_for(room.enter(size, owner="ada"), 5)


async def waits(room: Room, size: int) -> bool:
    """Whether one of this size would have to wait now; it goes again."""
    task = asyncio.create_task(room.enter(size, owner="ada"))
    for _ in range(3):
        await asyncio.sleep(0)
    if task.done():
        room.leave(size)
        return False
    task.cancel()
    await asyncio.wait([task])
    return True

"""How many jobs are in hand at a time."""

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
        await room.enter(size)
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
    going = asyncio.create_task(room.enter(7))
    staying = asyncio.create_task(room.enter(8))
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
    large, small = asyncio.create_task(room.enter(50)), asyncio.create_task(room.enter(2))
    await asyncio.sleep(0)
    large.cancel()
    await asyncio.wait_for(small, 5)


async def entered(room: Room, size: int) -> None:
    await asyncio.wait_for(room.enter(size), 5)


async def waits(room: Room, size: int) -> bool:
    """Whether one of this size would have to wait now; it goes again."""
    task = asyncio.create_task(room.enter(size))
    for _ in range(3):
        await asyncio.sleep(0)
    if task.done():
        room.leave(size)
        return False
    task.cancel()
    await asyncio.wait([task])
    return True

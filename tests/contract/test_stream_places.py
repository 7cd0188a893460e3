"""Counting streams for all processes together (S01): Postgres and the in-memory twin count alike."""

import asyncio
from collections.abc import AsyncIterator, Callable
from uuid import UUID, uuid4

import psycopg
import pytest

from adapters.migrating import migrate
from adapters.read_store import Pool, async_pool
from adapters.settings import load_settings
from api.notifications.places import InMemoryPlaces, PlaceBook, Places, PostgresPlaces
from tests.servers import World

ADA = UUID(int=1)
# Long beside what a statement takes on a busy machine, short enough to be waited for.
SHORT = 1.0

Open = Callable[[float], Places]
"""Another process's part of the same count, with a lease of so many seconds."""


@pytest.fixture(scope="module")
def migrated(world: World) -> World:
    migrate(world.settings())
    return world


@pytest.fixture
async def pool(migrated: World) -> AsyncIterator[Pool]:
    async with async_pool(migrated.settings()) as pool:
        async with pool.connection() as conn:
            await conn.execute("truncate api.stream_holders, api.stream_places")
        yield pool


@pytest.fixture(params=["postgres", "in memory"])
def process(request: pytest.FixtureRequest) -> Open:
    if request.param == "in memory":
        book = PlaceBook()
        return lambda lease: InMemoryPlaces(book, lease=lease)
    pool: Pool = request.getfixturevalue("pool")
    return lambda lease: PostgresPlaces(pool, lease=lease)


async def living(process: Open, lease: float = 60.0) -> Places:
    made = process(lease)
    assert not await made.renew()
    return made


async def in_time(places: Places, count: int, *, most: int) -> None:
    """Takes them as soon as others' leases let it."""
    async with asyncio.timeout(30):
        while not await places.take(ADA, count, most=most, said=1):  # noqa: ASYNC110 - a clock decides
            await asyncio.sleep(0.05)


async def test_s01_all_processes_together_hold_no_more_than_the_bound(process: Open) -> None:
    one, two = await living(process), await living(process)
    assert await one.take(ADA, 2, most=3, said=1)
    assert not await two.take(ADA, 2, most=3, said=1)
    assert await two.take(ADA, 1, most=3, said=2)
    assert not await one.take(ADA, 3, most=3, said=2)
    assert await two.take(uuid4(), 3, most=3, said=3)
    await one.say({ADA: 0}, said=3)
    assert await two.take(ADA, 3, most=3, said=4)


async def test_s01_many_at_once_from_many_processes_get_no_more(process: Open) -> None:
    processes = [await living(process) for _ in range(12)]
    got = await asyncio.gather(*(one.take(ADA, 1, most=5, said=1) for one in processes))
    assert sum(got) == 5


async def test_of_two_words_the_later_counts_however_they_arrive(process: Open) -> None:
    one, two = await living(process), await living(process)
    await one.say({ADA: 2}, said=7)
    await one.say({ADA: 0}, said=6)
    assert not await two.take(ADA, 1, most=2, said=1)
    await one.say({ADA: 0}, said=8)
    assert await two.take(ADA, 2, most=2, said=2)


async def test_who_died_is_believed_until_its_lease_ends(process: Open) -> None:
    dead, lives = await living(process, SHORT), await living(process)
    assert await dead.take(ADA, 5, most=5, said=1)
    await in_time(lives, 1, most=5)


async def test_a_lease_that_is_kept_keeps_the_places(process: Open) -> None:
    one, two = await living(process), await living(process)
    assert await one.take(ADA, 1, most=1, said=1)
    assert await one.renew()
    assert await two.renew()
    assert not await two.take(ADA, 1, most=1, said=1)


@pytest.mark.parametrize("forgotten", [False, True])
async def test_who_lost_its_lease_is_told_and_says_everything_again(process: Open, forgotten: bool) -> None:
    late, other = await living(process, SHORT), await living(process)
    await late.say({ADA: 1}, said=1)
    await in_time(other, 1, most=1)
    if forgotten:
        await other.renew()
    assert not await late.renew()
    await late.say({ADA: 1}, said=2)
    assert not await other.take(ADA, 2, most=2, said=2)


async def test_who_leaves_frees_everything_at_once(process: Open) -> None:
    one, two = await living(process), await living(process)
    await one.say({ADA: 2, uuid4(): 3}, said=1)
    await one.leave()
    assert await two.take(ADA, 2, most=2, said=1)
    assert not await one.renew()


async def test_thousands_of_users_are_said_at_once_and_those_that_left_are_forgotten(
    pool: Pool,
) -> None:
    one = PostgresPlaces(pool)
    await one.renew()
    users = [uuid4() for _ in range(5000)]
    await one.say(dict.fromkeys(users, 1), said=1)
    await one.say(dict.fromkeys(users[1:], 0), said=2)
    assert await one.renew()
    async with pool.connection() as conn:
        left = await (await conn.execute("select owner_id from api.stream_places")).fetchall()
    assert left == [(users[0],)]


async def test_without_the_database_nobody_counts() -> None:
    settings = load_settings(
        {"DATABASE_URL": "postgresql://x:y@127.0.0.1:1/x", "DATABASE_CONNECT_TIMEOUT": "1s"}
    )
    pool = async_pool(settings)
    await pool.open()
    with pytest.raises(psycopg.OperationalError):
        await PostgresPlaces(pool).take(ADA, 1, most=1, said=1)
    await pool.close()

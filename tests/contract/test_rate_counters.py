"""Counting permits: Postgres and the in-memory twin give the same ones."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from adapters.migrating import migrate
from adapters.read_store import async_pool
from adapters.settings import load_settings
from adapters.settings.rates import Rate
from api.limits import Counters, CountersAway, InMemoryCounters, PostgresCounters
from tests.servers import World

SLOW = Rate(10, 3600, "10/hour")


@pytest.fixture(scope="module")
def migrated(world: World) -> World:
    migrate(world.settings())
    return world


@pytest.fixture(params=["postgres", "in memory"])
async def counters(request: pytest.FixtureRequest) -> AsyncIterator[Counters]:
    if request.param == "in memory":
        yield InMemoryCounters()
        return
    world: World = request.getfixturevalue("migrated")
    async with async_pool(world.settings()) as pool:
        async with pool.connection() as connection:
            await connection.execute("truncate api.rate_limits")
        yield PostgresCounters(pool)


async def test_a_bucket_gives_what_it_holds_and_then_says_how_long_to_wait(counters: Counters) -> None:
    assert (await counters.grant(b"a", SLOW, 4)).permits == 4
    assert (await counters.grant(b"a", SLOW, 4)).permits == 4
    assert (await counters.grant(b"a", SLOW, 4)).permits == 2
    empty = await counters.grant(b"a", SLOW, 4)
    assert (empty.permits, SLOW.interval - 10 < empty.wait <= SLOW.interval) == (0, True)
    assert (await counters.grant(b"b", SLOW, 40)).permits == 10


async def test_what_is_empty_refills_evenly(counters: Counters) -> None:
    quick = Rate(3, 3, "3/3seconds")  # a slow machine may take less than a second between two calls
    assert (await counters.grant(b"a", quick, 3)).permits == 3
    refused = await counters.grant(b"a", quick, 3)
    assert refused.permits == 0
    await asyncio.sleep(refused.wait + 0.02)
    assert (await counters.grant(b"a", quick, 3)).permits == 1


async def test_many_at_once_get_no_more_than_one_would(counters: Counters) -> None:
    grants = await asyncio.gather(*(counters.grant(b"a", SLOW, 3) for _ in range(30)))
    assert sum(grant.permits for grant in grants) == 10


async def test_what_is_full_again_is_forgotten(counters: Counters) -> None:
    await counters.grant(b"short", Rate(1000, 1, "1000/second"), 1)
    await counters.grant(b"long", SLOW, 10)
    await asyncio.sleep(0.05)
    assert await counters.sweep() == 1
    assert (await counters.grant(b"long", SLOW, 1)).permits == 0


async def test_without_the_database_nobody_counts() -> None:
    settings = load_settings(
        {"DATABASE_URL": "postgresql://x:y@127.0.0.1:1/x", "DATABASE_CONNECT_TIMEOUT": "1s"}
    )
    pool = async_pool(settings)
    await pool.open()
    with pytest.raises(CountersAway):
        await PostgresCounters(pool).grant(b"a", SLOW, 1)
    await pool.close()


async def test_without_the_table_nobody_counts(world: World) -> None:
    settings = world.settings(DATABASE_URL=world.servers.new_database())
    async with async_pool(settings) as pool:
        with pytest.raises(CountersAway):
            await PostgresCounters(pool).grant(b"a", SLOW, 1)

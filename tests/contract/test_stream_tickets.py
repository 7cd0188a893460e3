"""Tickets to the live stream: Postgres and the in-memory twin keep them alike."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from adapters.migrating import migrate
from adapters.read_store import async_pool
from api.notifications.tickets import LIFE, InMemoryTickets, PostgresTickets, Tickets, issue, redeem
from tests.servers import World

NOW = datetime(2026, 5, 17, tzinfo=UTC)


@pytest.fixture(scope="module")
def migrated(world: World) -> World:
    migrate(world.settings())
    return world


@pytest.fixture(params=["postgres", "in memory"])
async def tickets(request: pytest.FixtureRequest) -> AsyncIterator[Tickets]:
    if request.param == "in memory":
        yield InMemoryTickets()
        return
    world: World = request.getfixturevalue("migrated")
    async with async_pool(world.settings()) as pool:
        yield PostgresTickets(pool)


async def test_a_ticket_is_redeemed_once(tickets: Tickets) -> None:
    ticket = await issue(tickets, "a credential", NOW + LIFE, NOW)
    redeemed = await asyncio.gather(*(redeem(tickets, ticket, NOW) for _ in range(8)))
    assert sorted(redeemed, key=str) == [*[None] * 7, "a credential"]


async def test_a_ticket_is_good_for_its_time(tickets: Tickets) -> None:
    first, second = [await issue(tickets, "mine", NOW + LIFE, NOW) for _ in range(2)]
    assert await redeem(tickets, first, NOW + LIFE - timedelta(microseconds=1)) == "mine"
    assert await redeem(tickets, second, NOW + LIFE) is None


async def test_whoever_makes_a_ticket_sweeps_the_old_ones(tickets: Tickets) -> None:
    old = await issue(tickets, "old", NOW + LIFE, NOW)
    await issue(tickets, "new", NOW + 2 * LIFE, NOW + LIFE)
    assert await redeem(tickets, old, NOW) is None


async def test_what_is_kept_opens_for_nobody_without_the_ticket(tickets: Tickets) -> None:
    ticket = await issue(tickets, "secret credential", NOW + LIFE, NOW)
    wrong = ("A" if ticket[0] != "A" else "B") + ticket[1:]
    assert await redeem(tickets, wrong, NOW) is None
    assert await redeem(tickets, "short", NOW) is None
    assert await redeem(tickets, ticket, NOW) == "secret credential"

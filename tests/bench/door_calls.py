"""Calls at doors, ours or a peer's: accounts, an asset to read, turns of as many calls as are answered."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import aiohttp

from tests.bench import rounds
from tests.bench.ground import metadata, pen
from tests.bench.meters import Meter
from tests.bench.nest import Account
from tests.bench.saturation import saturated
from tests.servers import World
from tests.unit.projections.stories import Stories

PASSWORD: Final = "five quiet herons near the weir"

Call = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One program's turn at one kind of call."""

    calls: int
    seconds: float
    p99_ms: float
    cpu_ms: float

    @property
    def rate(self) -> float:
        """Calls answered a second."""
        return self.calls / self.seconds


async def turn_of(call: Call, meter: Meter, name: str, callers: int, seconds: float) -> Turn:
    meter.begin()
    latencies = await saturated(call, callers=callers, seconds=seconds)
    used = meter.read()
    return Turn(
        calls=len(latencies),
        seconds=used.seconds,
        p99_ms=1000 * rounds.percentile(latencies, 0.99),
        cpu_ms=1000 * used.cpu[name] / len(latencies),
    )


@asynccontextmanager
async def client_session(callers: int) -> AsyncIterator[aiohttp.ClientSession]:
    connector = aiohttp.TCPConnector(limit=callers)
    async with aiohttp.ClientSession(connector=connector, raise_for_status=True) as session:
        yield session


async def registered(session: aiohttp.ClientSession, url: str, email: str) -> Account:
    async with session.post(f"{url}/v1/auth/register", json={"email": email, "password": PASSWORD}) as answer:
        user_id = UUID((await answer.json())["user_id"])
    return Account(email=email, password=PASSWORD, user_id=user_id)


async def asset_of(ground: World, owner_id: UUID, name: str = "harbour") -> UUID:
    """An asset of this owner with its variants, as the log tells it."""
    async with pen(ground.settings("api-bench")) as held:
        stories = Stories("api", held.keys)
        await stories.known(owner_id)
        for event in stories.whole(name, owner_id):
            await held.log.append(event, metadata(event.asset_id))
        return stories.asset_id(name)


async def until_read(call: Call) -> None:
    """Waits until the projector has caught up with the asset."""
    async with asyncio.timeout(20):
        while True:
            try:
                await call()
            except aiohttp.ClientResponseError as error:
                if error.status != 404:
                    raise
                await asyncio.sleep(0.05)
            else:
                return


async def asked(session: aiohttp.ClientSession, method: str, url: str, **request: Any) -> None:
    async with session.request(method, url, **request) as answer:
        await answer.read()


def figures(turn: Turn) -> dict[str, float]:
    return {"per_second": turn.rate, "p99_ms": turn.p99_ms, "cpu_ms_a_call": turn.cpu_ms}

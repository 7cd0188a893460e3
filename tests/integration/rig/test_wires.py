"""Wires to the servers that are slow, cut, reset and lie: retried, checked, and no harm done."""

import asyncio
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.integration.rig.conftest import Scene, address_of
from tests.rig.proxy import SLOW_DOWN, Proxy, Weather
from tests.servers import World

STORE: dict[str, Weather] = {
    "30 % SlowDown": Weather(answer=SLOW_DOWN, chance=0.3),
    "requests cut": Weather(cut_up=3000, chance=0.5),
    "answers cut": Weather(cut_down=900, chance=0.5),
    "answers kept back": Weather(cut_down=0, chance=0.5),
    "resets": Weather(cut_down=500, reset=True, chance=0.5),
    "refusals": Weather(refused=True, chance=0.5),
    "a narrow wire": Weather(bandwidth=40_000),
}


async def test_a_store_behind_a_bad_wire(scene: Scene) -> None:
    """R20: everything is retried within the budget; no half of an object is ever served or named."""
    scene.workers.start(0)
    for name, weather in STORE.items():
        scene.history.fault(f"store: {name}")
        with scene.store_wire.weather(weather):
            await scene.load.burst(6)
            await scene.gathering.settled()
        await scene.end()
    assert scene.store_wire.hit > len(STORE)


BROKER: dict[str, Weather] = {
    "latency": Weather(latency=0.02),
    "answers kept back": Weather(cut_down=0, chance=0.5),
    "resets": Weather(cut_down=2000, reset=True, chance=0.5),
    "a black hole for a while": Weather(blackhole=True),
}


async def test_a_broker_behind_a_bad_wire(scene: Scene, broker_wire: Proxy) -> None:
    """R02's outcome unknown among it: what is said again has the same id; it may leave and come back."""
    scene.workers.start(0, KAFKA_BOOTSTRAP_SERVERS=broker_wire.address)
    for name, weather in BROKER.items():
        scene.history.fault(f"broker: {name}")
        async with scene.load.at(4.0):
            with broker_wire.weather(weather):
                await asyncio.sleep(1.5)
        await scene.end()
    assert broker_wire.hit > len(BROKER)


@pytest.fixture
def database_wire(ground: World, seed: int) -> Iterator[Proxy]:
    """The wire between the projector and its database."""
    with Proxy(address_of(ground.env["DATABASE_URL"]), seed=seed) as proxy:
        yield proxy


DATABASE: dict[str, Weather] = {
    "latency": Weather(latency=0.01),
    "requests cut": Weather(cut_up=30_000),
    "answers cut": Weather(cut_down=9_000),
    "resets": Weather(cut_down=12_000, reset=True),
}


@pytest.mark.usefixtures("projected")
async def test_a_database_behind_a_bad_wire(scene: Scene, database_wire: Proxy) -> None:
    """A commit whose answer is lost is neither lost nor made twice; no connection lives for long."""
    parts = urlsplit(scene.world.env["DATABASE_URL"])
    user, _, _ = parts.netloc.rpartition("@")
    scene.workers.start(0)
    scene.projectors.start(0, DATABASE_URL=parts._replace(netloc=f"{user}@{database_wire.address}").geturl())
    for name, weather in DATABASE.items():
        scene.history.fault(f"database: {name}")
        async with scene.load.at(8.0):
            with database_wire.weather(weather):
                await asyncio.sleep(2.0)
        await scene.end()
    assert database_wire.hit > len(DATABASE)

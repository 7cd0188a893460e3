"""Wires to the servers that are slow, cut, reset and lie: retried, checked, and no harm done."""

import asyncio
from collections.abc import Iterator

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


@pytest.fixture
def broker_wire(ground: World, seed: int) -> Iterator[Proxy]:
    """The wire between workers and the broker."""
    with Proxy(address_of(ground.env["KAFKA_BOOTSTRAP_SERVERS"]), seed=seed, broker=True) as proxy:
        yield proxy


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
        with broker_wire.weather(weather):
            async with scene.load.at(4.0):
                await asyncio.sleep(3.0)
        await scene.end()
    assert broker_wire.hit > len(BROKER)

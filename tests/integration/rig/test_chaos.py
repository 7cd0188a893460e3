"""Everything at once: servers and programs killed and frozen, wires cut, poison and old news in the log.

Some twenty seconds of it by itself; `make chaos` runs it for CHAOS_SECONDS. A run is repeated with RIG_SEED.
"""

import os
import random

import pytest

from tests.integration.rig.chaos import Chaos, survived
from tests.integration.rig.conftest import Scene
from tests.rig.fleet import Fleet
from tests.rig.proxy import Proxy
from tests.rig.storms import Storm

SECONDS = float(os.environ.get("CHAOS_SECONDS", "20"))
pytestmark = [pytest.mark.usefixtures("projected"), pytest.mark.timeout(SECONDS * 4 + 600)]


async def test_nothing_is_lost_doubled_or_stuck(
    outside: Scene, api: Fleet, broker_wire: Proxy, seed: int
) -> None:
    """R01, R05, R07, R09, R11, R14, R16: a seeded storm of all faults under an owner's uploads."""
    chance = random.Random(seed)
    broker = {"broker": outside.world.servers.kafka}
    chaos = Chaos(outside, api, chance, brokers=broker, broker_wire=broker_wire)
    storm = Storm(chance=chance, strikes=1, seconds=SECONDS)
    await survived(outside, api, chaos, storm, brokers=broker_wire.address)

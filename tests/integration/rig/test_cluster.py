"""The same with a cluster of three brokers, of which one at a time is killed or frozen.

Only where CHAOS_SECONDS is set, as by `make chaos`: it starts six servers of its own.
"""

import os
import random
from collections.abc import Iterator

import pytest

from tests.integration.rig.chaos import Chaos, survived
from tests.integration.rig.conftest import Scene
from tests.rig.cluster import Cluster, whole_servers
from tests.rig.fleet import Fleet
from tests.rig.storms import Storm
from tests.servers import Servers, World

SECONDS = float(os.environ.get("CHAOS_SECONDS", "0"))
pytestmark = [
    pytest.mark.usefixtures("projected"),
    pytest.mark.skipif(not SECONDS, reason="only where CHAOS_SECONDS is set, as by `make chaos`"),
    pytest.mark.timeout(SECONDS * 4 + 600),
]


@pytest.fixture(scope="module")
def of_three() -> Iterator[tuple[Servers, Cluster]]:
    with whole_servers() as found:
        yield found


@pytest.fixture(scope="module")
def world(of_three: tuple[Servers, Cluster], tmp_path_factory: pytest.TempPathFactory) -> World:
    """In the place of the shared one: its log has three copies."""
    servers, _ = of_three
    return World(servers=servers, env=servers.environment(), folder=tmp_path_factory.mktemp("world"))


async def test_a_cluster_loses_doubles_and_sticks_nothing(
    outside: Scene, api: Fleet, of_three: tuple[Servers, Cluster], seed: int
) -> None:
    """R01: leaders of partitions, of groups and of the cluster itself among what is killed and frozen."""
    chance = random.Random(seed)
    _, cluster = of_three
    topic = outside.world.settings("look").kafka.topics.assets
    cluster.wait_in_sync(topic)
    brokers = {f"broker {number}": server for number, server in cluster.brokers.items()}
    chaos = Chaos(outside, api, chance, brokers=brokers)
    await survived(outside, api, chaos, Storm(chance=chance, strikes=1, seconds=SECONDS))
    cluster.wait_in_sync(topic)

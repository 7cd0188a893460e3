"""Who starts first, and who at the same time: everything is made once, and everybody finds it.

The orders of starts only where CHAOS_SECONDS is set, as by `make chaos`.
"""

import asyncio
import os
import random
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from adapters.migrating import migrate
from ops import topics
from schemas.catalogue import CATALOGUE
from tests.integration.rig.conftest import PROGRAMS, Scene
from tests.programs import Program, asked, running
from tests.rig.evidence import Allowed
from tests.rig.fleet import Fleet
from tests.servers import Server, World

GROUNDS = 3
ORDERS = 2
READY_SECONDS = 60.0
SERVERS = ("kafka", "registry", "store", "postgres")
only_in_chaos = pytest.mark.skipif(
    not os.environ.get("CHAOS_SECONDS"), reason="only where CHAOS_SECONDS is set, as by `make chaos`"
)


@pytest.mark.timeout(240)
def test_grounds_that_are_laid_at_once_do_not_meet(world: World) -> None:
    """R25: topics, schemas and tables are made once; who comes late finds them."""
    grounds = [
        Program(["ops", "ground"], world.env, world.folder / f"ground-{number}") for number in range(GROUNDS)
    ]
    with running(*grounds):
        said = {ground.process.wait(120): ground.output() for ground in grounds}
    assert set(said) == {0}, said
    settings = world.settings()
    assert (topics.apply(settings), migrate(settings)) == ([], ())
    for row in CATALOGUE:
        subject = row.subject(settings.kafka.topics)
        versions = asked(f"{settings.registry.url}/subjects/{subject}/versions").json()
        assert len(versions) == row.newest


def orders(chance: random.Random) -> list[list[str]]:
    """Some of all orders of servers and programs; the first has all programs before the first server."""
    programs = [" ".join(words) for words in PROGRAMS]
    sampled = [chance.sample([*programs, *SERVERS], len(programs) + len(SERVERS)) for _ in range(ORDERS - 1)]
    return [[*programs, *SERVERS], *sampled]


@only_in_chaos
@pytest.mark.usefixtures("projected")
@pytest.mark.timeout(900)
async def test_whatever_starts_first_all_are_ready_within_a_minute(
    outside: Scene, everybody: Fleet, seed: int
) -> None:
    """R25: on ground that is laid, in sampled orders; nobody leaves to be started again."""
    chance = random.Random(seed)
    for order in orders(chance):
        outside.history.fault(f"started in the order {', '.join(order)}")
        await asyncio.to_thread(_started, outside, everybody, order, chance)
        await outside.load.burst(2)
        await outside.load.resolve()
        await outside.end(Allowed(handovers=True, orphaned_originals=True))
        assert (everybody.left, everybody.casualties) == (0, [])
        with ThreadPoolExecutor() as pool:
            assert set(pool.map(everybody.stop, range(len(PROGRAMS)))) == {0}


def _started(scene: Scene, everybody: Fleet, order: list[str], chance: random.Random) -> None:
    """Everything down, then one after the other started, and all waited for."""
    servers = {name: _server(scene, name) for name in SERVERS}
    for server in servers.values():
        server.stop()
    programs = [" ".join(words) for words in PROGRAMS]
    with ThreadPoolExecutor() as pool:
        coming = []
        for name in order:
            if name in servers:
                coming.append(pool.submit(servers[name].start))
            else:
                everybody.start(programs.index(name), ready=False)
            time.sleep(chance.uniform(0.0, 2.0))
        for serving in coming:
            serving.result()
    began = time.monotonic()
    for number in range(len(programs)):
        everybody[number].wait_ready(seconds=max(1.0, began + READY_SECONDS - time.monotonic()))
    print(f"all ready {time.monotonic() - began:.1f} s after the last server")


def _server(scene: Scene, name: str) -> Server:
    server: Server = getattr(scene.world.servers, name)
    return server


@only_in_chaos
@pytest.mark.timeout(300)
def test_who_is_told_to_stop_before_anything_is_there_stops(everybody: Fleet) -> None:
    """R23, R25: while it waits for servers that don't answer."""
    nowhere = {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9", "SCHEMA_REGISTRY_URL": "http://127.0.0.1:9"}
    everybody.start(*range(len(PROGRAMS)), ready=False, **nowhere)
    for number in range(len(PROGRAMS)):
        everybody[number].wait_ready(f"{everybody[number].metrics_url}/livez")
        assert asked(f"{everybody[number].metrics_url}/readyz").status_code == 503
    with ThreadPoolExecutor() as pool:
        codes = dict(zip(PROGRAMS, pool.map(everybody.stop, range(len(PROGRAMS))), strict=True))
    assert set(codes.values()) == {0}, (codes, everybody.output())

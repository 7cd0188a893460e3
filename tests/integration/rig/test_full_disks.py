"""A disk of each server full, one after the other: nothing that was acknowledged is lost.

Only where CHAOS_SECONDS is set, as by `make chaos`, and where disks may be mounted.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import psycopg
import pytest

from tests.integration.rig.conftest import Scene
from tests.programs import asked
from tests.rig.doors import Door, HttpDoor, NotNow
from tests.rig.evidence import Allowed
from tests.rig.fleet import Fleet
from tests.rig.history import Acknowledged, Attempt
from tests.rig.load import Load
from tests.rig.small_disks import Disk, may_mount, servers_on_small_disks
from tests.servers import Servers, World

TROUBLE_SECONDS = 90.0
FULL_SECONDS = 5.0
WRITTEN = 1_000_000
pytestmark = [
    pytest.mark.usefixtures("projected"),
    pytest.mark.skipif(
        not os.environ.get("CHAOS_SECONDS"), reason="only where CHAOS_SECONDS is set, as by `make chaos`"
    ),
    pytest.mark.timeout(900),
]


@pytest.fixture(scope="module")
def on_small_disks() -> Iterator[tuple[Servers, dict[str, Disk]]]:
    if not may_mount():
        pytest.skip("nothing may be mounted here")
    with servers_on_small_disks() as found:
        yield found


@pytest.fixture(scope="module")
def world(on_small_disks: tuple[Servers, dict[str, Disk]], tmp_path_factory: pytest.TempPathFactory) -> World:
    """In the place of the shared one."""
    servers, _ = on_small_disks
    return World(servers=servers, env=servers.environment(), folder=tmp_path_factory.mktemp("world"))


class Noting:
    """A door that keeps what it was refused with: a status, or how the connection ended."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self.refusals: set[str] = set()

    def attempt(self) -> Attempt:
        return self._door.attempt()

    async def make(self, attempt: Attempt, picture: bytes) -> Acknowledged:
        try:
            return await self._door.make(attempt, picture)
        except NotNow as refusal:
            self.refusals.add(str(refusal))
            raise

    async def close(self) -> None:
        await self._door.close()


@pytest.fixture
async def door(ground: World) -> AsyncIterator[Noting]:
    door = Noting(HttpDoor(ground.env["DARKROOM_URL"], ground.env["API_KEYS"].split(":")[0]))
    yield door
    await door.close()


async def test_a_full_disk_loses_nothing_that_was_acknowledged(
    scene: Scene, api: Fleet, door: Noting, on_small_disks: tuple[Servers, dict[str, Disk]]
) -> None:
    """R19: 503 and no other refusal while it is full; everything goes on when there is room again."""
    servers, disks = on_small_disks
    load = Load(door, scene.history)
    scene.workers.start(0)
    scene.projectors.start(0)
    api.start(0, BULK_ABOVE="100000")
    await load.burst(4)
    await scene.end()
    troubles: dict[str, Callable[[], Awaitable[bool]]] = {
        "kafka": lambda: _refuses(door),
        "store": lambda: _refuses(door),
        "postgres": lambda: _rests(scene),
        "wal": lambda: _down(servers),
    }
    for name, in_trouble in troubles.items():
        door.refusals.clear()
        scene.history.fault(f"disk of {name} full")
        async with load.at(4.0):
            with disks[name].full():
                await _until(in_trouble, name)
                await asyncio.sleep(FULL_SECONDS)
            freed = time.monotonic()
        for server in (servers.kafka, servers.store, servers.postgres):
            await asyncio.to_thread(server.wait_ready)
        await asyncio.to_thread(api.wait_ready, 0)
        await load.resolve()
        assert not {refusal for refusal in door.refusals if refusal.isdigit()} - {"503"}
        await scene.end(Allowed(handovers=True, orphaned_originals=True), seconds=120.0)
        print(f"{name}: all done {time.monotonic() - freed:.1f} s after there was room again")


async def _until(in_trouble: Callable[[], Awaitable[bool]], name: str) -> None:
    deadline = time.monotonic() + TROUBLE_SECONDS
    while not await in_trouble():
        assert time.monotonic() < deadline, f"nobody minds that the disk of {name} is full"
        await asyncio.sleep(0.5)


async def _refuses(door: Noting) -> bool:
    """Whether uploads are refused as they may be."""
    return "503" in door.refusals


async def _rests(scene: Scene) -> bool:
    """Whether the projector says that it can't go on."""
    answer = await asyncio.to_thread(asked, f"{scene.projectors[0].metrics_url}/readyz")
    return answer.status_code == 503


async def _down(servers: Servers) -> bool:
    """Whether the database has ended over it; it writes what fills its log until then."""
    return await asyncio.to_thread(_ended_over_writing, servers)


def _ended_over_writing(servers: Servers) -> bool:
    try:
        with psycopg.connect(servers.addresses["DATABASE_URL"], autocommit=True) as connection:
            for _ in range(8):
                connection.execute(
                    "select pg_logical_emit_message(false, 'rig', repeat('x', %s))", (WRITTEN,)
                )
    except psycopg.Error:
        return True
    return False

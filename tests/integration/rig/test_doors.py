"""The doors killed under load: an upload made again under its Idempotency-Key is the same upload."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tests.integration.rig.conftest import Brew, Scene
from tests.programs import Program
from tests.rig.doors import HttpDoor
from tests.rig.fleet import Fleet
from tests.rig.history import History
from tests.rig.load import Load
from tests.rig.storms import killing
from tests.servers import World

pytestmark = pytest.mark.usefixtures("projected")


@pytest.fixture
def api(ground: World, history: History, tmp_path: Path) -> Iterator[Fleet]:
    """The doors; none is open until it is started."""

    def make(number: int, settings: Mapping[str, str]) -> Program:
        return Program(["api"], {**ground.env, **settings}, tmp_path / f"api-{number}")

    fleet = Fleet(make, history, name="api")
    yield fleet
    fleet.close()


@pytest.fixture
async def outside(scene: Scene) -> AsyncIterator[Scene]:
    """The same scene with an owner's uploads as its load."""
    key = scene.world.env["API_KEYS"].split(":")[0]
    door = HttpDoor(scene.world.env["DARKROOM_URL"], key)
    yield replace(scene, load=Load(door, scene.history))
    await door.close()


async def test_doors_worker_and_projector_killed_at_random_instants(
    outside: Scene, api: Fleet, storm: Brew
) -> None:
    """What got no answer is asked for again: each key is one upload, each 202 in log, rows and store."""
    outside.workers.start(0, ready=False)
    outside.projectors.start(0, ready=False)
    api.start(0)
    async with outside.load.at(3.0):
        for fleet in (api, outside.workers, outside.projectors):
            await asyncio.to_thread(killing, fleet, (0,), storm(1))
    await outside.load.resolve()
    evidence = await outside.end()
    assert len({answer.asset_id for answer in evidence.acknowledged}) == len(evidence.attempts)
    assert api.casualties == []

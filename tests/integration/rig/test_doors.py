"""The doors killed and cut off under load: made again under its Idempotency-Key it is the same upload."""

import asyncio
import os

import pytest

from schemas.events import UploadRequested
from tests.integration.rig.conftest import Brew, Scene
from tests.rig.evidence import Allowed
from tests.rig.fleet import Fleet
from tests.rig.proxy import Proxy, Weather
from tests.rig.storms import killing

COPIES_MAY_STAY = Allowed(orphaned_originals=True)
pytestmark = pytest.mark.usefixtures("projected")


@pytest.mark.skipif("RIG_SECONDS" not in os.environ, reason="only where RIG_SECONDS is set")
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
    evidence = await outside.end(COPIES_MAY_STAY)
    assert len({answer.asset_id for answer in evidence.acknowledged}) == len(evidence.attempts)
    assert api.casualties == []


async def test_doors_whose_broker_does_not_answer(outside: Scene, api: Fleet, broker_wire: Proxy) -> None:
    """R02: appends land and nobody says so; the same key asked again is the same upload, and one event."""
    outside.workers.start(0, ready=False)
    outside.projectors.start(0)
    api.start(0, KAFKA_BOOTSTRAP_SERVERS=broker_wire.address)
    async with outside.load.at(3.0):
        for weather in (Weather(cut_down=0, chance=0.5), Weather(cut_down=1500, reset=True)):
            with broker_wire.weather(weather):
                await asyncio.sleep(2.0)
    await outside.load.resolve()
    evidence = await outside.end(COPIES_MAY_STAY)
    assert broker_wire.hit > 0
    asked = [told.event for told in evidence.log if isinstance(told.event, UploadRequested)]
    assert len({event.event_id for event in asked}) == len({event.asset_id for event in asked})

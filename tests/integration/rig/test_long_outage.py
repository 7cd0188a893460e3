"""The broker is away for minutes, then it is back, and so is everybody.

Only where OUTAGE_SECONDS is set, as by `make chaos`: short outages are met in many other tests.
"""

import asyncio
import os
import time

import pytest

from tests.integration.rig.conftest import PROGRAMS, Scene
from tests.programs import asked
from tests.rig.evidence import Allowed
from tests.rig.fleet import Fleet
from tests.rig.groups import Groups

SECONDS = float(os.environ.get("OUTAGE_SECONDS", "0"))
BACK_SECONDS = 60.0
EVERYBODY = range(len(PROGRAMS))
pytestmark = [
    pytest.mark.usefixtures("projected"),
    pytest.mark.skipif(not SECONDS, reason="only where OUTAGE_SECONDS is set, as by `make chaos`"),
    pytest.mark.timeout(SECONDS + 600),
]


async def test_after_minutes_without_a_broker_everybody_goes_on(outside: Scene, everybody: Fleet) -> None:
    """R17: new work is done within a minute of the heal, and every group is at the end of what it reads."""
    kafka, groups = outside.world.servers.kafka, Groups(outside.world.settings("look").kafka)
    await asyncio.to_thread(everybody.start, *EVERYBODY)
    await outside.load.burst(4)
    await outside.gathering.settled()
    outside.history.fault(f"broker away for {SECONDS:g} s")
    async with outside.load.at(0.2):
        await asyncio.to_thread(kafka.stop)
        await asyncio.sleep(SECONDS)
        assert [asked(f"{everybody[each].metrics_url}/livez").status_code for each in EVERYBODY] == [
            200 for _ in EVERYBODY
        ]
        await asyncio.to_thread(kafka.start)
        healed = time.monotonic()
    await outside.load.burst(2)
    await outside.gathering.settled(BACK_SECONDS)
    print(f"{SECONDS:g} s of outage, new work done {time.monotonic() - healed:.1f} s after its end")
    await outside.load.resolve()
    await outside.gathering.settled()
    await asyncio.to_thread(groups.wait_at_the_end, BACK_SECONDS)
    print(f"all of {len(groups.seen)} groups at the end after {time.monotonic() - healed:.1f} s")
    await asyncio.to_thread(everybody.wait_ready, *EVERYBODY)
    await outside.end(Allowed(handovers=True, orphaned_originals=True))
    assert (everybody.casualties, len(groups.seen) > 0) == ([], True)

"""R24: half an hour of load and faults in which no program may grow; only with SOAK_SECONDS (`make soak`)."""

import asyncio
import contextlib
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Final

import httpx
import pytest

from tests.integration.rig.chaos import Chaos
from tests.integration.rig.conftest import Scene, address_of
from tests.programs import PLAIN
from tests.rig.evidence import Allowed
from tests.rig.fleet import Fleet
from tests.rig.proxy import Proxy
from tests.rig.sampling import Sampler
from tests.rig.storms import Storm, striking
from tests.rig.vitals import complaints, table

SECONDS: Final = float(os.environ.get("SOAK_SECONDS", "0"))
# Thirty requests a second, of which a tenth bring a picture.
UPLOADS_A_SECOND: Final = 3.0
READS_A_SECOND: Final = 27.0
READS: Final = ("/v1/assets?limit=20", "/v1/assets/{}", "/v1/assets/{}/variants/small", "/v1/jobs?limit=20")
# Caches, pools and an interpreter's own heap fill in the beginning. Below four minutes nothing is judged.
WARM_UP: Final = 300.0 if SECONDS >= 900 else 120.0
TOLD_AFTER: Final = 120.0
# What lets programs live: each start of one begins anew.
LASTING: Final = frozenset(
    {
        "api frozen",
        "broker frozen",
        "broker's wire cut",
        "broker's wire slow",
        "database frozen",
        "database killed",
        "store frozen",
        "store killed",
        "store overrun",
        "store's wire cut",
    }
)
CRIES: Final = ("Task was destroyed", "never retrieved", "never awaited")
pytestmark = [
    pytest.mark.usefixtures("projected"),
    pytest.mark.skipif(not SECONDS, reason="only where SOAK_SECONDS is set, as by `make soak`"),
    pytest.mark.timeout(SECONDS * 2 + 1200),
]


async def test_no_program_grows_under_load_and_faults(
    outside: Scene, api: Fleet, broker_wire: Proxy, seed: int
) -> None:
    """Memory, descriptors, threads and connections to the database; and no task is forgotten."""
    fleets = {"api": api, "worker": outside.workers, "projector": outside.projectors}
    chaos = Chaos(
        outside,
        api,
        random.Random(seed),
        brokers={"broker": outside.world.servers.kafka},
        broker_wire=broker_wire,
    )
    outside.workers.start(0, 1)
    outside.projectors.start(0, 1)
    api.start(0, BULK_ABOVE="1000000", KAFKA_BOOTSTRAP_SERVERS=broker_wire.address)
    _, database_port = address_of(outside.world.env["DATABASE_URL"])
    with Sampler(fleets, database_port=database_port) as sampler:
        async with outside.load.at(UPLOADS_A_SECOND), _read(outside, seed) as answered:
            await asyncio.to_thread(_faults, outside, chaos, seed)
            await asyncio.to_thread(api.wait_ready, 0)
        await outside.load.resolve()
    print(table(sampler.series, warm_up=WARM_UP, at_least=TOLD_AFTER))
    print("reads answered:", dict(answered))
    await outside.end(Allowed(handovers=True, orphaned_originals=True), seconds=300.0)
    found = [
        told for series in sampler.series for told in complaints(series, warm_up=WARM_UP, at_least=TOLD_AFTER)
    ]
    assert found + list(_cries(fleets)) == []
    assert not [status for status in answered if status >= 500 and status != 503]
    assert answered[200] > answered[404] + answered[0]


def _faults(scene: Scene, chaos: Chaos, seed: int) -> None:
    """A fault each fifteen seconds or so; halfway the younger worker and projector are killed."""
    lasting = {name: fault for name, fault in chaos.faults().items() if name in LASTING}
    assert lasting.keys() == LASTING
    chance = random.Random(seed)
    for half in range(2):
        striking(
            lasting,
            Storm(chance=chance, strikes=1, seconds=SECONDS / 2),
            scene.history.fault,
            longest=30.0,
        )
        if half == 0:
            for fleet in (scene.workers, scene.projectors):
                fleet.kill(1)
                fleet.start(1, ready=False)


@contextlib.asynccontextmanager
async def _read(scene: Scene, seed: int) -> AsyncIterator[Counter[int]]:
    """An owner who looks at what was uploaded, at a rate, inside the block; gives the statuses by number."""
    answered: Counter[int] = Counter()
    chance, under_way = random.Random(seed), set[asyncio.Task[None]]()
    key = scene.world.env["API_KEYS"].split(":")[0]

    async def ask(client: httpx.AsyncClient) -> None:
        known = scene.history.acknowledged
        path = chance.choice(READS).format(chance.choice(known).asset_id) if known else READS[0]
        try:
            answered[(await client.get(path)).status_code] += 1
        except httpx.TransportError:
            answered[0] += 1  # frozen, or behind in its answers

    async def drive(client: httpx.AsyncClient) -> None:
        while True:
            task = asyncio.create_task(ask(client))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
            await asyncio.sleep(chance.expovariate(READS_A_SECOND))

    async with httpx.AsyncClient(
        base_url=scene.world.env["DARKROOM_URL"],
        headers={"Authorization": f"Bearer {key}"},
        timeout=20.0,
        verify=PLAIN,
    ) as client:
        driving = asyncio.create_task(drive(client))
        try:
            yield answered
        finally:
            driving.cancel()
            await asyncio.gather(driving, *under_way, return_exceptions=True)


def _cries(fleets: dict[str, Fleet]) -> Iterator[str]:
    """What an interpreter says of tasks that nobody waited for, from the logs of all programs."""
    for name, fleet in fleets.items():
        for number, output in fleet.outputs().items():
            for line in output.splitlines():
                if any(cry in line for cry in CRIES):
                    yield f"{name} {number}: {line[:300]}"

"""R28: what is purged is gone from the store, also while a worker is at it, and whoever dies meanwhile."""

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from adapters.dead_letters.thickness import LONGEST_RUN
from schemas.events import AssetPurged, UploadCompleted, WorkersResumed
from tests.integration.worker.conftest import StartWorker
from tests.integration.worker.lab import Lab
from tests.integration.worker.seen import metric, readiness
from tests.photographs import photograph
from tests.programs import Program, running
from tests.servers import World

# A job of at most three seconds, so that the thorough look need not be waited for longer.
SHORT = {"JOB_TIMEOUT": "2s", "JOB_BUDGET": "2s", "OUTAGE_BUDGET": "1s", "BULK_JOB_BUDGET": "2s"}
LONGEST = 3.0


def purge(request: UploadCompleted, incoming_key: str | None = None) -> AssetPurged:
    return AssetPurged(
        event_id=uuid4(),
        occurred_at=datetime.now(UTC),
        asset_id=request.asset_id,
        owner_id=request.owner_id,
        actor_id=request.owner_id,
        code="erased",
        incoming_key=incoming_key,
    )


@pytest.fixture(scope="module")
def purger(ground: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    env = {**ground.env, **SHORT}
    with running(Program(["processors", "purge"], env, tmp_path_factory.mktemp("purge"))) as (program,):
        yield program.wait_ready()


async def gone(lab: Lab, request: UploadCompleted, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while left := await lab.objects(request):
        assert time.monotonic() < deadline, left
        await asyncio.sleep(0.05)


async def test_a_purged_asset_is_gone_at_once(lab: Lab, purger: Program) -> None:
    incoming = f"incoming/{uuid4()}/x"
    await lab.store.put(incoming, b"bytes", content_type="image/jpeg")
    request = await lab.request()
    other = await lab.request()
    await lab.append(purge(request, incoming))
    began = time.monotonic()
    await gone(lab, request, 10)
    while await lab.store.head(incoming) is not None:
        assert time.monotonic() - began < 10
        await asyncio.sleep(0.05)
    assert time.monotonic() - began < LONGEST  # the first look does not wait as the second does
    assert len(await lab.objects(other)) == 1
    shown = (await asyncio.to_thread(httpx.get, f"{purger.metrics_url}/metrics")).text
    assert "darkroom_worker_purged_objects_total 2.0" in shown
    assert "darkroom_worker_lag_records" in shown


async def test_a_worker_takes_back_what_it_made_of_a_purged_original(
    lab: Lab, purger: Program, start_worker: StartWorker
) -> None:
    assert purger.alive()
    start_worker(FAILPOINTS="worker.after_put=sleep:1@1", **SHORT)
    request = await lab.upload(photograph(640, 480))
    await lab.until(lambda: "started 1" in lab.story(request))
    await variants_begun(lab, request)
    await lab.append(purge(request))
    await lab.ended(request)
    assert lab.story(request)[-1] == "refused(object_missing) 1"
    await gone(lab, request, 40)


async def test_what_a_dying_worker_left_goes_with_the_second_look(
    lab: Lab, purger: Program, start_worker: StartWorker
) -> None:
    """Killed between its last object and its look back: nobody takes anything back or tries again."""
    worker = start_worker(FAILPOINTS="worker.after_put=sleep:1@1,worker.after_manifest=kill", **SHORT)
    request = await lab.upload(photograph(640, 480))
    await variants_begun(lab, request)
    await lab.append(purge(request))
    await lab.until(lambda: not worker.alive())
    assert await lab.objects(request)
    assert purger.alive()
    await gone(lab, request, LONGEST + 40)
    start_worker(slot=1, **SHORT)
    later = await lab.upload(photograph(64, 48))
    await lab.ended(later)
    assert await lab.objects(request) == {}
    assert lab.story(request) == ["started 1"]


async def test_killed_in_the_middle_it_goes_on(
    lab: Lab, ground: World, tmp_path: Path, purger: Program
) -> None:
    assert purger.stop() == 0
    request = await lab.request()
    env = {**ground.env, **SHORT, "FAILPOINTS": "purge.before_commit=kill"}
    with running(Program(["processors", "purge"], env, tmp_path / "dying")) as (dying,):
        dying.wait_ready()
        await lab.append(purge(request))
        await lab.until(lambda: not dying.alive())
        await lab.store.put(f"assets/{request.asset_id}/late", b"late", content_type="image/jpeg")
    purger.restart().wait_ready()
    await gone(lab, request, LONGEST + 40)


async def test_too_many_dead_letters_stop_it_until_an_operator_says_so(lab: Lab, purger: Program) -> None:
    headers = {"ce_type": b"AssetPurged"}
    for _ in range(LONGEST_RUN):
        lab.append_raw(str(uuid4()).encode(), b"\0\0\0\xff\xff of no schema", headers)
    await lab.until(lambda: "dead-letters resume purge" in readiness(purger)[1])
    assert metric(purger, "darkroom_worker_dead_letter_stop") == 1
    for component in ("variants", "purge"):
        assert readiness(purger)[0] == 503
        await lab.append(WorkersResumed(event_id=uuid4(), occurred_at=datetime.now(UTC), component=component))
        if component == "variants":
            await asyncio.sleep(1)  # long enough to hear what is not meant for it
    await lab.until(lambda: readiness(purger)[0] == 200)
    assert metric(purger, "darkroom_worker_dead_letter_stop") == 0


async def variants_begun(lab: Lab, request: UploadCompleted) -> None:
    deadline = time.monotonic() + 30
    while len(await lab.objects(request)) < 2:
        assert time.monotonic() < deadline, "no variant came"
        await asyncio.sleep(0.01)

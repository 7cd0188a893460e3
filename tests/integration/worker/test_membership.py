"""Members of the group: a restart moves nothing, leaving for good moves all at once, twins do not last."""

import asyncio
import signal
from pathlib import Path

import pytest

from tests.integration.worker.conftest import StartWorker
from tests.integration.worker.lab import Lab
from tests.integration.worker.seen import metric
from tests.integration.worker.test_outages import LEFT_TO_START_ANEW, all_well
from tests.programs import Program, running
from tests.servers import PARTITIONS, World

# Far longer than this module takes: whatever moves here was not moved by a session that ended.
LONG_SESSION = "80s"


def assigned(worker: Program) -> float:
    return metric(worker, "darkroom_worker_assigned_partitions")


def dealt(worker: Program) -> float:
    return metric(worker, "darkroom_worker_assignments_total")


async def test_a_restart_moves_no_partition_and_leaving_for_good_moves_all(
    lab: Lab, start_worker: StartWorker
) -> None:
    """SIGTERM and SIGKILL keep a slot's partitions for its return, which takes them at once, however long the
    session; SIGUSR2 hands them on.
    """
    first, second = start_worker(0, WORKER_SESSION=LONG_SESSION), start_worker(1, WORKER_SESSION=LONG_SESSION)
    await lab.until(lambda: (assigned(first), assigned(second)) == (PARTITIONS / 2, PARTITIONS / 2))
    before = dealt(first)
    assert second.stop() == 0
    second.restart().wait_ready()
    await lab.until(lambda: assigned(second) == PARTITIONS / 2)
    assert (assigned(first), dealt(first)) == (PARTITIONS / 2, before)
    second.kill()
    second.restart().wait_ready()
    await lab.until(lambda: assigned(second) == PARTITIONS / 2)
    assert (assigned(first), dealt(first)) == (PARTITIONS / 2, before)

    requests = [await lab.upload() for _ in range(6)]
    second.send(signal.SIGUSR2)
    # What orchestrators send next must not cut short what has begun.
    second.send(signal.SIGTERM)
    assert await asyncio.to_thread(second.process.wait, 60) == 0
    # Half of the session that a dead member would keep them for.
    await lab.until(lambda: assigned(first) == PARTITIONS, 40)
    await lab.ended(*requests)
    await all_well(lab, *requests)
    # As long as a static member may come back, whoever joins waits for it: nobody should in the next test.
    first.send(signal.SIGUSR2)
    assert await asyncio.to_thread(first.process.wait, 60) == 0


@pytest.mark.timeout(300)
async def test_twins_of_one_slot_from_two_machines_do_not_last(
    lab: Lab, ground: World, tmp_path: Path
) -> None:
    """No lock of one machine can keep them apart: fenced or thrown out too often, one leaves and says why."""
    env = {**ground.env, "WORKER_SLOT": "3", "WORKER_SESSION": "6s"}
    twins = [Program(["processors", "variants"], env, tmp_path / name) for name in ("here", "there")]
    with running(*twins):
        await lab.until(lambda: not all(twin.alive() for twin in twins), 150)
        left = min(twins, key=Program.alive)
        assert left.process.returncode == LEFT_TO_START_ANEW
        assert "WORKER_SLOT" in left.output()

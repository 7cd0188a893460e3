"""Workers that die, come and go under load: nothing lost, doubled or stuck, attempts right, no orphan."""

import asyncio
import signal
from collections.abc import Iterator

from schemas.events import ProcessingStarted, UploadCompleted, VariantsReady
from tests.integration.rig.conftest import Brew, Scene
from tests.rig.evidence import Evidence
from tests.rig.proxy import Weather
from tests.rig.storms import coming_and_going, killing, rolling

RATE = 3.0

# So that a job takes half a second, most of it between two calls: a kill falls into one.
LONG_WAY = Weather(latency=0.03)

INSTANTS = (
    "worker.before_read",
    "worker.before_render",
    "worker.after_put",
    "worker.after_manifest",
    "worker.before_append",
    "worker.after_append",
    "worker.before_commit",
)


def shown(evidence: Evidence) -> None:
    starts = [told.event.attempt for told in evidence.log if isinstance(told.event, ProcessingStarted)]
    again = sum(1 for attempt in starts if attempt > 1)
    slowest = sorted(waits(evidence))[-max(1, len(evidence.stories) // 100)]
    print(f"{len(evidence.stories)} uploads, {again} attempts beyond the first, p99 {slowest:.1f} s")


def waits(evidence: Evidence) -> Iterator[float]:
    """Seconds from each request to its first result, by the log's clock."""
    asked = {
        told.event.asset_id: told.log_ms for told in evidence.log if isinstance(told.event, UploadCompleted)
    }
    for asset_id, story in evidence.stories.items():
        if results := [told.log_ms for told in story if isinstance(told.event, VariantsReady)]:
            yield (results[0] - asked[asset_id]) / 1000


async def test_workers_killed_at_random_instants(scene: Scene, storm: Brew) -> None:
    """R05: two static members, SIGKILLed at whatever they are at or at an instant of a job; work waits."""
    scene.store_wire.now(LONG_WAY)
    scene.workers.start(0, 1)
    async with scene.load.at(RATE):
        await asyncio.to_thread(killing, scene.workers, (0, 1), storm(3), instants=INSTANTS)
    shown(await scene.end())


async def test_workers_that_come_and_go(scene: Scene, storm: Brew) -> None:
    """R15: beside one that stays two others join, leave, leave for good and die."""
    scene.store_wire.now(LONG_WAY)
    scene.workers.start(0)
    async with scene.load.at(RATE):
        await asyncio.to_thread(coming_and_going, scene.workers, (1, 2), storm(4))
    shown(await scene.end())


async def test_a_second_sigterm_ends_a_worker_at_once(scene: Scene) -> None:
    """R23: while the first still waits for work that can't end; that work comes again."""
    scene.workers.start(0)
    with scene.store_wire.weather(Weather(blackhole=True)):
        await scene.load.burst(1)
        await scene.gathering.until(_one_under_way, "a job that can't end")
        assert await asyncio.to_thread(scene.workers.stop_at_once, 0) == 128 + signal.SIGTERM
    scene.workers.start(0)
    await scene.end()


def _one_under_way(evidence: Evidence) -> bool:
    states = [tale.state for tale in evidence.folded.values()]
    return any(job.state == "active" for state in states if state is not None for job in state.jobs)


# Last, as its members stay in the group for a minute.
async def test_a_rolling_restart_moves_no_partition(scene: Scene, storm: Brew) -> None:
    """R23: members of fixed names are stopped and started one by one; each ends in order, finds its own."""
    scene.store_wire.now(LONG_WAY)
    scene.workers.start(0, 1, WORKER_SESSION="60s")
    await scene.load.burst(4)
    before = {slot: assigned(scene, slot) for slot in (0, 1)}
    async with scene.load.at(RATE):
        codes = await asyncio.to_thread(rolling, scene.workers, (0, 1), storm(2))
    evidence = await scene.end()
    shown(evidence)
    assert set(codes) == {0}
    for slot, first in before.items():
        assert {first[-1]} == set(assigned(scene, slot)[len(first) :])


def assigned(scene: Scene, slot: int) -> list[str]:
    """Which partitions the worker was dealt, each time that it was dealt any."""
    lines = scene.workers[slot].output().splitlines()
    return [line.partition('"partitions": ')[2] for line in lines if '"partitions_assigned"' in line]

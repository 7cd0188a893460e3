"""R16: a worker that is frozen for longer than its session, and wakes up when others have done its work."""

import asyncio
import os

import pytest

from schemas.events import VariantsReady
from tests.integration.rig.conftest import Scene
from tests.rig.evidence import Allowed, Evidence

BOTH_MAY_BEGIN = Allowed(handovers=True)
INSTANTS = ("worker.before_append", "worker.before_render", "worker.after_put", "worker.after_start")


@pytest.mark.parametrize("instant", INSTANTS if "RIG_SECONDS" in os.environ else INSTANTS[:1])
async def test_a_zombies_late_result_is_the_same_event_and_the_same_objects(
    scene: Scene, instant: str
) -> None:
    """Frozen in the midst of a job, before its objects or after them; an heir has done it meanwhile."""
    scene.workers.start(0, FAILPOINTS=f"{instant}=stop@1")
    await scene.load.burst(6)
    await asyncio.to_thread(scene.workers.expect_frozen, 0)
    await asyncio.to_thread(scene.workers.start, 1)
    await scene.gathering.settled()
    before = await scene.gathering.evidence()
    scene.workers.thaw(0)
    await scene.gathering.until(lambda now: _results(now) > _results(before), "the zombie's own result")
    await scene.load.burst(4)
    after = await scene.end(BOTH_MAY_BEGIN)
    assert before.objects is not None
    assert after.objects is not None
    assert before.objects.items() <= after.objects.items()


def _results(evidence: Evidence) -> int:
    return sum(isinstance(told.event, VariantsReady) for told in evidence.log)

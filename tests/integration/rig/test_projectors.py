"""Projectors that are killed under load, and a second one by mistake: the rows are the fold of the log."""

import asyncio

import pytest

from tests.integration.rig.conftest import Brew, Scene
from tests.log_records import append_raw, read_topic
from tests.rig.storms import killing

pytestmark = pytest.mark.usefixtures("projected")


async def test_two_projectors_killed_at_random_instants_and_everything_said_twice(
    scene: Scene, storm: Brew
) -> None:
    """R06, R09, R30: beside a worker that writes; then the log is appended once more, to all of them."""
    scene.workers.start(0, ready=False)
    scene.projectors.start(0, 1)
    async with scene.load.at(8.0):
        await asyncio.to_thread(killing, scene.projectors, (0, 1), storm(2), longest=1.5)
    before = await scene.end()
    env = scene.world.env
    log = read_topic(env, f"{env['TOPIC_PREFIX']}.assets.v1")
    append_raw(env, log[-1000:])
    await scene.load.burst(4)
    after = await scene.end()
    assert len(after.log) > 2 * min(1000, len(log))
    assert before.rows is not None
    assert after.rows is not None
    assert before.rows.assets.items() <= after.rows.assets.items()
    assert before.objects is not None
    assert after.objects is not None
    assert before.objects.items() <= after.objects.items()

"""Projectors that are killed under load, and a second one by mistake: the rows are the fold of the log."""

import asyncio

import pytest

from tests.integration.rig.conftest import Brew, Scene
from tests.log_records import append_raw, read_topic
from tests.rig.storms import killing

pytestmark = pytest.mark.usefixtures("projected")


async def test_two_projectors_killed_at_random_instants(scene: Scene, storm: Brew) -> None:
    """R06, R30: also at the two instants around a commit; beside a worker that writes."""
    scene.workers.start(0)
    scene.projectors.start(0, 1)
    async with scene.load.at(10.0):
        await asyncio.to_thread(killing, scene.projectors, (0, 1), storm(3))
        for moment in ("before", "after"):
            spec = f"projector.{moment}_database_commit=kill@2"
            await asyncio.to_thread(scene.projectors.stop, 0)
            await asyncio.to_thread(scene.projectors.start, 0, ready=False, FAILPOINTS=spec)
            await asyncio.to_thread(scene.projectors.expect_death, 0)
            await asyncio.to_thread(scene.projectors.start, 0, FAILPOINTS="")
    await scene.end()


async def test_everything_said_once_more_changes_nothing(scene: Scene) -> None:
    """R09: all records appended again, to workers and projectors that have done with them."""
    scene.workers.start(0)
    scene.projectors.start(0)
    await scene.load.burst(10)
    before = await scene.end()
    env = scene.world.env
    topic = f"{env['TOPIC_PREFIX']}.assets.v1"
    append_raw(env, [record for record in read_topic(env, topic)[-1000:] if record.value])
    await scene.load.burst(4)
    after = await scene.end()
    assert before.rows is not None
    assert after.rows is not None
    assert before.rows.assets.items() <= after.rows.assets.items()
    assert before.objects is not None
    assert after.objects is not None
    assert before.objects.items() <= after.objects.items()

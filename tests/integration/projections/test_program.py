"""The projector as a program on real servers: killed, doubled, stopped, reset, starved."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.integration.projections.live import LiveLog, until
from tests.programs import Program, running
from tests.servers import World

ROWS = ("assets_v1.assets", "jobs_v1.jobs", "lifecycle_v1.states", "activity_v1.activity")


@pytest.fixture(scope="module")
def live(world: World) -> Iterator[LiveLog]:
    """A log with its ground laid, and somebody who writes to it."""
    world.lay_ground()
    live = LiveLog(world)
    yield live
    live.close()


@pytest.fixture
def projector(world: World, live: LiveLog, tmp_path: Path) -> Iterator[Program]:
    program = Program(["projections"], world.env, tmp_path)
    with running(program):
        yield program.wait_ready()


def tell(live: LiveLog, *assets: object) -> None:
    """Whole stories of these assets."""
    ada = live.owner("ada")
    for asset in assets:
        live.append(*live.stories.whole(asset, ada))


def status(live: LiveLog, asset: object) -> str | None:
    found = dict(live.rows("select asset_id, status from live.assets"))
    return found.get(live.stories.asset_id(asset))


def folded_again(world: World, live: LiveLog) -> None:
    """The rows as a second reading gives them are those that stand."""


def test_what_is_appended_stands_in_the_rows_and_the_group_tells_no_lag(
    live: LiveLog, projector: Program
) -> None:
    tell(live, "first")
    live.wait_applied()
    assert status(live, "first") == "ready"
    metrics = httpx.get(f"{projector.metrics_url}/metrics").text
    assert 'darkroom_projector_events_total{accepted="true",type="VariantsReady"}' in metrics
    assert httpx.get(f"{projector.metrics_url}/livez").status_code == 200


@pytest.mark.parametrize("failpoint", ["projector.after_database_commit", "projector.before_database_commit"])
def test_killed_around_the_commit_it_applies_everything_once(
    world: World, live: LiveLog, tmp_path: Path, failpoint: str
) -> None:
    dying = Program(["projections"], {**world.env, "FAILPOINTS": f"{failpoint}=kill@2"}, tmp_path)
    with running(dying):
        dying.wait_ready()
        for number in range(5):
            tell(live, f"{failpoint}-{number}")
        until(lambda: not dying.alive(), "the failpoint")
        del dying.env["FAILPOINTS"]
        dying.restart().wait_ready()
        live.wait_applied()
    events = live.rows('select count(*), count(distinct (partition, "offset")) from live.activity')
    assert events[0][0] == events[0][1]
    assert {status(live, f"{failpoint}-{number}") for number in range(5)} == {"ready"}

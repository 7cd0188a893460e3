"""The projector through outages of what it stands on: nothing lost, nothing doubled, and it says so."""

import time
from collections.abc import Iterator

import pytest

from tests.integration.projections.live import LiveLog, until
from tests.integration.projections.rows import SCHEMAS
from tests.programs import Program, asked, running
from tests.servers import World


@pytest.fixture(scope="module")
def projector(world: World, live: LiveLog) -> Iterator[Program]:
    program = Program(["projections"], world.env, world.folder / "projector")
    with running(program):
        yield program.wait_ready()


def tell(live: LiveLog, *assets: object) -> None:
    ada = live.owner("ada")
    for asset in assets:
        live.append(*live.stories.whole(asset, ada))


def ready(projector: Program) -> tuple[int, str]:
    answer = asked(f"{projector.metrics_url}/readyz")
    return answer.status_code, answer.text


def check(live: LiveLog, projector: Program) -> None:
    """Everything is applied, once, by the very same process."""
    live.wait_applied()
    until(lambda: ready(projector)[0] == 200, "readiness")
    assert projector.alive()
    told = live.rows('select count(*), count(distinct (partition, "offset")) from live.activity')
    assert told == [(len(live.records()),) * 2]


def test_postgres_killed_under_load(world: World, live: LiveLog, projector: Program) -> None:
    for number in range(30):
        tell(live, f"killed-{number}")
        if number == 10:
            world.servers.postgres.kill()
    world.servers.postgres.wait_ready()
    check(live, projector)


def test_postgres_away_for_a_while_is_told_and_outlasted(
    world: World, live: LiveLog, projector: Program
) -> None:
    with world.servers.postgres.down():
        tell(live, *(f"down-{number}" for number in range(5)))
        until(lambda: ready(projector)[0] == 503, "not ready")
        assert "read models: " in ready(projector)[1]
        assert asked(f"{projector.metrics_url}/livez").status_code == 200
    check(live, projector)


def test_postgres_frozen_is_outlasted(world: World, live: LiveLog, projector: Program) -> None:
    with world.servers.postgres.paused():
        tell(live, *(f"frozen-{number}" for number in range(5)))
        time.sleep(3)
    check(live, projector)


def test_an_emptied_database_is_filled_again_from_the_log(live: LiveLog, projector: Program) -> None:
    tell(live, *(f"emptied-{number}" for number in range(5)))
    live.wait_applied()
    tables = ("assets_v2.assets", "jobs_v2.jobs", "activity_v3.activity", "lifecycle_v3.states")
    before = live.dump(*tables)
    with live.connect() as conn:
        conn.execute(f"drop schema {', '.join(SCHEMAS)} cascade".encode())
        conn.execute("truncate infra.read_models, infra.checkpoints")
    live.wait_applied()
    assert live.dump(*tables) == before
    check(live, projector)


def test_a_broker_that_restarts_is_followed_again(world: World, live: LiveLog, projector: Program) -> None:
    tell(live, "before-the-restart")
    world.servers.kafka.restart()
    tell(live, *(f"after-{number}" for number in range(5)))
    check(live, projector)


def test_a_client_that_stays_deaf_is_replaced(world: World, live: LiveLog, projector: Program) -> None:
    with world.servers.kafka.paused():
        until(lambda: "log_client.renewed" in projector.output(), "another client")
    tell(live, *(f"heard-again-{number}" for number in range(3)))
    check(live, projector)

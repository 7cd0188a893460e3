"""The projector as a program on real servers: killed, doubled, frozen, reset, and fed with poison."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from adapters.dead_letters.thickness import LONGEST_RUN
from schemas.envelope import Metadata
from schemas.events import WorkersResumed
from tests.integration.projections.live import LiveLog, until
from tests.integration.projections.rows import SET_ASIDE, TABLES, Dump, HandFolded, prepare
from tests.programs import ROOT, Program, asked, running
from tests.servers import World

ASIDE = "too much was set aside"
BROKEN = b"\0\0\0\xff\xff..........."


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


def statuses(live: LiveLog, *assets: object) -> set[Any]:
    found = dict(live.rows("select asset_id, status from live.assets"))
    return {found.get(live.stories.asset_id(asset)) for asset in assets}


def folded_again(world: World, live: LiveLog) -> Dump:
    """The rows that a fresh database has of the same log, folded by hand one record at a time."""
    chosen = world.settings("again", DATABASE_URL=world.servers.new_database())
    prepare(chosen)
    models = HandFolded(chosen, live.keys, live.settings.kafka.partitions, live.codec)
    models.open()
    models.apply(*([record] for record in live.records()))
    rows = models.dump()
    models.close()
    return rows


def ops(world: World, *words: str) -> str:
    """What `python -m ops …` prints."""
    env = {**world.env, "STATE_DIR": str(world.folder / "ops"), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-m", "ops", *words], cwd=ROOT, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def metric(program: Program, line: str) -> float:
    """The value of a metric's line, 0 where there is none."""
    text = asked(f"{program.metrics_url}/metrics").text
    return next((float(each.rpartition(" ")[2]) for each in text.splitlines() if each.startswith(line)), 0.0)


def test_what_is_appended_stands_in_the_rows_and_is_told(
    world: World, live: LiveLog, projector: Program
) -> None:
    tell(live, "first")
    live.wait_applied()
    assert statuses(live, "first") == {"ready"}
    assert metric(projector, 'darkroom_projector_events_total{accepted="true",type="VariantsReady"}') == 1
    assert asked(f"{projector.metrics_url}/livez").status_code == 200
    said = json.loads(ops(world, "read-models", "status", "--json"))
    assert (said["lag"], said["set_aside"]) == (0, 0)
    until(lambda: live.group_lag() == 0, "the group's offsets to follow")


@pytest.mark.parametrize("moment", ["after", "before"])
def test_killed_around_its_commit_it_applies_everything_once(
    world: World, live: LiveLog, tmp_path: Path, moment: str
) -> None:
    failpoint = f"projector.{moment}_database_commit=kill@2"
    dying = Program(["projections"], {**world.env, "FAILPOINTS": failpoint}, tmp_path)
    names: list[str] = []
    with running(dying):
        dying.wait_ready()
        name = (Path(dying.env["STATE_DIR"]) / "projector-member").read_text()
        while dying.alive():  # one after the other, so that no batch takes them all
            names.append(f"{moment}-{len(names)}")
            tell(live, names[-1])
            until(lambda: not dying.alive() or live.applied(), "the failpoint")
        del dying.env["FAILPOINTS"]
        dying.restart().wait_ready()
        assert name in live.members(), "a static member need not wait for its old session"
        live.wait_applied()
    assert statuses(live, *names) == {"ready"}
    assert live.dump(*TABLES) == folded_again(world, live)


def test_two_projectors_share_the_partitions_and_one_carries_on_alone(
    world: World, live: LiveLog, tmp_path: Path
) -> None:
    one = Program(["projections"], world.env, tmp_path / "one")
    two = Program(["projections"], world.env, tmp_path / "two")
    with running(one, two):
        one.wait_ready()
        two.wait_ready()
        tell(live, *(f"shared-{number}" for number in range(20)))
        live.wait_applied()
        assert metric(one, "darkroom_projector_batch_records_count") > 0
        assert metric(two, "darkroom_projector_batch_records_count") > 0
        two.kill()
        tell(live, *(f"alone-{number}" for number in range(20)))
        live.wait_applied()
    assert live.dump(*TABLES) == folded_again(world, live)


def test_a_projector_frozen_over_its_session_does_no_harm_when_it_wakes(
    world: World, live: LiveLog, tmp_path: Path
) -> None:
    sleepy = {**world.env, "FAILPOINTS": "projector.before_database_commit=sleep:5@1"}
    frozen = Program(["projections"], sleepy, tmp_path / "frozen")
    heir = Program(["projections"], world.env, tmp_path / "heir")
    with running(frozen, heir):
        frozen.wait_ready()
        tell(live, "frozen")
        time.sleep(1)  # into the middle of its batch
        frozen.send(signal.SIGSTOP)
        try:
            heir.wait_ready()
            tell(live, "frozen-2")
            until(lambda: statuses(live, "frozen", "frozen-2") == {"ready"}, "the heir")
        finally:
            frozen.send(signal.SIGCONT)
        tell(live, "frozen-3")
        live.wait_applied()
        until(lambda: frozen.alive() and asked(f"{frozen.metrics_url}/readyz").status_code == 200, "it")
    assert live.dump(*TABLES) == folded_again(world, live)


def test_a_reset_replays_the_same_rows_while_the_projector_runs(
    world: World, live: LiveLog, projector: Program
) -> None:
    tell(live, *(f"reset-{number}" for number in range(10)))
    live.wait_applied()
    before = live.dump(*TABLES, SET_ASIDE)
    ops(world, "read-models", "reset", "--wait", "--json")
    live.wait_applied()
    assert live.dump(*TABLES, SET_ASIDE) == before
    tell(live, "after-the-reset")
    live.wait_applied()
    assert statuses(live, "after-the-reset") == {"ready"}
    assert projector.alive()


def test_poison_is_set_aside_and_everything_else_flows(
    world: World, live: LiveLog, projector: Program
) -> None:
    ada = live.owner("ada")
    letters_before = live.letters()
    names = [f"poison-{number}" for number in range(4)]
    keys = [str(live.stories.asset_id(name)).encode() for name in names]
    poison = [None, b"", b"{}", b"\0\0\0\xff\xff..........."]
    for name, key, value in zip(names, keys, poison, strict=True):
        live.append(live.stories.requested(name, ada))
        live.put((key, value))
        live.append(*live.stories.whole(name, ada)[1:])
    tell(live, "beside-the-poison")
    live.wait_applied()
    assert statuses(live, *names[:3], "beside-the-poison") == {"ready"}
    assert statuses(live, names[3]) == {"requested"}
    until(lambda: live.letters() == letters_before + 4, "four dead letters")
    assert metric(projector, 'darkroom_projector_quarantined_total{code="unknown_schema_id"}') == 1
    assert metric(projector, 'darkroom_projector_quarantined_total{code="follows"}') == 3
    assert live.dump(*TABLES) == folded_again(world, live)


def test_old_records_appended_again_change_no_asset_and_no_job(live: LiveLog, projector: Program) -> None:
    tell(live, *(f"again-{number}" for number in range(10)))
    live.wait_applied()
    tables = ("assets_v2.assets", "jobs_v2.jobs", "lifecycle_v3.states")
    before = live.dump(*tables)
    live.put(
        *((record.key, record.value) for record in live.records() if record.value and record.value[0] == 0)
    )
    live.wait_applied()
    assert live.dump(*tables) == before
    assert projector.alive()


def test_told_to_end_it_ends_in_order_and_at_once(live: LiveLog, projector: Program) -> None:
    tell(live, "last")
    live.wait_applied()
    began = time.monotonic()
    assert projector.stop() == 0
    assert time.monotonic() - began < 15
    assert live.group_lag() == 0


def test_a_projector_that_sets_everything_aside_rests_until_it_is_told_to_go_on(
    live: LiveLog, projector: Program
) -> None:
    """R11. It comes last: whoever folds this log again meets the limit too."""
    live.wait_applied()
    poison = [(str(live.stories.asset_id(f"bad-{number}")).encode(), BROKEN) for number in range(60)]
    letters_before = live.letters()
    live.put(*poison)
    held = f'darkroom_projector_held{{topic="{live.loop.topic}"}}'
    until(lambda: metric(projector, held) == 1, "the loop to rest")
    set_aside = live.letters() - letters_before
    assert LONGEST_RUN <= set_aside < 2 * LONGEST_RUN
    tell(live, "behind-the-poison")
    ready = asked(f"{projector.metrics_url}/readyz")
    assert (ready.status_code, "dead-letters resume projector" in ready.text) == (503, True)
    (loop,) = [each for each in ready.json()["loops"] if each["loop"] == live.loop.name]
    assert loop["positions"]
    assert [each["code"] for each in loop["troubles"]] == [loop["last_error"]["code"]] == [ASIDE]
    until(lambda: (True, True, ASIDE, ASIDE) in reports(live), "the loop to say so")
    assert asked(f"{projector.metrics_url}/livez").status_code == 200
    assert statuses(live, "behind-the-poison") == {None}
    age = f'darkroom_projector_lag_seconds{{topic="{live.loop.topic}"}}'
    assert metric(projector, age) > 0
    until(lambda: resumed(live), "all of it to be applied")
    assert statuses(live, "behind-the-poison") == {"ready"}
    assert live.letters() - letters_before == len(poison)
    until(lambda: metric(projector, age) == 0, "the age to fall")
    until(lambda: asked(f"{projector.metrics_url}/readyz").status_code == 200, "readiness")


def reports(live: LiveLog) -> list[tuple[Any, ...]]:
    """What the loop says of itself, and what killed ones said last, which is kept for a while.

    Whether it holds partitions, whether it rests, its last error, its trouble.
    """
    columns = "partitions <> '{}', held_since is not null, last_error, trouble"
    return list(live.rows(f"select {columns} from infra.loops where topic = '{live.loop.topic}'"))  # noqa: S608


def resumed(live: LiveLog) -> bool:
    """Tells it to go on, as often as it takes: each time it may set aside some more."""
    event = WorkersResumed(event_id=uuid4(), occurred_at=datetime.now(UTC), component="projector")
    live.log.append_sync(event, Metadata(correlation_id=uuid4(), source="/test"))
    time.sleep(1)
    return live.applied()

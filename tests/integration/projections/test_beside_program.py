"""Two releases that have different forms of a read model over one log, from the first fill to the drop."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from ops.__main__ import commands
from projections.topic import ends
from tests.integration.projections import next_release
from tests.integration.projections.live import LiveLog, until
from tests.integration.projections.readers import reading
from tests.programs import ROOT, Program, running
from tests.servers import World

# Each costs two switches, of up to a group's session timeout each.
BACK_AND_FORTH = int(os.environ.get("BACK_AND_FORTH", "0"))
OLD_ROWS, NEW_ROWS = "assets_v2.assets", "assets_v3.assets"


@pytest.fixture(scope="module")
def old(world: World, live: LiveLog) -> Iterator[Program]:
    """The projector of this release."""
    program = Program(["projections", "assets"], world.env, world.folder / "old")
    with running(program):
        program.wait_ready()
        tell(live, *range(10))
        live.wait_applied()
        yield program


@pytest.fixture(scope="module")
def next_env(world: World) -> dict[str, str]:
    """The environment of the next release's programs."""
    return {**world.env, **next_release.environment(world.folder / "next")}


@pytest.fixture(scope="module")
def new(world: World, next_env: dict[str, str], old: Program) -> Iterator[Program]:
    """That of the next one; it starts when it is restarted."""
    program = Program(["projections", "assets"], next_env, world.folder / "new")
    program.kill()
    with running(program):
        yield program


def tell(live: LiveLog, *assets: object) -> None:
    ada = live.owner("ada")
    for asset in assets:
        live.append(*live.stories.whole(asset, ada))


def said(world: World, *words: str) -> Any:
    """What a command of this release says."""
    answer = CliRunner().invoke(commands(words[0]), [*words, "--json"], env=dict(world.env))
    assert answer.exit_code == 0, answer.output
    return json.loads(answer.stdout)


def next_command(env: dict[str, str], *words: str) -> subprocess.Popen[str]:
    """A command of the next release, in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "ops", *words, "--json"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **env},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def next_said(env: dict[str, str], *words: str) -> Any:
    """What it says."""
    process = next_command(env, *words)
    output, _ = process.communicate(timeout=90)
    assert process.returncode == 0, output
    return json.loads(output)


def count(live: LiveLog, table: str) -> int:
    ((found,),) = live.rows(f"select count(*) from {table}")  # noqa: S608 - our own tables
    return int(found)


def shown_from(live: LiveLog) -> str:
    query = "select table_schema from information_schema.view_table_usage where view_schema = 'live' "
    ((found,),) = live.rows(query + "and view_name = 'assets'")
    return str(found)


def positions(live: LiveLog) -> dict[int, int]:
    """How far the new form has come."""
    query = "select partition, next_offset from infra.checkpoints where read_model = 'assets' and version = 3"
    return dict(live.rows(query))


def filled_through_a_kill(live: LiveLog, env: dict[str, str]) -> None:
    """One process fills, the longest way first; before the last partition all are killed."""
    goal = ends(live.settings.kafka, live.loop.topic)
    last = max((number for number in goal if goal[number]), key=lambda number: (-goal[number], number))
    before = live.dump()
    what = f"fills {live.loop.topic} v4 {last}"
    with live.connect() as conn, conn.transaction():
        conn.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", (what,))
        process = next_command(env, "read-models", "rebuild", "assets", "--workers", "1")
        until(lambda: positions(live) == {**goal, last: 0}, "all but one to be filled", 60)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    assert live.dump() == before
    built = next_said(env, "read-models", "rebuild", "assets", "--workers", "2")
    assert built["same"] is True
    assert built["records"] == goal[last]
    assert positions(live) | goal == positions(live)


def back_and_forth(world: World, live: LiveLog, env: dict[str, str], assets: int) -> None:
    """This release serves its own forms again, and then the next one does."""
    said(world, "read-models", "switch", "assets")
    assert shown_from(live) == "assets_v2"
    tell(live, f"the {assets}th")
    until(lambda: count(live, "live.assets") == assets, "the old form to go on")
    until(lambda: count(live, NEW_ROWS) == assets, "the new one to follow it")
    next_said(env, "read-models", "switch", "assets")


def test_a_new_form_is_built_beside_through_a_kill_switched_to_gone_back_from_and_dropped(
    world: World, live: LiveLog, old: Program, new: Program, next_env: dict[str, str]
) -> None:
    with reading(live):
        filled_through_a_kill(live, next_env)
        tell(live, "while it is filled")
        new.restart().wait_ready()
        assert next_said(next_env, "read-models", "verify", "assets")["same"] is True
        tell(live, "while both run")
        until(lambda: count(live, NEW_ROWS) == 12, "what is beside to follow")
        loud = f"select distinct loud from {next_release.views()}.assets"  # noqa: S608 - a view of ours
        until(lambda: live.rows(loud) == [("READY",)], "all of it to be read in its new form")

        assert next_said(next_env, "read-models", "switch", "assets") == {"switched": ["assets"]}
        assert shown_from(live) == "assets_v3"
        tell(live, "in the new form")
        until(lambda: count(live, "live.assets") == 13, "the new form to go on")
        until(lambda: count(live, OLD_ROWS) == 13, "the old one to follow it")

        for number in range(1, 1 + BACK_AND_FORTH):
            back_and_forth(world, live, next_env, 13 + number)
        assert old.stop() == 0
        next_said(next_env, "read-models", "drop", "assets")
        tell(live, "and on")
        until(lambda: count(live, "live.assets") == 14 + BACK_AND_FORTH, "the new form to go on alone")
    left = "select nspname from pg_namespace where nspname ~ '^(assets|lifecycle|reads)_' order by 1"
    assert live.rows(left) == [("assets_v3",), ("lifecycle_v4",), (next_release.views(),)]
    assert new.stop() == 0

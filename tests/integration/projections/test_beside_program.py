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
from tests.integration.projections import next_release
from tests.integration.projections.live import LiveLog, until
from tests.programs import ROOT, Program, running
from tests.servers import World

NEXT = "tests.integration.projections.next_release"
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
def new(world: World, old: Program) -> Iterator[Program]:
    """That of the next one, which dies in the middle of its first fill."""
    env = {**world.env, "PROJECTOR_BATCH": "5", "FAILPOINTS": "projector.after_database_commit=kill@3"}
    program = Program([NEXT, "projections", "assets"], env, world.folder / "new")
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


def next_said(world: World, program: Program, *words: str) -> Any:
    """What one of the next release says, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", NEXT, "ops", *words, "--json"],
        cwd=ROOT,
        env={"PATH": program.env["PATH"], **world.env},
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def count(live: LiveLog, table: str) -> int:
    ((found,),) = live.rows(f"select count(*) from {table}")  # noqa: S608 - our own tables
    return int(found)


def shown_from(live: LiveLog) -> str:
    query = "select table_schema from information_schema.view_table_usage where view_schema = 'live' "
    ((found,),) = live.rows(query + "and view_name = 'assets'")
    return str(found)


def built_through_a_kill(world: World, live: LiveLog, new: Program) -> None:
    until(lambda: not new.alive(), "the first fill to be killed")
    assert new.process.returncode == -signal.SIGKILL
    assert (shown_from(live), count(live, "live.assets")) == ("assets_v2", 10)
    assert 0 < sum(at for (at,) in live.rows(POSITIONS)) < 10 * 4
    new.env["FAILPOINTS"] = ""
    new.restart().wait_ready()
    built = next_said(world, new, "read-models", "rebuild", "assets")
    assert built["same"] is True


def back_and_forth(world: World, live: LiveLog, new: Program, assets: int) -> None:
    """This release serves its own forms again, and then the next one does."""
    said(world, "read-models", "switch", "assets")
    assert shown_from(live) == "assets_v2"
    tell(live, f"the {assets}th")
    until(lambda: count(live, "live.assets") == assets, "the old form to go on")
    until(lambda: count(live, NEW_ROWS) == assets, "the new one to follow it")
    next_said(world, new, "read-models", "switch", "assets")


def test_a_new_form_is_built_beside_through_a_kill_switched_to_gone_back_from_and_dropped(
    world: World, live: LiveLog, old: Program, new: Program
) -> None:
    built_through_a_kill(world, live, new)
    tell(live, "while both run")
    until(lambda: count(live, NEW_ROWS) == 11, "what is beside to follow")
    loud = f"select distinct loud from {next_release.views()}.assets"  # noqa: S608 - a view of ours
    until(lambda: live.rows(loud) == [("READY",)], "all of it to be read in its new form")

    assert next_said(world, new, "read-models", "switch", "assets") == {"switched": ["assets"]}
    assert shown_from(live) == "assets_v3"
    tell(live, "in the new form")
    until(lambda: count(live, "live.assets") == 12, "the new form to go on")
    until(lambda: count(live, OLD_ROWS) == 12, "the old one to follow it")

    for number in range(1, 1 + BACK_AND_FORTH):
        back_and_forth(world, live, new, 12 + number)
    assert old.stop() == 0
    next_said(world, new, "read-models", "drop", "assets")
    tell(live, "and on")
    until(lambda: count(live, "live.assets") == 13 + BACK_AND_FORTH, "the new form to go on alone")
    assert live.rows("select 1 from pg_namespace where nspname in ('assets_v2', 'lifecycle_v3')") == []
    assert new.stop() == 0


POSITIONS = "select next_offset from infra.checkpoints where read_model = 'assets' and version = 3"

"""The tables of what is run: complete, in an order that can be kept, and each command there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ops.__main__ import COMMANDS, GROUPS, commands
from ops.ground import PARTS
from ops.stack.folder import Folder
from ops.stack.ports import Ports
from ops.stack.products import GROUND, PROCESSES, STEPS, products
from ops.stack.programs import Kind, Program
from ops.stack.settings import ROOT

PORTS = Ports(**{name: 20_000 + number for number, name in enumerate(Ports.__slots__)})


def of(folder: Path, *, external: bool = False) -> dict[str, Program]:
    made = Folder(root=folder, cache=folder)
    told = products(made, PORTS, {"DATABASE_URL": "d", "WORKER_SLOT": "9"}, external=external)
    return {program.name: program for program in told}


def test_what_is_needed_is_there_and_comes_before(tmp_path: Path) -> None:
    ready = {"postgres", "kafka", "registry", "store"}
    for program in of(tmp_path).values():
        assert ready.issuperset(program.needs), program.name
        ready.add(program.name)


def test_with_external_servers_only_our_own_are_waited_for(tmp_path: Path) -> None:
    told = of(tmp_path, external=True)
    assert told["ground"].needs == ()
    assert {told[process.name].needs for process in PROCESSES} == {("ground",)}


def test_the_ground_is_what_the_steps_lay() -> None:
    assert list(PARTS) == [step.name for step in STEPS]


def test_each_process_has_its_own_port_state_and_slot(tmp_path: Path) -> None:
    told = of(tmp_path)
    processes = [told[process.name] for process in PROCESSES]
    assert {program.kind for program in processes} == {Kind.PROCESS}
    for name in ("METRICS_PORT", "STATE_DIR"):
        assert len({program.env[name] for program in processes}) == len(processes)
    assert told["variants"].env["WORKER_SLOT"] == "0"
    assert (told["bulk"].env["WORKER_SLOT"], told["bulk"].env["WORKER_CHILDREN"]) == ("0", "1")
    assert told["api"].env["DATABASE_URL"] == "d"


@pytest.mark.parametrize("words", [step.words for step in (*STEPS, GROUND)], ids=" ".join)
def test_every_step_is_a_command_that_there_is(words: tuple[str, ...]) -> None:
    room, *rest = words
    assert room == "ops"
    result = CliRunner().invoke(commands(rest[0]), [*rest, "--help"])
    assert result.exit_code == 0, result.output


def test_help_lists_every_command() -> None:
    shown = CliRunner().invoke(commands(), ["--help"]).output
    assert set(re.findall(r"^\W*([a-z-]+)  ", shown, re.MULTILINE)) >= {*GROUPS, *COMMANDS}


def test_status_does_not_wait_for_the_imports_of_a_start() -> None:
    code = (
        "import sys, ops.stack.cli; print(sorted({'boto3', 'jgo', 'psycopg', 'faust'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"

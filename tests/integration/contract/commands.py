"""Runs `python -m ops …` as an operator would, in a test's own world."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import structlog
from typer.testing import CliRunner

from ops.__main__ import commands
from tests.servers import World

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str


def run_ops(world: World, *words: str, **overrides: str) -> Ran:
    """The command, run in this process; `overrides` change its environment. A bug in it is raised."""
    env = {**world.env, "STATE_DIR": str(world.folder / "ops"), **overrides}
    try:
        result = CliRunner().invoke(commands(words[0]), words, env=env, catch_exceptions=False)
    finally:
        structlog.reset_defaults()  # what a command set up writes to the runner's own stderr
    return Ran(returncode=result.exit_code, stdout=result.stdout, stderr=result.stderr)


def start_ops(world: World, *words: str, **overrides: str) -> "subprocess.Popen[str]":
    """The command in a process of its own, under way."""
    return subprocess.Popen(
        (sys.executable, "-m", "ops", *words),
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **world.env, "STATE_DIR": str(world.folder / "ops"), **overrides},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )

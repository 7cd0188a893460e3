"""Commands as an operator gives them, each in a process of its own, in a test's world."""

import json
import os
import subprocess
import sys
from typing import Any

from tests.programs import ROOT
from tests.servers import World


def ran(world: World, *words: str, **changed: str) -> subprocess.CompletedProcess[str]:
    """`python -m ops …`, to its end; `changed` is what is different in its environment."""
    return subprocess.run(
        [sys.executable, "-m", "ops", *words],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "STATE_DIR": str(world.folder / "ops"), **world.env, **changed},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def told(world: World, *words: str, **changed: str) -> tuple[int, Any]:
    """A command's exit code and its JSON."""
    done = ran(world, *words, "--json", **changed)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)

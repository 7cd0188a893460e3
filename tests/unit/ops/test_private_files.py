"""Folders that hold secrets for a moment do not stay behind."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from ops.private_files import passing_folder
from tests.programs import ROOT

PREFIX = "darkroom-test-"
HOLDS = f"""
import time
from ops.private_files import passing_folder
with passing_folder("{PREFIX}") as folder:
    (folder / "secret").write_text("key")
    print(folder, flush=True)
    time.sleep(600)
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_killed_process_leaves_its_folder_to_the_next_run_and_a_living_one_keeps_its_own(
    home: Path,
) -> None:
    command = [sys.executable, "-c", HOLDS]
    env = {"PATH": os.environ["PATH"], "TMPDIR": str(home)}
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        left = Path(other.stdout.readline().strip())
        with passing_folder(PREFIX):
            assert (left / "secret").exists()
        other.send_signal(signal.SIGKILL)
        other.wait(10)
    assert left.exists()
    with passing_folder(PREFIX) as mine:
        assert [mine] == list(home.iterdir())
        assert mine.stat().st_mode & 0o077 == 0
    assert list(home.iterdir()) == []


def test_what_is_no_folder_of_ours_is_left_alone(home: Path) -> None:
    elsewhere = home / "elsewhere"
    elsewhere.mkdir()
    (home / f"{PREFIX}link").symlink_to(elsewhere)
    (home / f"{PREFIX}file").write_text("")
    with passing_folder(PREFIX):
        pass
    assert {path.name for path in home.iterdir()} == {"elsewhere", f"{PREFIX}link", f"{PREFIX}file"}

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
    own = home / f"{PREFIX}2026"
    own.mkdir()
    (own / "export.json").write_text("[]")
    with passing_folder(PREFIX):
        pass
    names = {"elsewhere", f"{PREFIX}link", f"{PREFIX}file", own.name}
    assert {path.name for path in home.iterdir()} == names
    assert (own / "export.json").exists()


def test_a_folder_that_is_swept_before_it_is_marked_is_made_again(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = tempfile.mkdtemp
    swept: list[str] = []

    def once(*, prefix: str) -> str:
        path = made(prefix=prefix)
        if not swept:
            swept.append(path)
            Path(path).rmdir()
        return path

    monkeypatch.setattr(tempfile, "mkdtemp", once)
    with passing_folder(PREFIX) as mine:
        assert [mine] == list(home.iterdir())
    assert swept

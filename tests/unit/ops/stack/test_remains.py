"""After a kill -9: what the kernel ends, what the next start ends, and who may hold the folder."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from ops.stack.failures import AlreadyRunning
from ops.stack.launch import MARK
from ops.stack.record import Entry, Record, born, is_held, lives, only_one, read_record, write_record
from ops.stack.remains import end_crashed_run, end_remains, marked
from ops.stack.settings import ROOT


def wait_for(told: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not told():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def sleeper(**env: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-S", "-c", "import time; time.sleep(600)"], env=env, start_new_session=True
    )


def entry(pid: int | None, when: float | None) -> Entry:
    return Entry(
        name="worker",
        kind="process",
        state="ready",
        pid=pid,
        born=when,
        port=None,
        restarts=0,
        since=None,
        log="",
    )


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A supervisor of two programs and a stray, with its record in the test's folder."""
    running = subprocess.Popen(
        [sys.executable, "-m", "tests.unit.ops.stack.crashing", str(tmp_path)], cwd=ROOT
    )
    yield running
    running.kill()
    running.wait()
    end_remains(tmp_path.name)


def test_a_killed_supervisor_takes_its_programs_along_and_the_next_start_ends_the_rest(
    tmp_path: Path, supervisor: subprocess.Popen[bytes]
) -> None:
    wait_for(lambda: len(marked(tmp_path.name)) == 3)
    record = read_record(tmp_path / "state.json")
    assert record is not None
    pids = [each.pid for each in record.entries if each.pid]
    assert len(pids) == 2

    supervisor.send_signal(signal.SIGKILL)
    supervisor.wait()

    wait_for(lambda: not any(lives(each.pid, each.born) for each in record.entries))
    strays = marked(tmp_path.name)
    assert len(strays) == 1
    assert end_crashed_run(record) == []
    assert marked(tmp_path.name) == []
    assert not strays[0].is_running()


def test_what_still_runs_of_a_crashed_run_is_ended_and_named() -> None:
    survivor = sleeper()
    record = Record(mark="m", pid=1, born=0, url="", entries=(entry(survivor.pid, born(survivor.pid)),))
    assert end_crashed_run(record) == ["worker"]
    wait_for(lambda: survivor.poll() is not None)


def test_a_stranger_who_got_the_pid_is_left_alone() -> None:
    stranger = sleeper()
    try:
        record = Record(mark="m", pid=1, born=0, url="", entries=(entry(stranger.pid, 12345.0),))
        assert end_crashed_run(record) == []
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_only_the_marked_are_ended() -> None:
    ours, other = sleeper(**{MARK: "this-run"}), sleeper(**{MARK: "another-run"})
    try:
        wait_for(lambda: len(marked("this-run")) == 1)
        assert end_remains("this-run") == [str(ours.pid)]
        wait_for(lambda: ours.poll() is not None)
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_a_zombie_does_not_live() -> None:
    done = subprocess.Popen([sys.executable, "-S", "-c", ""])
    when = born(done.pid)
    wait_for(lambda: psutil.Process(done.pid).status() == psutil.STATUS_ZOMBIE)
    assert not lives(done.pid, when)
    done.wait()
    assert not lives(done.pid, when)
    assert lives(os.getpid(), born(os.getpid()))


def test_one_supervisor_a_folder(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    assert not is_held(lock)
    with only_one(lock):
        assert is_held(lock)
        with pytest.raises(AlreadyRunning, match=r"already runs in .* DARKROOM_HOME"), only_one(lock):
            pytest.fail("must not be let in")
    assert not is_held(lock)


def test_the_record_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    assert read_record(path) is None
    record = Record(mark="m", pid=7, born=1.5, url="http://x", entries=(entry(8, 2.5), entry(None, None)))
    write_record(path, record)
    assert read_record(path) == record
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text("{half")
    assert read_record(path) is None

"""What the person at the terminal meets: refusals in sentences, logs, status, exit codes."""

import itertools
import json
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ops.__main__ import commands
from ops.stack.console import Terminal
from ops.stack.failures import NoRoom, Unsuited
from ops.stack.folder import Folder
from ops.stack.logs import bound, follow, last_lines
from ops.stack.ports import SETTING_OF
from ops.stack.preflight import check_machine, check_room
from ops.stack.record import Entry, Record, born, only_one, write_record
from ops.stack.sample import take_sample
from ops.stack.settings import ROOT
from ops.stack.status import read_status

RUN = CliRunner()


def folder(home: Path) -> Folder:
    made = Folder(root=home / ".darkroom", cache=home / "cache")
    made.create()
    return made


def entry(name: str, state: str, pid: int | None, *, kind: str = "server") -> Entry:
    when = born(pid) if pid else None
    return Entry(
        name=name,
        kind=kind,
        state=state,
        pid=pid,
        born=when,
        port=1234,
        restarts=2,
        since=time.time() - 5,
        log="/log",
    )


def record(*entries: Entry) -> Record:
    pid = os.getpid()
    return Record(mark="m", pid=pid, born=born(pid) or 0, url="http://127.0.0.1:8000", entries=entries)


@pytest.mark.parametrize(
    "machine",
    [
        {"system": "darwin"},
        {"machine": "aarch64"},
        {"libc": ""},
        {"python": (3, 10)},
        {"python": (3, 15)},
    ],
)
def test_a_machine_that_will_not_do_is_told_why(machine: dict[str, object]) -> None:
    fit: dict[str, object] = {"system": "linux", "machine": "x86_64", "libc": "glibc", "python": (3, 12)}
    check_machine(**fit)  # type: ignore[arg-type] # one table for all parameters
    with pytest.raises(Unsuited, match=r"x86-64 Linux|Python 3\.11 to 3\.14"):
        check_machine(**{**fit, **machine})  # type: ignore[arg-type] # the same


def test_a_full_disk_is_told_what_is_needed(tmp_path: Path) -> None:
    check_room(tmp_path, 1, "a start")
    with pytest.raises(NoRoom, match=r"MB free, and a start takes \d+ MB. Make room"):
        check_room(tmp_path, 2**60, "a start")


def test_up_with_a_taken_port_says_so_and_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        monkeypatch.setenv("DARKROOM_STORE_PORT", str(port))
        for name in ("KAFKA", "REGISTRY", "POSTGRES"):
            monkeypatch.setenv(f"DARKROOM_{name}_PORT", "0")
        result = RUN.invoke(commands("stack"), ["stack", "up", "--servers-only", "--home", str(tmp_path)])
    assert result.exit_code == 1
    assert f"Port {port}, wanted for store, is taken" in result.stderr
    assert not (tmp_path / ".darkroom" / "env").exists()


def test_a_second_up_in_one_folder_says_so_and_fails(tmp_path: Path) -> None:
    with only_one(folder(tmp_path).lock):
        result = RUN.invoke(commands("stack"), ["stack", "up", "--home", str(tmp_path)])
    assert result.exit_code == 1
    assert "A stack already runs in" in result.stderr


def test_up_with_external_servers_names_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("KAFKA_BOOTSTRAP_SERVERS", "SCHEMA_REGISTRY_URL", "DATABASE_URL", "S3_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    for setting in SETTING_OF.values():
        monkeypatch.setenv(setting, "0")
    result = RUN.invoke(commands("stack"), ["stack", "up", "--external", "--home", str(tmp_path)])
    assert result.exit_code == 1
    assert "set KAFKA_BOOTSTRAP_SERVERS, SCHEMA_REGISTRY_URL, DATABASE_URL, S3_ENDPOINT" in result.stderr


def test_status_of_nothing(tmp_path: Path) -> None:
    result = RUN.invoke(commands("stack"), ["stack", "status", "--json", "--home", str(tmp_path)])
    assert result.exit_code == 3
    assert json.loads(result.stdout)["running"] is False
    write_record(folder(tmp_path).record, record(entry("kafka", "ready", os.getpid())))
    assert not read_status(folder(tmp_path)).running, "a record that nobody holds the lock of is old"


def test_status_shows_every_program_and_tells_by_its_exit_code(tmp_path: Path) -> None:
    home = folder(tmp_path)
    steps = entry("topics", "done", None, kind="step")
    with only_one(home.lock):
        write_record(home.record, record(entry("kafka", "ready", os.getpid()), steps))
        shown = RUN.invoke(commands("stack"), ["stack", "status", "--json", "--home", str(tmp_path)])
        assert shown.exit_code == 0
        (row,) = json.loads(shown.stdout)["rows"]
        assert (row["name"], row["pid"], row["port"], row["restarts"]) == ("kafka", os.getpid(), 1234, 2)
        assert row["memory_mb"] > 5
        assert 4 < row["up_seconds"] < 60

        gone = entry("api", "ready", os.getpid())
        write_record(home.record, record(gone, replace(gone, name="dead", born=1.0)))
        table = RUN.invoke(commands("stack"), ["stack", "status", "--home", str(tmp_path)])
        assert table.exit_code == 1
        lines = {line.split()[0]: line.split() for line in table.stdout.splitlines()}
        assert lines["api"][1] == "ready"
        assert lines["dead"][1:3] == ["restarting", "–"]


def test_down_of_nothing_is_fine(tmp_path: Path) -> None:
    result = RUN.invoke(commands("stack"), ["stack", "down", "--home", str(tmp_path)])
    assert (result.exit_code, result.stdout) == (0, "Nothing runs here.\n")


def test_logs_are_shown_from_their_end(tmp_path: Path) -> None:
    folder(tmp_path).log_of("kafka").write_text("".join(f"line {n}\n" for n in range(100)))
    shown = RUN.invoke(commands("stack"), ["stack", "logs", "kafka", "-n", "2", "--home", str(tmp_path)])
    assert shown.stdout.splitlines() == ["line 98", "line 99"]
    absent = RUN.invoke(commands("stack"), ["stack", "logs", "nobody", "--home", str(tmp_path)])
    assert absent.exit_code == 1
    assert "There are: kafka." in absent.stderr


def test_a_log_is_followed_through_its_truncation(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("old\n")
    lines, heard = follow(log), list[str]()

    def until_heard(count: int) -> None:
        while len(heard) < count:
            time.sleep(0.01)

    def write() -> None:
        time.sleep(0.2)
        with log.open("a") as file:
            file.write("one\ntwo")
        until_heard(1)
        with log.open("a") as file:
            file.write(" and a half\n")
        until_heard(2)
        log.write_text("new\n")

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    for line in itertools.islice(lines, 3):
        heard.append(line)
    assert heard == ["one", "two and a half", "new"]
    writer.join()


def test_a_log_that_grew_too_long_is_set_aside_once(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    bound(log)
    assert last_lines(log, 5) == []
    with log.open("ab") as program:
        program.write(b"x" * 100 + b"\n")
        program.flush()
        bound(log, limit=50)
        program.write(b"after\n")
    assert log.read_bytes() == b"after\n"
    assert len((tmp_path / "a.log.1").read_bytes()) == 101


def test_the_sample_is_taken_once_unless_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[str] = []

    def run(env: Mapping[str, str]) -> int:
        taken.append(env["NAME"])
        return int(env["CODE"])

    def take(name: str, code: int, home: Path = tmp_path) -> None:
        take_sample(folder(home), {"NAME": name, "CODE": str(code)}, Terminal(), run)

    monkeypatch.delenv("SAMPLE", raising=False)
    take("fails", 1)
    take("comes through", 0)
    take("was there before", 0)
    monkeypatch.setenv("SAMPLE", "1")
    take("is asked for", 0)
    monkeypatch.setenv("SAMPLE", "0")
    take("is forbidden", 0, tmp_path / "other")
    assert taken == ["fails", "comes through", "is asked for"]


@pytest.mark.parametrize(
    ("python", "sentence"),
    [(None, "needs Python 3.11 to 3.14. None was found"), ("exit ${2:+1}", "needs Python 3.11 to 3.14")],
)
def test_setup_without_a_fitting_python_says_so(tmp_path: Path, python: str | None, sentence: str) -> None:
    assert sentence in run_setup(tmp_path, python)


def test_setup_without_venv_says_what_to_install(tmp_path: Path) -> None:
    only_version = 'case "$2" in *ensurepip*) exit 1;; *) exit 0;; esac'
    assert "python3 has no venv: install it" in run_setup(tmp_path, only_version)


def run_setup(checkout: Path, python: str | None) -> str:
    """Run the set-up in an empty checkout where `python3` is this shell code; return what it says."""
    tools = checkout / "bin"
    for path in (tools, checkout / "ops" / "stack"):
        path.mkdir(parents=True)
    for name in ("sh", "dirname", "mkdir", "flock", "df", "awk", "uname", "sha256sum", "cat"):
        (tools / name).symlink_to(str(shutil.which(name)))
    if python is not None:
        (tools / "python3").write_text(f"#!/bin/sh\n{python}\n")
        (tools / "python3").chmod(0o755)
    (checkout / "requirements.lock").touch()
    script = shutil.copy(ROOT / "ops" / "stack" / "setup.sh", checkout / "ops" / "stack")
    done = subprocess.run([script], env={"PATH": str(tools)}, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    return done.stderr

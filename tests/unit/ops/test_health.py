"""`python -m ops health`: a row for every program and loop, whether it answers or not, and the exit code."""

import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from adapters.programs import asked
from adapters.settings import SettingsError, load_settings
from adapters.telemetry import Loops, Metrics, serve_metrics
from adapters.telemetry.progress import ReadOn
from ops.__main__ import commands
from ops.waiting import quiet_logs


@pytest.fixture(autouse=True)
def quiet() -> None:
    """The servers asked are of this process, and would log each question into the answers."""
    quiet_logs()


@contextmanager
def program(
    component: str, *, ready: str | None = None, now: Callable[[], float] = time.monotonic
) -> Iterator[tuple[str, Loops]]:
    """A program on a metrics port of its own: its address, and its loops."""
    metrics = Metrics()
    loops = Loops(component, timedelta(seconds=30), metrics.loops, now=now)
    server = serve_metrics(load_settings({"METRICS_PORT": "0"}), metrics, loops=loops, ready=lambda: ready)
    try:
        yield f"http://127.0.0.1:{server.port}", loops
    finally:
        server.close()


def told(monkeypatch: pytest.MonkeyPatch, programs: str, *words: str) -> tuple[int, str]:
    monkeypatch.setenv("PROGRAM_URLS", programs)
    result = CliRunner().invoke(commands("health"), ["health", *words])
    return result.exit_code, result.output


def test_all_well_is_0_and_fits_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    with program("variants", now=lambda: 0.0) as (address, loops):
        progress = ReadOn(now=lambda: 0.0)
        loops.expect("preset-sets").reads(progress)
        progress.begin({0: 5})
        progress.told({0: 1_239})
        code, text = told(monkeypatch, f"variants={address}")
    assert code == 0, text
    assert max(map(len, text.splitlines())) <= 80
    assert [line.split() for line in text.splitlines()][:3] == [
        ["program", "loop", "silent", "behind", "oldest", "state"],
        ["variants", "ready"],
        ["preset-sets", "0", "s", "1,234", "0", "s", "well"],
    ]


def test_a_trouble_is_told_with_its_code_and_makes_it_1(monkeypatch: pytest.MonkeyPatch) -> None:
    with program("api") as (address, loops):
        loops.expect("denial-tail").trouble("read models", "words", error="read models: OperationalError")
        code, text = told(monkeypatch, f"api={address}")
        assert code == 1
        assert re.search(r"read models: OperationalError, for \ds", " ".join(text.split())), text
        code, text = told(monkeypatch, f"api={address}", "--json")
    said = json.loads(text)
    assert (code, said["well"], said["programs"][0]["ready"]) == (1, False, True)
    assert said["programs"][0]["loops"][0]["troubles"][0]["code"] == "read models: OperationalError"


def test_one_that_does_not_answer_is_a_row_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    with program("bulk", ready="waiting for the [schema] registry") as (address, _), socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        port = mute.getsockname()[1]
        silent = f"frozen=http://127.0.0.1:{port}"
        monkeypatch.setattr("ops.health.asked", lambda programs: asked(programs, 3.0))
        code, text = told(monkeypatch, f"bulk={address},{silent},gone=http://127.0.0.1:1")
    words = " ".join(text.split())
    assert code == 1
    assert "bulk not ready: waiting for the [schema] registry" in words
    assert "frozen It has not answered within 3 s." in words
    assert "gone Nothing answers there." in words


def test_what_is_no_program_of_ours_says_so() -> None:
    metrics = Metrics()
    server = serve_metrics(load_settings({"METRICS_PORT": "0"}), metrics)
    try:
        (state,) = asked([f"other=http://127.0.0.1:{server.port}"])
    finally:
        server.close()
    assert (state.well, state.silence) == (False, "It answers, but not as a program of this release does.")


def test_what_speaks_no_http_says_so_too() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            client, _ = server.accept()
            with client:
                client.recv(1000)
                client.sendall(b"+OK a server of another kind\r\n")

        greeting = threading.Thread(target=greet)
        greeting.start()
        (state,) = asked([f"other=http://127.0.0.1:{server.getsockname()[1]}"])
        greeting.join()
    assert (state.well, state.silence) == (False, "It answers, but not as a program of this release does.")


def test_a_stuck_loop_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    metrics, now = Metrics(), [0.0]
    loops = Loops("projector", timedelta(seconds=30), metrics.loops, now=lambda: now[0])
    loops.expect("assets")
    now[0] = 31.0
    server = serve_metrics(load_settings({"METRICS_PORT": "0"}), metrics, loops=loops)
    try:
        code, text = told(monkeypatch, f"projector=http://127.0.0.1:{server.port}")
    finally:
        server.close()
    assert (code, "stuck: silent for more than 30 s: assets" in " ".join(text.split())) == (1, True)


def test_without_programs_it_says_where_they_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    code, text = told(monkeypatch, "")
    assert (code, "PROGRAM_URLS" in text) == (2, True)


@pytest.mark.parametrize("wrong", ["api", "api=nowhere", "a b=http://h:1", "=http://h:1"])
def test_what_names_no_program_is_a_sentence(wrong: str) -> None:
    with pytest.raises(SettingsError, match="PROGRAM_URLS must"):
        load_settings({"PROGRAM_URLS": wrong})

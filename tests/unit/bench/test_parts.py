"""The parts of the benchmarks measure what they say they do."""

import asyncio
import json
import mmap
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from schemas.positions import Position
from tests.bench.__main__ import app
from tests.bench.machine import PeakMemory, one_core
from tests.bench.meters import Meter
from tests.bench.node import PEERS, NodeMissing, find
from tests.bench.partners import Partner, PartnerFailed
from tests.bench.pictures import pictures, shrunk
from tests.bench.projector_lag import Awaited
from tests.bench.projector_rounds import TOGETHER, lives
from tests.bench.steady import steadily, steadily_while
from tests.photographs import photograph
from tests.unit.projections.stories import Stories

ECHO = """
import sys
print('{"ready": "echo"}', flush=True)
for line in sys.stdin:
    print(line, end="", flush=True)
"""
SPIN = "import time\nwhile time.process_time() < 0.4: pass"
PARENT = "import subprocess, sys\nsubprocess.run([sys.executable, '-c', sys.argv[1]])\ninput()"


def test_every_benchmark_is_a_command() -> None:
    answer = CliRunner().invoke(app, ["--help"])
    assert {"imaging", "sandbox", "codec", "append", "pipeline", "projector"} <= set(
        re.findall(r"[a-z]+", answer.stdout)
    )


def test_a_partner_answers_line_by_line() -> None:
    with Partner("echo", [sys.executable, "-c", ECHO]) as partner:
        for request in ({"a": 1}, {"b": [2, "ü"]}):
            partner.tell(request)
            assert partner.answer() == request


def test_a_partner_that_ends_is_said() -> None:
    with pytest.raises(PartnerFailed, match="short ended with 3"):
        Partner("short", [sys.executable, "-c", "raise SystemExit(3)"])


def test_the_meter_counts_a_programs_children_too() -> None:
    process = subprocess.Popen([sys.executable, "-c", PARENT, SPIN], stdin=subprocess.PIPE)
    meter = Meter({"busy": (process.pid,)})
    deadline = time.monotonic() + 20
    while meter.read().cpu["busy"] < 0.3 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert meter.read().cpu["busy"] >= 0.3
    assert meter.memory_mib("busy") > 1
    process.communicate(b"\n", timeout=10)


def test_peak_memory_begins_anew() -> None:
    memory = PeakMemory(os.getpid())
    memory.reset()
    before = memory.mib()
    with mmap.mmap(-1, 64 * 1024 * 1024) as block:  # of the system, not of a heap that has room
        block.write(os.urandom(1024) * (64 * 1024))
    high = memory.mib()
    memory.reset()
    assert high > before + 60
    assert memory.mib() < high - 30


def test_one_core_is_given_back() -> None:
    allowed = os.sched_getaffinity(0)
    with one_core() as core:
        assert os.sched_getaffinity(0) == {core}
    assert os.sched_getaffinity(0) == allowed


async def test_a_slow_answer_does_not_slow_the_calls() -> None:
    began: list[float] = []

    async def slow() -> None:
        began.append(time.perf_counter())
        await asyncio.sleep(0.3)

    latencies = await steadily(slow, rate=100, seconds=0.2)
    assert len(latencies) == 20
    assert began[-1] - began[0] < 3  # one after the other would take 6 s
    assert min(latencies) >= 0.3


async def test_calls_go_on_as_long_as_they_are_asked_to() -> None:
    answers = iter([True, True, True, False])

    async def call() -> None: ...

    assert len(await steadily_while(call, rate=1000, goes_on=lambda: next(answers))) == 3


async def test_lateness_counts() -> None:
    async def blocking() -> None:
        time.sleep(0.02)  # noqa: ASYNC251 - a machine that is too slow for the rate

    latencies = await steadily(blocking, rate=1000, seconds=0.02)
    assert max(latencies) > 0.3


def at(offset: int) -> Position:
    return Position(topic="t", partition=0, offset=offset)


async def test_lags_are_counted_once_each_whoever_hears_first() -> None:
    awaited = Awaited(expected=3)
    awaited.acknowledged(at(1))
    awaited.acknowledged(at(0))
    awaited.applied({0: 1})
    assert len(awaited.lags) == 1
    awaited.applied({0: 3})
    assert not awaited.complete.is_set()
    awaited.acknowledged(at(2))
    assert awaited.complete.is_set()
    assert awaited.lags[-1] == 0.0
    assert min(awaited.lags[:2]) > 0


async def test_lives_lie_between_each_other_in_the_log() -> None:
    events = [event async for event in lives(Stories("lives"), 4 * TOGETHER + 1)]
    kinds = [type(event).__name__ for event in events]
    assert kinds[: 2 * TOGETHER] == ["UploadRequested"] * TOGETHER + ["UploadCompleted"] * TOGETHER
    assert kinds[3 * TOGETHER :] == ["VariantsReady"] * TOGETHER + ["UploadRequested"]
    assert len({event.asset_id for event in events}) == TOGETHER + 1
    assert len({event.event_id for event in events}) == len(events)


def test_a_folder_gives_its_pictures_in_order(tmp_path: Path) -> None:
    for name in ("b.JPG", "a.png", "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    with pictures(tmp_path) as found:
        assert [path.name for path in found] == ["a.png", "b.JPG"]


def test_a_folder_without_pictures_is_said(tmp_path: Path) -> None:
    with pytest.raises(typer.BadParameter, match=r"holds no \.avif"), pictures(tmp_path):
        pass


def test_shrunk_pictures_stand_upright_and_fit(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(photograph(1200, 800, orientation=6))
    with shrunk([tmp_path / "a.jpg"], (640, 480)) as small, Image.open(small[0]) as image:
        assert image.size == (640, 427)
        assert not image.getexif()


def test_a_node_that_is_not_there_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NodeMissing, match="--node"):
        find(tmp_path / "node")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NodeMissing, match="PATH"):
        find(None)


def test_the_peer_is_locked_without_addresses() -> None:
    lock = json.loads((PEERS / "sharp" / "package-lock.json").read_text())
    package = json.loads((PEERS / "sharp" / "package.json").read_text())
    locked = {name: entry for name, entry in lock["packages"].items() if name}
    assert not [name for name, entry in locked.items() if "resolved" in entry]
    assert all(entry["integrity"].startswith("sha512-") for entry in locked.values())
    assert package["dependencies"] == {"sharp": locked["node_modules/sharp"]["version"]}

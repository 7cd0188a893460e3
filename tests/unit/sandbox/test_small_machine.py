"""Memory that runs out for the machine, not for a child alone: children go, the worker stays (I11)."""

import json
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from processors.imaging.recipe import Limits
from processors.sandbox import Sandbox
from tests.unit.sandbox.small_machine import NoCgroup, kills, small_machine
from tests.unit.sandbox.test_hostile_children import JOB, told

WORKER = """
import asyncio, json, sys
from pathlib import Path
from processors.imaging.recipe import Limits
from processors.sandbox import Exhausted, Sandbox
from tests.unit.sandbox.small_machine import join
from tests.unit.sandbox.test_hostile_children import JOB, render, told

async def bomb(sandbox):
    try:
        await render(sandbox, "gorge", "eve")
    except Exhausted as exhausted:
        return exhausted.code

async def main():
    try:
        join(Path(sys.argv[1]))
    except OSError:
        sys.exit(77)
    async with Sandbox(children=2, limits=Limits(), job=JOB) as sandbox:
        healthy = [told(sandbox, "fine", "ada") for _ in range(10)]
        outcomes = await asyncio.gather(*(bomb(sandbox) for _ in range(10)), *healthy)
        print(json.dumps({"bombs": outcomes[:10], "healthy": [one["told"] for one in outcomes[10:]]}))

asyncio.run(main())
"""


# Half of what I11 names: in 2 GiB the two children's own limits are enough, and the kernel has nothing to do.
ROOM = 1 << 30
OUTSIDE = 77


def test_ten_bombs_at_once_on_a_small_machine() -> None:
    """I11: two children that may take 1 GiB each fill it together; the kernel kills them and nobody else."""
    try:
        with small_machine(ROOM) as folder:
            ran = subprocess.run(
                [sys.executable, "-c", WORKER, str(folder)], capture_output=True, text=True, check=False
            )
            killed = kills(folder)
    except NoCgroup as missing:
        pytest.skip(f"no memory cgroup can be made here: {missing}")
    if ran.returncode == OUTSIDE:
        pytest.skip("the memory cgroup lets nobody in")
    assert ran.returncode == 0, ran.stderr
    said = json.loads(ran.stdout)
    assert said == {"bombs": ["out_of_memory"] * 10, "healthy": ["nothing"] * 10}
    assert killed > 0, "with memory to spare this shows nothing"


async def test_the_kernel_takes_children_first() -> None:
    async with Sandbox(children=1, limits=Limits(), job=JOB) as sandbox:
        pid = (await told(sandbox, "fine"))["pid"]
        parent = psutil.Process(pid).ppid()
        scores = [score(each) for each in (str(pid), str(parent), "self")]
    assert scores[0] == 1000
    assert max(scores[1:]) < 1000


def score(process: str) -> int:
    return int(Path(f"/proc/{process}/oom_score_adj").read_text())

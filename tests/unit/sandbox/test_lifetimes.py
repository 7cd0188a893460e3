"""Who is kept, who is replaced, who is killed: children, fork server and worker."""

import asyncio
import os
import signal
import sys
import threading
import time

import psutil
import pytest
import uvloop

from processors.sandbox import Exhausted, Interrupted, Sandbox, SandboxUnavailable, Wear
from tests.unit.sandbox.test_hostile_children import render, sandbox, told


def offspring() -> list[psutil.Process]:
    """The fork servers of this process and all of their children."""
    return [child for child in psutil.Process().children(recursive=True) if "fork_server" in _command(child)]


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


async def gone(pids: list[int], seconds: float = 5.0) -> bool:
    """Whether none of these processes is alive any more, before `seconds` are over."""
    end = time.monotonic() + seconds
    while any(_alive(pid) for pid in pids):
        if time.monotonic() > end:
            return False
        await asyncio.sleep(0.02)
    return True


def _alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_a_child_is_kept_for_its_owner() -> None:
    async with sandbox() as children:
        first, second = await told(children, "fine"), await told(children, "fine")
        assert (first["pid"], second["jobs"]) == (second["pid"], 2)


async def test_no_child_works_for_two_owners() -> None:
    """A child that was taken over could otherwise alter the next owner's pictures."""
    async with sandbox(children=1) as children:
        pids = [(await told(children, "fine", owner))["pid"] for owner in ("ada", "ben", "ada", "cy")]
        assert len(set(pids)) == 4
        assert len(offspring()) <= 3, "the server, one child, and at most one that is just dying"


async def test_many_owners_at_once() -> None:
    """Each gets an answer of a child that has seen nobody else; no more than two live at a time."""
    async with sandbox() as children:
        owners = [f"owner-{n % 5}" for n in range(40)]
        answers = await asyncio.gather(*(told(children, "fine", owner) for owner in owners))
        seen: dict[int, set[str]] = {}
        for owner, answer in zip(owners, answers, strict=True):
            seen.setdefault(answer["pid"], set()).add(owner)
        assert all(len(known) == 1 for known in seen.values())


async def test_owners_take_turns_with_the_children() -> None:
    """R31: whoever comes behind another's many waits for one or two of them."""
    ended: list[str] = []

    async def one_of(owner: str, children: Sandbox) -> None:
        await told(children, "fine", owner)
        ended.append(owner)

    async with sandbox(children=1) as children:
        await asyncio.gather(*(one_of(owner, children) for owner in ("ada",) * 8 + ("ben",)))
    assert ended.index("ben") == 2


async def test_a_worn_child_is_replaced() -> None:
    async with sandbox(wear=Wear(jobs=3)) as children:
        jobs = [(await told(children, "fine"))["jobs"] for _ in range(7)]
        assert jobs == [1, 2, 3, 1, 2, 3, 1]
    async with sandbox(wear=Wear(peak_rss_kib=1000)) as children:
        assert [(await told(children, "fine"))["jobs"] for _ in range(3)] == [1, 1, 1]


async def test_a_child_that_dies_idle_is_not_used() -> None:
    async with sandbox() as children:
        pid = (await told(children, "fine"))["pid"]
        os.kill(pid, signal.SIGKILL)
        assert await gone([pid])
        # The fork server's word comes a moment after the death.
        (idle,) = children._pool._idle
        await asyncio.wait_for(asyncio.shield(idle._newborn.died), 30)
        answer = await told(children, "fine")
        assert answer["pid"] != pid
        assert answer["attempts"] == 1


async def test_processor_time_is_counted_for_each_job() -> None:
    """A child that has worked long does not run into a limit that was meant for one job."""
    async with sandbox(cpu_seconds=1, wall_seconds=60.0) as children:
        answers = [await told(children, "work 0.4") for _ in range(5)]
        assert [answer["jobs"] for answer in answers] == [1, 2, 3, 4, 5]


async def test_cut_ends_the_jobs_in_hand() -> None:
    async with sandbox(wall_seconds=30.0, both_seconds=60.0) as children:
        jobs = [asyncio.create_task(render(children, "hang")) for _ in range(4)]
        await asyncio.sleep(0.2)
        started = time.monotonic()
        await children.cut()
        outcomes = await asyncio.gather(*jobs, return_exceptions=True)
        assert all(isinstance(outcome, Interrupted) for outcome in outcomes)
        assert time.monotonic() - started < 20
        assert (await told(children, "fine"))["told"] == "nothing"


async def test_a_cancelled_render_kills_its_child() -> None:
    async with sandbox(wall_seconds=30.0, both_seconds=60.0) as children:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await render(children, "spin")
        assert (await told(children, "fine"))["told"] == "nothing"
        busy = [one for one in offspring() if one.is_running() and one.cpu_percent(0.2) > 50]
        assert not busy


async def test_close_leaves_no_process() -> None:
    children = sandbox(wall_seconds=30.0)
    await children.start()
    await told(children, "fine")
    job = asyncio.create_task(render(children, "hang", "ben"))
    await asyncio.sleep(0.2)
    pids = [one.pid for one in offspring()]
    assert len(pids) == 3
    await children.close()
    assert isinstance((await asyncio.gather(job, return_exceptions=True))[0], Interrupted)
    assert await gone(pids)


async def test_a_lost_fork_server_is_replaced() -> None:
    async with sandbox() as children:
        await told(children, "fine")
        pids = [one.pid for one in offspring()]
        os.kill(min(pids), signal.SIGKILL)
        assert await gone(pids), "children do not outlive it"
        assert (await told(children, "fine"))["told"] == "nothing"


async def test_no_zombies() -> None:
    async with sandbox() as children:
        for words in ("segfault", "exit 1", "open /"):
            with pytest.raises(Exhausted):
                await render(children, words)
        await told(children, "fine")
        (server,) = (one for one in offspring() if one.ppid() == os.getpid())
        assert [one.status() != psutil.STATUS_ZOMBIE for one in server.children()] == [True]


async def test_nothing_survives_a_killed_worker() -> None:
    code = (
        "import asyncio, psutil\n"
        "from tests.unit.sandbox.test_hostile_children import sandbox, render, told\n"
        "async def main():\n"
        "    async with sandbox(wall_seconds=60.0) as children:\n"
        "        await told(children, 'fine')\n"
        "        spinning = asyncio.create_task(render(children, 'hang', 'ben'))\n"
        "        await asyncio.sleep(0.2)\n"
        "        print(*(p.pid for p in psutil.Process().children(recursive=True)), flush=True)\n"
        "        await spinning\n"
        "asyncio.run(main())"
    )
    worker = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    assert worker.stdout is not None
    pids = [int(pid) for pid in (await worker.stdout.readline()).split()]
    assert len(pids) == 3
    worker.kill()
    await worker.wait()
    assert await gone(pids)


async def test_before_the_start_there_is_nothing_to_tell() -> None:
    children = sandbox()
    for look in (lambda: children.status, lambda: children.encoder):
        with pytest.raises(SandboxUnavailable):
            look()


async def test_a_job_that_does_not_exist() -> None:
    with pytest.raises(SandboxUnavailable):
        await sandbox(job="tests.unit.sandbox.hostile:Nobody").start()
    assert not offspring()


def test_in_a_program_with_threads_and_another_loop() -> None:
    """Faust has both."""
    stop = threading.Event()
    threads = [threading.Thread(target=stop.wait) for _ in range(5)]
    for thread in threads:
        thread.start()

    async def two_jobs() -> list[str]:
        children: Sandbox = sandbox()
        async with children:
            return [(await told(children, "fine", owner))["told"] for owner in ("ada", "ben")]

    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            assert runner.run(two_jobs()) == ["nothing", "nothing"]
    finally:
        stop.set()
        for thread in threads:
            thread.join()


async def test_the_worker_never_loads_a_decoder() -> None:
    """Pillow and numpy cost it 16 MB, and what is not there cannot be talked into decoding."""
    code = "import sys, processors.sandbox; print(*{'PIL', 'numpy', 'cykooz_resizer'} & set(sys.modules))"
    loaded = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    assert (await loaded.communicate())[0].split() == []

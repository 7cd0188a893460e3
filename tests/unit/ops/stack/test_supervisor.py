"""The supervisor: order, restarts with back-off, and an end within its time that leaves nobody."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from adapters.settings import RuntimeSettings, WorkerSettings
from ops.stack.failures import ProgramFailed
from ops.stack.probes import LIVENESS_PATIENCE, PATIENCE
from ops.stack.programs import Kind
from ops.stack.supervisor import Supervisor
from ops.stack.unit import Pace, State
from processors.faust_app.watchdog import LOOK_EVERY_SECONDS, OUTSIDE_SECONDS
from tests.unit.ops.stack.fakes import (
    DEAF,
    QUICK,
    SLEEP,
    WITH_CHILD,
    Heard,
    file_exists,
    program,
    supervised,
    until,
    until_pid_changes,
    until_true,
)


async def test_what_is_needed_serves_first(tmp_path: Path) -> None:
    server = program(
        tmp_path,
        "server",
        "import time; time.sleep(.2); open('order', 'a').write('server '); open('up', 'w'); time.sleep(600)",
        kind=Kind.SERVER,
        probe=file_exists(tmp_path / "up"),
    )
    step = program(tmp_path, "step", "open('order', 'a').write('step ')", kind=Kind.STEP, needs=("server",))
    process = program(
        tmp_path,
        "process",
        "import time; open('order', 'a').write('process '); open('on', 'w'); time.sleep(600)",
        needs=("step",),
        probe=file_exists(tmp_path / "on"),
    )
    async with supervised(process, step, server) as (supervisor, heard):
        assert (tmp_path / "order").read_text() == "server step process "
        assert [unit.state for unit in supervisor.units] == [State.READY, State.DONE, State.READY]
        assert heard.of("step")[0].startswith("done in")
        assert heard.of("process")[0].startswith("ready in")


async def test_a_program_that_dies_is_started_again_and_said_so(tmp_path: Path) -> None:
    async with supervised(program(tmp_path, "worker")) as (supervisor, heard):
        unit = supervisor.unit("worker")
        first = unit.pid
        unit.kill()
        second = await until_pid_changes(unit, first)
        assert psutil.pid_exists(second)
        assert unit.restarts == 1
        assert heard.of("worker")[1] == "was ended by SIGKILL; starting again in 0.05 s"
        assert heard.of("worker")[2].startswith("ready again in ")


async def test_the_pause_doubles_up_to_its_longest(tmp_path: Path) -> None:
    code = "import os, pathlib, time; pathlib.Path('up').touch(); time.sleep(.05); os._exit(7)"
    heard = Heard()
    dying = program(tmp_path, "dying", code, probe=file_exists(tmp_path / "up"))
    supervisor = Supervisor([dying], mark="test", say=heard, changed=lambda _: None, pace=QUICK)
    await supervisor.start()
    await until_true(lambda: supervisor.unit("dying").restarts >= 5)
    await supervisor.stop(2)
    pauses = [text.split(" in ")[1] for text in heard.of("dying") if "starting again" in text]
    assert pauses[:5] == ["0.05 s", "0.1 s", "0.2 s", "0.4 s", "0.4 s"]
    assert "ended with exit code 7" in heard.of("dying")[1]


async def test_a_program_that_never_serves_fails_the_start_with_its_last_lines(tmp_path: Path) -> None:
    broken = program(
        tmp_path, "broken", "import sys; sys.exit('no such bucket')", probe=file_exists(tmp_path / "no")
    )
    before = psutil.Process().children(recursive=True)
    with pytest.raises(
        ProgramFailed, match=r"(?s)broken ended with exit code 1.*broken\.log.*no such bucket"
    ):
        async with supervised(program(tmp_path, "other"), broken):
            pytest.fail("must not start")
    after = psutil.Process().children(recursive=True)
    assert [child for child in after if child not in before and child.status() != "zombie"] == []


async def test_a_program_that_cannot_be_executed_fails_the_start(tmp_path: Path) -> None:
    absent = program(tmp_path / "no-such-folder", "absent")
    (tmp_path / "no-such-folder").mkdir()
    absent.cwd.rmdir()
    with pytest.raises((ProgramFailed, FileNotFoundError)):
        async with supervised(absent):
            pytest.fail("must not start")


async def test_a_failing_step_fails_the_start(tmp_path: Path) -> None:
    step = program(
        tmp_path, "topics", "import sys; sys.exit('the topic has 3 partitions, not 12')", kind=Kind.STEP
    )
    after = program(tmp_path, "api", needs=("topics",))
    with pytest.raises(ProgramFailed, match=r"(?s)topics ended with exit code 1.*3 partitions, not 12"):
        async with supervised(step, after):
            pytest.fail("must not start")
    assert not (tmp_path / "api.log").exists()


async def test_a_program_that_takes_too_long_is_ended_and_tried_again(tmp_path: Path) -> None:
    slow = program(tmp_path, "slow", probe=file_exists(tmp_path / "never"), ready_within=0.1)
    with pytest.raises(ProgramFailed, match="slow was ended by SIGKILL"):
        async with supervised(slow):
            pytest.fail("must not start")


async def test_one_that_lives_and_waits_for_others_is_not_started_again_and_again(tmp_path: Path) -> None:
    sign, alive = tmp_path / "ready", tmp_path / "alive"
    alive.touch()
    waiting = program(
        tmp_path, "housekeeping", probe=file_exists(sign), alive=file_exists(alive), ready_within=0.1
    )
    heard = Heard()
    supervisor = Supervisor([waiting], mark="test", say=heard, changed=lambda _units: None, pace=QUICK)
    starting = asyncio.create_task(supervisor.start())
    try:
        await until_true(lambda: len(heard.of("housekeeping")) >= 2)
        assert set(heard.of("housekeeping")) == {"has not served for 0.1 s, but lives: it waits"}
        sign.touch()
        await starting
        assert supervisor.unit("housekeeping").restarts == 0
    finally:
        await supervisor.stop(3.0)


async def test_a_silent_program_is_unwell_until_it_answers(tmp_path: Path) -> None:
    sign = tmp_path / "sign"
    sign.touch()
    async with supervised(program(tmp_path, "api", probe=file_exists(sign))) as (supervisor, heard):
        unit = supervisor.unit("api")
        pid = unit.pid
        sign.unlink()
        await until(unit, State.UNWELL)
        assert "runs but does not answer" in heard.of("api")
        sign.touch()
        await until(unit, State.READY)
        assert heard.of("api")[-1] == "answers again"
        assert (unit.pid, unit.restarts) == (pid, 0)


@pytest.mark.parametrize("ready", [True, False], ids=["ready all the while", "unwell"])
async def test_one_that_stands_still_is_ended_and_started_again(tmp_path: Path, ready: bool) -> None:
    """Its listener may still answer while its loop is stuck. One that only waits for others is let be."""
    sign, alive = tmp_path / "ready", tmp_path / "alive"
    sign.touch()
    alive.touch()
    told = program(tmp_path, "worker", probe=file_exists(sign), alive=file_exists(alive))
    async with supervised(told) as (supervisor, heard):
        unit = supervisor.unit("worker")
        pid = unit.pid
        if not ready:
            sign.unlink()
            await until(unit, State.UNWELL)
        await asyncio.sleep(3 * QUICK.standstill)
        assert unit.pid == pid
        alive.unlink()
        await until_true(lambda: unit.restarts > 0)
        alive.touch()
        sign.touch()
        await until_pid_changes(unit, pid)
        assert "has stood still for 0.2 s; ended" in heard.of("worker")


def test_whoever_went_silent_is_found_and_started_again_within_a_minute() -> None:
    """By default: a loop that is stuck by the supervisor, one that turns and does nothing by its watchdog."""
    pace = Pace()
    turn = pace.health + PATIENCE + LIVENESS_PATIENCE
    stuck = RuntimeSettings().heartbeat_limit.total_seconds() + pace.standstill + turn
    idle = max(WorkerSettings().idle_limit.total_seconds(), OUTSIDE_SECONDS) + LOOK_EVERY_SECONDS
    assert max(stuck, idle) + pace.first_delay < 60


async def test_processes_end_before_servers(tmp_path: Path) -> None:
    code = (
        "import signal, sys, time;"
        "signal.signal(signal.SIGTERM, lambda *_: (open('ends', 'a').write('{0} '), sys.exit(0)));"
        "open('{0}-up', 'w'); time.sleep(600)"
    )
    programs = [
        program(tmp_path, name, code.format(name), kind=kind, probe=file_exists(tmp_path / f"{name}-up"))
        for name, kind in (("server", Kind.SERVER), ("process", Kind.PROCESS))
    ]
    async with supervised(*programs):
        pass
    assert (tmp_path / "ends").read_text() == "process server "


async def test_who_does_not_listen_is_killed_within_the_time(tmp_path: Path) -> None:
    log = tmp_path / "deaf.log"

    async def speaks() -> bool:
        return log.exists() and "deaf" in log.read_text()

    async with supervised(program(tmp_path, "deaf", DEAF, probe=speaks)) as (supervisor, heard):
        pid = supervisor.unit("deaf").pid
        assert pid is not None
        began = time.monotonic()
        await supervisor.stop(1.0)
        assert time.monotonic() - began < 10
    assert not psutil.pid_exists(pid)
    assert any("did not end within" in text for text in heard.of("deaf"))


async def test_children_of_a_program_end_with_it(tmp_path: Path) -> None:
    log = tmp_path / "parent.log"

    async def has_child() -> bool:
        return log.exists() and log.read_text().endswith("\n")

    async with supervised(program(tmp_path, "parent", WITH_CHILD, probe=has_child)):
        child = psutil.Process(int(log.read_text()))
        assert child.is_running()
    child.wait(30)


async def test_stopping_while_starting_leaves_nobody(tmp_path: Path) -> None:
    waiting = program(tmp_path, "server", SLEEP, probe=file_exists(tmp_path / "never"), kind=Kind.SERVER)
    after = program(tmp_path, "api", needs=("server",))
    heard = Heard()
    supervisor = Supervisor([waiting, after], mark="test", say=heard, changed=lambda _: None, pace=QUICK)
    starting = asyncio.create_task(supervisor.start())
    await until(supervisor.unit("server"), State.STARTING)
    starting.cancel()
    await supervisor.stop(2.0)
    assert [unit.pid for unit in supervisor.units] == [None, None]
    assert not (tmp_path / "api.log").exists()


async def test_a_held_program_stays_down_until_released(tmp_path: Path) -> None:
    async with supervised(program(tmp_path, "broker")) as (supervisor, _):
        unit = supervisor.unit("broker")
        first = unit.pid
        await unit.hold()
        await until(unit, State.HELD)
        await asyncio.sleep(0.2)
        assert unit.pid is None
        unit.release()
        assert await until_pid_changes(unit, first) != first
        assert unit.restarts == 0


async def test_what_is_late_starts_when_all_else_serves_and_is_waited_for_by_nobody(tmp_path: Path) -> None:
    late = replace(program(tmp_path, "late"), late=True)
    async with supervised(program(tmp_path, "prompt"), late) as (supervisor, _):
        assert supervisor.unit("prompt").state is State.READY
        assert (supervisor.unit("late").state, supervisor.unit("late").pid) == (State.WAITING, None)
        ending = asyncio.Event()
        serving = asyncio.create_task(supervisor.serve(ending))
        await until(supervisor.unit("late"), State.READY)
        ending.set()
        await serving


async def test_what_is_late_and_never_starts_does_not_hold_up_the_end(tmp_path: Path) -> None:
    late = replace(program(tmp_path, "late"), late=True)
    async with supervised(program(tmp_path, "prompt"), late) as (supervisor, _):
        began = time.monotonic()
        await supervisor.stop(30)
        assert time.monotonic() - began < 20

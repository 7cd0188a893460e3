"""Small programs that misbehave on purpose, and a supervisor at a test's pace."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from ops.stack.programs import Kind, Probe, Program
from ops.stack.supervisor import Supervisor
from ops.stack.unit import Pace, State, Unit

QUICK = Pace(
    first_delay=0.05,
    longest_delay=0.4,
    steady=60,
    poll=0.02,
    health=0.05,
    misses=2,
    standstill=0.2,
    attempts=3,
)
SLEEP = "import time; time.sleep(600)"
DEAF = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print('deaf', flush=True); time.sleep(600)"
)
WITH_CHILD = (
    "import subprocess, sys, time;"
    "child = subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(600)']);"
    "print(child.pid, flush=True); time.sleep(600)"
)


class Heard:
    """What a supervisor said."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def __call__(self, name: str, text: str) -> None:
        self.lines.append((name, text))

    def of(self, name: str) -> list[str]:
        return [text for said, text in self.lines if said == name]


def program(
    folder: Path,
    name: str,
    code: str = SLEEP,
    *,
    kind: Kind = Kind.PROCESS,
    needs: tuple[str, ...] = (),
    probe: Probe | None = None,
    alive: Probe | None = None,
    ready_within: float = 20.0,
) -> Program:
    """A program that runs `code`; ready as soon as it runs unless a probe is given."""
    return Program(
        name=name,
        kind=kind,
        argv=(sys.executable, "-S", "-c", code),
        cwd=folder,
        log=folder / f"{name}.log",
        env={},
        needs=needs,
        probe=probe,
        alive=alive,
        ready_within=ready_within,
    )


def file_exists(path: Path) -> Probe:
    """A probe that says yes once the file is there."""

    async def ask() -> bool:
        return path.exists()  # noqa: ASYNC240 - a stat in a test

    return ask


@contextlib.asynccontextmanager
async def supervised(
    *programs: Program, mark: str = "test", pace: Pace = QUICK
) -> AsyncIterator[tuple[Supervisor, Heard]]:
    """A started supervisor, stopped at the end whatever happened."""
    heard = Heard()
    supervisor = Supervisor(programs, mark=mark, say=heard, changed=lambda _units: None, pace=pace)
    try:
        await supervisor.start()
        yield supervisor, heard
    finally:
        await supervisor.stop(3.0)


async def until_true(told: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait until it is so."""
    async with asyncio.timeout(seconds):
        while not told():  # noqa: ASYNC110 - what is watched has no event of its own
            await asyncio.sleep(0.01)


async def until(unit: Unit, state: State) -> None:
    """Wait until the unit is in the state."""
    await until_true(lambda: unit.state is state)


async def until_pid_changes(unit: Unit, old: int | None) -> int:
    """Wait until another process serves; return its pid."""
    await until_true(lambda: unit.pid not in (None, old) and unit.state is State.READY)
    assert unit.pid is not None
    return unit.pid

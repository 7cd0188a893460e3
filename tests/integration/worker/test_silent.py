"""A worker that goes silent is found and at work again within a minute, under the supervisor of `make up`."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from ops.stack.probes import LIVENESS_PATIENCE, http_answers
from ops.stack.programs import Kind, Program
from ops.stack.supervisor import Supervisor
from ops.stack.unit import Pace, Unit
from tests.integration.worker.lab import Lab
from tests.programs import ROOT, free_port
from tests.servers import World

MINUTE = 60.0
# Far longer than any of these takes: whoever waited for it would be seen.
LONG_SESSION = "90s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How soon silence is noticed: by the supervisor, and by the worker's own watchdog."""

    pace: Pace
    patience: float
    settings: Mapping[str, str]


SHORT = Limits(
    pace=Pace(first_delay=0.1, health=0.5, standstill=4.0),
    patience=1.0,
    settings={"WORKER_IDLE_LIMIT": "2s", "WORKER_SESSION": LONG_SESSION},
)
SHIPPED = Limits(pace=Pace(), patience=LIVENESS_PATIENCE, settings={"WORKER_SESSION": LONG_SESSION})
with_shipped_limits = pytest.mark.skipif(
    "FULL_LIMITS" not in os.environ, reason="takes two minutes: set FULL_LIMITS=1"
)
# What tests.integration.worker.wedged is told by to fetch no more.
WEDGED = signal.SIGWINCH
Start = Callable[..., AbstractAsyncContextManager[Unit]]


@pytest.fixture
def supervised(ground: World, tmp_path: Path) -> Start:
    """Starts a worker under a supervisor."""

    @asynccontextmanager
    async def start(limits: Limits) -> AsyncIterator[Unit]:
        port = free_port()
        own = {"METRICS_PORT": str(port), "STATE_DIR": str(tmp_path / "state")}
        program = Program(
            name="variants",
            kind=Kind.PROCESS,
            argv=(sys.executable, "-m", "tests.integration.worker.wedged"),
            cwd=ROOT,
            log=tmp_path / "worker.log",
            env={"PATH": os.environ["PATH"], **ground.env, **limits.settings, **own},
            port=port,
            probe=http_answers(f"http://127.0.0.1:{port}/readyz", patience=limits.patience),
            alive=http_answers(f"http://127.0.0.1:{port}/livez", patience=limits.patience),
        )
        supervisor = Supervisor(
            [program], mark=tmp_path.name, say=_say, changed=lambda _units: None, pace=limits.pace
        )
        try:
            await supervisor.start()
            yield supervisor.unit(program.name)
        finally:
            await supervisor.stop(5.0)

    return start


def _say(name: str, text: str) -> None:
    sys.stderr.write(f"supervisor: {name} {text}\n")


@pytest.mark.timeout(280)
@pytest.mark.parametrize(
    "limits",
    [pytest.param(SHORT, id="short"), pytest.param(SHIPPED, id="shipped", marks=with_shipped_limits)],
)
async def test_a_silent_worker_is_at_work_again_within_a_minute(
    lab: Lab, supervised: Start, limits: Limits
) -> None:
    """Frozen; then assigned and lagging, yet idle; then killed, when its slot's name gives it its partitions
    back at once: nobody waits for the session, which is longer than a minute.
    """
    async with supervised(limits) as unit:
        for silence in (signal.SIGSTOP, WEDGED, signal.SIGKILL):
            await lab.ended(await lab.upload())
            silent, began = unit.pid, time.monotonic()
            assert silent is not None
            os.kill(silent, silence)
            await at_work_again(lab, unit, silent)
            took = time.monotonic() - began
            sys.stderr.write(f"{silence.name}: at work again after {took:.1f} s\n")
            assert took < MINUTE, silence.name
        assert "records behind, yet idle" in unit.program.log.read_text(errors="replace")


async def at_work_again(lab: Lab, unit: Unit, silent: int) -> None:
    """Another process has done what was asked for meanwhile."""
    requests = [await lab.upload()]
    deadline = time.monotonic() + MINUTE
    while unit.pid in {silent, None}:
        assert time.monotonic() < deadline, "nobody was started anew"
        await asyncio.sleep(0.2)
        # The first may have been fetched before the silence.
        if len(requests) < 4:
            requests.append(await lab.upload())
    await lab.ended(*requests, seconds=MINUTE)

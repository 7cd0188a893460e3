"""Our own programs: the one-off steps that lay the ground, and the processes that serve."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from ops.stack.folder import Folder
from ops.stack.ports import HOST, Ports
from ops.stack.probes import http_answers
from ops.stack.programs import Kind, Program
from ops.stack.settings import ROOT, own_names

STEP_LIMIT = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A command that runs to its end at each start; all of them may be repeated."""

    name: str
    words: tuple[str, ...]
    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One of the processes of the arrow."""

    name: str
    words: tuple[str, ...]
    port: str
    """Field of Ports on which it tells whether it is ready."""
    metrics_port: str
    needs: tuple[str, ...]
    slot: int | None = None


STEPS = (
    Step(name="topics", words=("ops", "topics", "apply"), needs=("kafka",)),
    Step(name="schemas", words=("ops", "schemas", "register"), needs=("registry",)),
    Step(name="migrations", words=("ops", "migrate"), needs=("postgres",)),
    Step(name="read-models", words=("ops", "read-models", "install"), needs=("migrations",)),
    Step(name="presets", words=("ops", "presets", "define"), needs=("topics", "schemas")),
)

PROCESSES = (
    Process(
        name="api",
        words=("api",),
        port="api",
        metrics_port="api_metrics",
        needs=("topics", "schemas", "read-models", "store"),
    ),
    Process(
        name="variants",
        words=("processors", "variants"),
        port="worker_metrics",
        metrics_port="worker_metrics",
        needs=("topics", "schemas", "store"),
        slot=0,
    ),
    Process(
        name="projector",
        words=("projections",),
        port="projector_metrics",
        metrics_port="projector_metrics",
        needs=("topics", "schemas", "read-models"),
    ),
)


def products(
    folder: Folder, ports: Ports, environment: Mapping[str, str], *, external: bool
) -> list[Program]:
    """Steps and processes, ready to be supervised; with external servers they wait for none of ours."""
    steps = [step_program(step, folder, environment, external=external) for step in STEPS]
    processes = [
        process_program(process, folder, ports, environment, external=external) for process in PROCESSES
    ]
    return steps + processes


def step_program(step: Step, folder: Folder, environment: Mapping[str, str], *, external: bool) -> Program:
    """A step as a program."""
    return Program(
        name=step.name,
        kind=Kind.STEP,
        argv=(sys.executable, "-m", *step.words),
        cwd=ROOT,
        log=folder.log_of(step.name),
        env={**inherited(), **environment, "STATE_DIR": str(folder.state / step.name)},
        needs=_present(step.needs, external=external),
        ready_within=STEP_LIMIT,
    )


def process_program(
    process: Process, folder: Folder, ports: Ports, environment: Mapping[str, str], *, external: bool
) -> Program:
    """A process as a program, with its own metrics port, state folder and slot."""
    state = folder.state / process.name
    own = {"METRICS_PORT": str(getattr(ports, process.metrics_port)), "STATE_DIR": str(state)}
    if process.slot is not None:
        own["WORKER_SLOT"] = str(process.slot)
    port: int = getattr(ports, process.port)
    return Program(
        name=process.name,
        kind=Kind.PROCESS,
        argv=(sys.executable, "-m", *process.words),
        cwd=ROOT,
        log=folder.log_of(process.name),
        env={**inherited(), **environment, **own},
        port=port,
        needs=_present(process.needs, external=external),
        probe=http_answers(f"http://{HOST}:{port}/readyz"),
        prepare=lambda: state.mkdir(parents=True, exist_ok=True),
    )


def inherited() -> dict[str, str]:
    """The user's environment, without what only the stack reads; unbuffered, so that logs are current."""
    own = own_names()
    kept = {name: value for name, value in os.environ.items() if name not in own}
    return {**kept, "PYTHONUNBUFFERED": "1"}


def _present(needs: tuple[str, ...], *, external: bool) -> tuple[str, ...]:
    ours = {step.name for step in STEPS}
    return tuple(name for name in needs if not external or name in ours)

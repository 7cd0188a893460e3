"""Our own programs: the one-off steps that lay the ground, and the processes that serve."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from ops.stack.folder import Folder
from ops.stack.ports import HOST, Ports
from ops.stack.probes import LIVENESS_PATIENCE, http_answers
from ops.stack.programs import Kind, Program
from ops.stack.settings import ROOT, own_names

STEP_LIMIT = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A command that runs to its end; all of them may be repeated."""

    name: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One of the processes of the arrow."""

    name: str
    words: tuple[str, ...]
    port: str
    """Field of Ports on which it tells whether it is ready."""
    metrics_port: str
    slot: int | None = None
    late: bool = False
    children: int | None = None
    """How many children render at a time, where that is not the settings' to say."""


STEPS = (
    Step(name="topics", words=("ops", "topics", "apply")),
    Step(name="schemas", words=("ops", "schemas", "register")),
    Step(name="migrations", words=("ops", "migrate")),
    Step(name="read-models", words=("ops", "read-models", "install")),
    Step(name="presets", words=("ops", "presets", "define")),
)
"""What must be there before a process starts, in an order that can be kept."""

GROUND = Step(name="ground", words=("ops", "ground"))
"""All of them by one program: each alone spends most of its time on its imports."""

PROCESSES = (
    Process(name="api", words=("api",), port="api", metrics_port="api_metrics"),
    Process(
        name="variants",
        words=("processors", "variants"),
        port="worker_metrics",
        metrics_port="worker_metrics",
        slot=0,
    ),
    Process(
        name="bulk",
        words=("processors", "variants", "--lane", "bulk"),
        port="bulk_metrics",
        metrics_port="bulk_metrics",
        slot=0,
        late=True,
        children=1,
    ),
    Process(
        name="projector",
        words=("projections",),
        port="projector_metrics",
        metrics_port="projector_metrics",
    ),
    Process(
        name="purge",
        words=("processors", "purge"),
        port="purge_metrics",
        metrics_port="purge_metrics",
        slot=0,
        late=True,
    ),
    Process(
        name="erasures",
        words=("ops", "erasures", "run"),
        port="erasures_metrics",
        metrics_port="erasures_metrics",
        late=True,
    ),
    Process(
        name="housekeeping",
        words=("ops", "housekeeping", "run"),
        port="housekeeping_metrics",
        metrics_port="housekeeping_metrics",
        late=True,
    ),
)
"""The late ones take nothing from a start: no picture waits for them."""


def products(
    folder: Folder, ports: Ports, environment: Mapping[str, str], *, external: bool
) -> list[Program]:
    """The ground and the processes, ready to be supervised; with external servers they wait for none of ours.

    The ground starts early and waits for its servers itself, so that its imports cost no time of their own.
    """
    ground = ground_program(folder, environment, needs=() if external else ("postgres",))
    needs = (ground.name,) if external else (ground.name, "store")
    return [ground, *(process_program(each, folder, ports, environment, needs=needs) for each in PROCESSES)]


def ground_program(folder: Folder, environment: Mapping[str, str], *, needs: tuple[str, ...]) -> Program:
    """The steps as a program that ends."""
    return Program(
        name=GROUND.name,
        kind=Kind.STEP,
        argv=(sys.executable, "-m", *GROUND.words),
        cwd=ROOT,
        log=folder.log_of(GROUND.name),
        env={**inherited(), **environment, "STATE_DIR": str(folder.state / GROUND.name)},
        needs=needs,
        ready_within=STEP_LIMIT,
    )


def process_program(
    process: Process, folder: Folder, ports: Ports, environment: Mapping[str, str], *, needs: tuple[str, ...]
) -> Program:
    """A process as a program, with its own metrics port, state folder and slot."""
    state = folder.state / process.name
    own = {"METRICS_PORT": str(getattr(ports, process.metrics_port)), "STATE_DIR": str(state)}
    if process.slot is not None:
        own["WORKER_SLOT"] = str(process.slot)
    if process.children is not None:
        own["WORKER_CHILDREN"] = str(process.children)
    port: int = getattr(ports, process.port)
    return Program(
        name=process.name,
        kind=Kind.PROCESS,
        argv=(sys.executable, "-m", *process.words),
        cwd=ROOT,
        log=folder.log_of(process.name),
        env={**inherited(), **environment, **own},
        port=port,
        needs=needs,
        probe=http_answers(f"http://{HOST}:{port}/readyz"),
        alive=http_answers(f"http://{HOST}:{port}/livez", patience=LIVENESS_PATIENCE),
        prepare=lambda: state.mkdir(parents=True, exist_ok=True),
        late=process.late,
    )


def inherited() -> dict[str, str]:
    """The user's environment, without what only the stack reads; unbuffered, so that logs are current."""
    own = own_names()
    kept = {name: value for name, value in os.environ.items() if name not in own}
    return {**kept, "PYTHONUNBUFFERED": "1"}

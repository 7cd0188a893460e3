"""A namespace with topics, schemas and presets, a lab in it, and workers that end with their test."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.worker.lab import Lab
from tests.programs import Program, running
from tests.servers import World

StartWorker = Callable[..., Program]


@pytest.fixture(scope="module")
def ground(world: World) -> World:
    """The module's namespace, ready for workers."""
    world.lay_ground()
    return world


@pytest.fixture
async def lab(ground: World) -> AsyncIterator[Lab]:
    """The doors' side of the namespace."""
    lab = Lab(ground.settings("lab"))
    assert lab.keys.wait_until_current(20)
    yield lab
    await lab.close()


@pytest.fixture(scope="module")
def worker(ground: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """One worker for all tests of a module that need no more of it than to work."""
    env = {**ground.env, "WORKER_SLOT": "0"}
    with running(Program(["processors", "variants"], env, tmp_path_factory.mktemp("worker"))) as (program,):
        yield program.wait_ready()


@pytest.fixture
def start_worker(ground: World, tmp_path: Path) -> Iterator[StartWorker]:
    """Starts a worker that is ready when it returns; failpoints and settings by keyword."""
    programs: list[Program] = []

    def start(slot: int = 0, *, ready: bool = True, **settings: str) -> Program:
        env = {**ground.env, "WORKER_SLOT": str(slot), **settings}
        program = Program(["processors", "variants"], env, tmp_path / f"slot-{slot}")
        programs.append(program)
        return program.wait_ready() if ready else program

    yield start
    for program in programs:
        program.stop()

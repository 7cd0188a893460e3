"""A namespace with fleets of workers and projectors, load before them, and a checker behind them.

RIG_SEED repeats a run's random choices; RIG_SECONDS makes each storm that long; RIG_HISTORY keeps histories.
"""

import os
import random
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.programs import Program
from tests.rig.checker import assert_none, violations
from tests.rig.doors import HttpDoor, LogDoor
from tests.rig.evidence import Allowed, Evidence
from tests.rig.fleet import Fleet
from tests.rig.gathering import Gathering
from tests.rig.history import History
from tests.rig.load import Load
from tests.rig.proxy import Proxy
from tests.rig.report import report
from tests.rig.storms import Storm
from tests.servers import World

SESSION_SECONDS = 6.0


@pytest.fixture(scope="module")
def ground(world: World) -> World:
    """The module's namespace, ready for workers."""
    world.lay_ground()
    return world


@pytest.fixture(scope="module")
def seed() -> int:
    """The run's seed; the history's name holds it, and a failure names the history."""
    return int(os.environ.get("RIG_SEED", random.randrange(10**6)))


Brew = Callable[[int], Storm]


@pytest.fixture
def storm(seed: int) -> Brew:
    """Makes a storm of at least so many strikes; it lasts for RIG_SECONDS."""

    def brew(strikes: int) -> Storm:
        return Storm(
            chance=random.Random(seed),
            strikes=strikes,
            seconds=float(os.environ.get("RIG_SECONDS", "0")),
        )

    return brew


@pytest.fixture(scope="module")
def history(ground: World, seed: int, request: pytest.FixtureRequest) -> Iterator[History]:
    """One history for all runs of a module, as they share a log: each is held to everything before it."""
    folder = Path(os.environ.get("RIG_HISTORY", ground.folder))
    with History(folder / f"{request.path.stem}-seed-{seed}.jsonl", seed=seed) as history:
        yield history


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One run: who works, who uploads, who looks."""

    world: World
    history: History
    workers: Fleet
    projectors: Fleet
    store_wire: Proxy
    load: Load
    gathering: Gathering

    async def end(self, allowed: Allowed = Allowed(), seconds: float = 90.0) -> Evidence:  # noqa: B008
        """Waits until all is done and holds the checker to it; gives what there was to see."""
        try:
            await self.gathering.settled(seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.workers.output()}\n{self.projectors.output()}") from None
        evidence = await self.gathering.evidence(allowed)
        found = violations(evidence)
        print(report(evidence, self.history, found))
        assert_none(found, history=self.history.file)
        assert self.workers.casualties + self.projectors.casualties == []
        return evidence


@pytest.fixture
def store_wire(ground: World, seed: int) -> Iterator[Proxy]:
    """The wire between workers and the object store."""
    with Proxy(address_of(ground.env["S3_ENDPOINT"]), seed=seed) as proxy:
        yield proxy


@pytest.fixture
def broker_wire(ground: World, seed: int) -> Iterator[Proxy]:
    """The wire between the broker and whoever is given its address."""
    with Proxy(address_of(ground.env["KAFKA_BOOTSTRAP_SERVERS"]), seed=seed, broker=True) as proxy:
        yield proxy


def address_of(url: str) -> tuple[str, int]:
    """Host and port of a server."""
    parts = urlsplit(url if "//" in url else f"//{url}")
    assert parts.hostname is not None
    assert parts.port is not None
    return parts.hostname, parts.port


@pytest.fixture
def workers(ground: World, history: History, store_wire: Proxy, tmp_path: Path) -> Iterator[Fleet]:
    """Workers by their slots; none runs until it is started."""

    def make(slot: int, settings: Mapping[str, str]) -> Program:
        own = {
            "WORKER_SLOT": str(slot),
            "WORKER_SESSION": f"{SESSION_SECONDS:g}s",
            "S3_ENDPOINT": f"http://{store_wire.address}",
        }
        env = {**ground.env, **own, **settings}
        return Program(["processors", "variants"], env, tmp_path / f"worker-{slot}")

    fleet = Fleet(make, history, name="worker")
    yield fleet
    fleet.close()


@pytest.fixture
def projectors(ground: World, history: History, tmp_path: Path) -> Iterator[Fleet]:
    """Projectors by number; none runs until it is started."""

    def make(number: int, settings: Mapping[str, str]) -> Program:
        return Program(["projections"], {**ground.env, **settings}, tmp_path / f"projector-{number}")

    fleet = Fleet(make, history, name="projector")
    yield fleet
    fleet.close()


@pytest.fixture
async def scene(
    ground: World,
    history: History,
    workers: Fleet,
    projectors: Fleet,
    store_wire: Proxy,
    request: pytest.FixtureRequest,
) -> AsyncIterator[Scene]:
    """Everything together. Rows are looked at where the test is marked by the fixture `projected`."""
    settings = ground.settings("rig")
    door = LogDoor(settings)
    projected = "projected" in request.fixturenames
    yield Scene(
        world=ground,
        history=history,
        workers=workers,
        projectors=projectors,
        store_wire=store_wire,
        load=Load(door, history),
        gathering=Gathering(settings, history, projected=projected),
    )
    await door.close()


@pytest.fixture
def projected() -> None:
    """The run has projectors, and its rows are held against its log."""


@pytest.fixture
def api(ground: World, history: History, tmp_path: Path) -> Iterator[Fleet]:
    """The doors; none is open until it is started."""

    def make(number: int, settings: Mapping[str, str]) -> Program:
        return Program(["api"], {**ground.env, **settings}, tmp_path / f"api-{number}")

    fleet = Fleet(make, history, name="api")
    yield fleet
    fleet.close()


PROGRAMS = (
    ("api",),
    ("processors", "variants"),
    ("processors", "variants", "--lane", "bulk"),
    ("projections",),
    ("processors", "purge"),
    ("ops", "erasures", "run"),
    ("ops", "housekeeping", "run"),
)
"""All that run for ever, as `make up` starts them."""


@pytest.fixture
def everybody(ground: World, history: History, tmp_path: Path) -> Iterator[Fleet]:
    """One of each of PROGRAMS, numbered like these; none runs until it is started."""

    def make(number: int, settings: Mapping[str, str]) -> Program:
        own = {"WORKER_SLOT": "0", "WORKER_SESSION": f"{SESSION_SECONDS:g}s", "WORKER_CHILDREN": "1"}
        env = {**ground.env, **own, **settings}
        return Program(PROGRAMS[number], env, tmp_path / f"program-{number}")

    fleet = Fleet(make, history, name="program")
    yield fleet
    fleet.close()


@pytest.fixture
async def outside(scene: Scene) -> AsyncIterator[Scene]:
    """The same scene with an owner's uploads as its load."""
    key = scene.world.env["API_KEYS"].split(":")[0]
    door = HttpDoor(scene.world.env["DARKROOM_URL"], key)
    yield replace(scene, load=Load(door, scene.history))
    await door.close()

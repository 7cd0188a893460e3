"""Fixtures that every level shares: the real servers of a run, and a module's own namespace on them."""

import platform
from collections.abc import Iterator

import hypothesis
import pytest
import structlog

from ops.stack.jars import BUNDLES
from tests.scheduling import HeaviestFirst
from tests.servers import Servers, World, running_servers

# Its own limit is 200 ms an example, which a busy machine takes at times.
hypothesis.settings.register_profile("ours", deadline=None)
hypothesis.settings.load_profile("ours")


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """Kafka, registry, store and Postgres: started once, when the first test asks."""
    with running_servers() as servers:
        yield servers


@pytest.fixture(scope="module")
def world(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> World:
    """A namespace of the module's own; call `world.lay_ground()` for topics, schemas, tables and presets."""
    return World(servers=servers, env=servers.environment(), folder=tmp_path_factory.mktemp("world"))


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """A command of ours that a test calls sets up logging for its process, which is also the next test's."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever asks for servers carries their mark, so that `-m 'not servers'` is quick."""
    for item in items:
        if "servers" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.servers)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> HeaviestFirst | None:
    """`--dist loadfile` in an order of ours."""
    return HeaviestFirst(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_report_header() -> str:
    """Which server versions the tests meet."""
    versions = ", ".join(f"{bundle.name} {bundle.version}" for bundle in BUNDLES)
    return f"servers: {versions}, postgres 18; python {platform.python_version()} on {platform.machine()}"

"""Two doors and a projector on one world: what one is told the other knows."""

from collections.abc import Iterator

import pytest

from tests.integration.identity.running import RunningIdentity, open_identity
from tests.servers import Servers, World


@pytest.fixture(scope="session")
def identity(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningIdentity]:
    """Opened once for all tests of this folder; they use addresses of their own."""
    world = World(servers=servers, env=servers.environment(), folder=tmp_path_factory.mktemp("identity"))
    with open_identity(world) as opened:
        yield opened


@pytest.fixture(autouse=True)
def recovered(identity: RunningIdentity) -> None:
    """Other modules of this process stop the servers: what stands on them gets the time to come back."""
    identity.wait_ready()

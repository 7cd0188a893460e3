"""Two doors and a projector on one world: what one is told the other knows."""

from collections.abc import Iterator

import pytest

from tests.integration.identity.running import RunningIdentity, open_identity
from tests.servers import World


@pytest.fixture(scope="module")
def identity(world: World) -> Iterator[RunningIdentity]:
    """Opened once a module; tests use addresses of their own."""
    with open_identity(world) as opened:
        yield opened

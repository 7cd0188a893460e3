"""The doors and the projector as processes on real servers."""

from collections.abc import Iterator

import pytest

from tests.integration.api.running import RunningDoors, open_doors
from tests.servers import World


@pytest.fixture(scope="module")
def doors(world: World) -> Iterator[RunningDoors]:
    """Opened once a module, with two owners (ada, ben)."""
    with open_doors(world) as opened:
        yield opened

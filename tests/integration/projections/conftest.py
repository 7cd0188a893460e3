"""What tests of the projector share: a database with the read models in it, folded by hand."""

from collections.abc import Iterator

import pytest

from tests.integration.projections.rows import HandFolded, prepare
from tests.integration.projections.stories import Stories
from tests.servers import World

PARTITIONS = 4


@pytest.fixture
def stories() -> Stories:
    return Stories()


@pytest.fixture
def folded(world: World, stories: Stories) -> Iterator[HandFolded]:
    """Empty read models in a database of the test's own."""
    settings = world.settings("folded", DATABASE_URL=world.servers.new_database())
    prepare(settings)
    models = HandFolded(settings, stories.keys, PARTITIONS)
    yield models
    models.close()

"""What tests of the projector share: a database with the read models in it, folded by hand."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from adapters.settings import Settings
from tests.integration.projections.live import LiveLog
from tests.integration.projections.releases import Stage
from tests.integration.projections.rows import HandFolded, prepare
from tests.servers import World
from tests.unit.projections.stories import Stories

PARTITIONS = 4


@pytest.fixture
def stories() -> Stories:
    return Stories()


@pytest.fixture(scope="module")
def live(world: World) -> Iterator[LiveLog]:
    """A log with its ground laid, and somebody who writes to it."""
    world.lay_ground()
    live = LiveLog(world)
    yield live
    live.close()


@pytest.fixture(scope="module")
def database(world: World) -> Settings:
    """Settings of a database with our tables in it."""
    settings = world.settings("folded", DATABASE_URL=world.servers.new_database())
    prepare(settings)
    return settings


@pytest.fixture
def folded(database: Settings, stories: Stories) -> Iterator[HandFolded]:
    """Empty read models."""
    models = HandFolded(database, stories.keys, PARTITIONS)
    models.begin_anew()
    yield models
    models.close()


@pytest.fixture(scope="module")
def place_of_two(world: World) -> Settings:
    """Settings of a database for two releases."""
    settings = world.settings("beside", DATABASE_URL=world.servers.new_database())
    prepare(settings)
    return settings


@pytest.fixture
def stage(place_of_two: Settings) -> Iterator[Stage]:
    """Two releases over one log, nothing told yet."""
    with closing(Stage(place_of_two)) as stage:
        yield stage

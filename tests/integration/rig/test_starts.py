"""Who starts first, and who at the same time: everything is made once, and everybody finds it."""

import httpx
import pytest

from adapters.read_store import migrate
from ops import topics
from schemas.catalogue import CATALOGUE
from tests.programs import PLAIN, Program
from tests.servers import World

GROUNDS = 3


@pytest.mark.timeout(240)
def test_grounds_that_are_laid_at_once_do_not_meet(world: World) -> None:
    """R25: topics, schemas and tables are made once; who comes late finds them."""
    grounds = [
        Program(["ops", "ground"], world.env, world.folder / f"ground-{number}") for number in range(GROUNDS)
    ]
    said = {ground.process.wait(120): ground.output() for ground in grounds}
    assert set(said) == {0}, said
    settings = world.settings()
    assert (topics.apply(settings), migrate(settings)) == ([], ())
    for row in CATALOGUE:
        subject = row.subject(settings.kafka.topics)
        versions = httpx.get(f"{settings.registry.url}/subjects/{subject}/versions", verify=PLAIN).json()
        assert len(versions) == row.newest

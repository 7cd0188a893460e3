"""When the process is told to stop, and what it does then."""

import asyncio
import resource
from collections.abc import Iterator

import pytest

from api.serving import Ending, listen, serve
from tests.unit.api.doors import stage


@pytest.fixture(autouse=True)
def descriptors() -> Iterator[None]:
    """Who serves takes all that the process may have; other tests find as many as before."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


async def test_who_is_told_to_stop_while_it_opens_does_not_serve_on() -> None:
    ending = Ending()
    ending.told()
    async with stage(PORT="0", API_SHUTDOWN_GRACE="1") as on, asyncio.timeout(10):
        await serve(on.doors, on.settings.doors, listen(on.settings.doors), ending)
        assert on.doors.probes.draining


async def test_who_is_told_later_ends_then() -> None:
    ending = Ending()
    async with stage(PORT="0", API_SHUTDOWN_GRACE="1") as on, asyncio.timeout(10):
        serving = asyncio.create_task(serve(on.doors, on.settings.doors, listen(on.settings.doors), ending))
        await asyncio.sleep(0.2)
        assert not serving.done()
        ending.told()
        await serving

"""The stage that most tests of the doors play on."""

from collections.abc import AsyncIterator

import pytest

from tests.unit.api.doors import Stage, stage


@pytest.fixture
async def on() -> AsyncIterator[Stage]:
    async with stage() as made:
        yield made

"""When issued keys were last used, kept in Postgres as in the in-memory twin."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from adapters.event_log import InMemoryEventLog
from adapters.migrating import migrate
from adapters.read_store import async_pool, conninfo
from adapters.subject_keys import InMemorySubjectKeys
from api.credentials.key_uses import KeyUse
from api.queries.accounts import Accounts, PostgresAccounts
from projections.waiting import PositionWatch
from tests.servers import World
from tests.unit.api.fake_accounts import FakeAccounts

NOW = datetime(2026, 5, 17, 8, 9, 10, tzinfo=UTC)


@pytest.fixture(params=["postgres", "memory"])
async def accounts(request: pytest.FixtureRequest) -> AsyncIterator[Accounts]:
    if request.param == "memory":
        yield FakeAccounts(InMemoryEventLog(), InMemorySubjectKeys())
        return
    world: World = request.getfixturevalue("world")
    settings = world.settings()
    migrate(settings)
    async with async_pool(settings) as pool:
        watch = PositionWatch(conninfo(settings, "test"))
        yield PostgresAccounts(pool, watch, settings.kafka.topics.identity, settings.kafka.partitions)


async def test_the_latest_use_counts_whoever_writes_last(accounts: Accounts) -> None:
    one, other, user = uuid4(), uuid4(), uuid4()
    later = NOW + timedelta(minutes=1)
    await accounts.note_key_uses(
        [KeyUse(key_id=one, user_id=user, at=later), KeyUse(key_id=other, user_id=user, at=NOW)]
    )
    await accounts.note_key_uses([KeyUse(key_id=one, user_id=user, at=NOW)])
    assert await accounts.key_uses([one, other, uuid4()]) == {one: later, other: NOW}

"""The ledger, as Postgres sums it: by owner, asset, day and set of presets, of one owner or of all."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from psycopg import AsyncConnection

from adapters.settings import Settings
from projections.usage.queries import GROUPS, UsageFilter, UsageRow, usage
from tests.integration.projections.rows import HandFolded
from tests.unit.projections.stories import PlainLog, Stories


@pytest.fixture
async def conn(database: Settings, folded: HandFolded) -> AsyncIterator[AsyncConnection[Any]]:
    del folded  # empties the tables first
    address = database.postgres.url.get_secret_value()
    async with await AsyncConnection.connect(address, autocommit=True) as made:
        yield made


def sums(row: UsageRow) -> tuple[int, int, int, int, int]:
    return row.jobs, row.cpu_ms, row.wall_ms, row.bytes_read, row.bytes_written


async def test_what_work_has_cost_is_summed_by_what_is_asked_for(
    folded: HandFolded, stories: Stories, conn: AsyncConnection[Any]
) -> None:
    ada, ben, log = await stories.owner("ada"), await stories.owner("ben"), PlainLog(4)
    for asset, owner in (("sea", ada), ("sky", ada), ("hill", ben)):
        log.append(*stories.whole(asset, owner))
    again = stories.ready("sea", ada)
    log.append(again)  # a result that comes again costs nothing more
    folded.apply(list(log.records()))
    cost, day = again.cost, again.occurred_at.date()
    each = (cost.cpu_ms, cost.wall_ms, cost.bytes_read, cost.bytes_written)
    assert all(each)

    def times(count: int) -> tuple[int, ...]:
        return (count, *(count * figure for figure in each))

    (total,) = await usage(conn, UsageFilter(), by=frozenset(), limit=9)
    assert sums(total) == times(3)
    assert (total.owner_id, total.asset_id, total.preset_set, total.day) == (None, None, None, None)
    owners = await usage(conn, UsageFilter(), by={"owner"}, limit=9)
    assert {row.owner_id: sums(row) for row in owners} == {ada: times(2), ben: times(1)}
    assert [row.owner_id for row in owners] == [ada, ben], "the dearest first"
    assets = await usage(conn, UsageFilter(owner_id=ada), by={"asset"}, limit=9)
    assert {row.asset_id for row in assets} == {stories.asset_id("sea"), stories.asset_id("sky")}
    (full,) = await usage(
        conn, UsageFilter(asset_id=stories.asset_id("sea"), since=day, until=day), by=set(GROUPS), limit=9
    )
    assert (full.owner_id, full.preset_set, full.day) == (ada, again.preset_set, day)
    assert sums(full) == times(1)
    assert len(await usage(conn, UsageFilter(), by={"asset"}, limit=2)) == 2
    assert await usage(conn, UsageFilter(until=day.replace(year=1999)), by=frozenset(), limit=9) == []

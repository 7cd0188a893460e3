"""Room and bytes: quotas and contents in Postgres do as the in-memory twins do (U08)."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql

from adapters.clock import FixedClock
from adapters.read_store import Pool, async_pool
from adapters.settings import QuotaSettings, Settings
from api.quota import InMemoryQuotas, PostgresQuotas, Quotas, Used
from api.quota.contents import Contents, Holder, InMemoryContents, PostgresContents
from api.quota.protocol import NoRoom, TooManyUnderWay
from ops.housekeeping.chore import Tools
from ops.housekeeping.forgetting import HEARD_WITHIN, KEYS_KEPT, forgotten
from schemas.positions import Position
from tests.integration.projections.rows import prepare
from tests.servers import World
from tests.unit.ops.housekeeping.conftest import tools as unit_tools

tools = unit_tools
NOW = datetime(2026, 5, 17, 8, 9, 10, tzinfo=UTC)
SOFT = (
    "quota_reservations",
    "contents",
    "idempotency",
    "key_uses",
    "stream_tickets",
    "stream_holders",
    "rate_limits",
)
AT = Position(topic="darkroom.assets.v1", partition=1, offset=7)


@pytest.fixture(scope="module")
def prepared(world: World) -> Settings:
    settings = world.settings()
    prepare(settings)
    return settings


@pytest.fixture
async def pool(prepared: Settings) -> AsyncIterator[Pool]:
    async with async_pool(prepared) as pool:
        async with pool.connection() as conn:
            for table in (*(f"api.{name}" for name in SOFT), "live.assets", "live.activity"):
                await conn.execute(sql.SQL("delete from {}").format(sql.Identifier(*table.split("."))))
        yield pool


@dataclass(frozen=True)
class Ground:
    """Bounds of five files, 100 bytes and three under way, over whichever store it is."""

    quotas: Quotas
    clock: FixedClock
    pool: Pool | None
    known: dict[UUID, Used]

    async def hear(self, owner_id: UUID, asset_id: UUID, size: int) -> None:
        """The read models know an upload that is under way."""
        self.known[asset_id] = Used(bytes=size, files=1, uploads=1)
        if self.pool is not None:
            async with self.pool.connection() as conn:
                await conn.execute(_ASSET, _asset(owner_id, asset_id, size))
                await conn.execute(_HEARD, _heard(owner_id, asset_id))


BOUNDS = QuotaSettings.model_validate({"QUOTA_BYTES": "100", "QUOTA_FILES": "5", "UPLOADS_IN_FLIGHT": "3"})


@pytest.fixture(params=["postgres", "in memory"])
def ground(request: pytest.FixtureRequest) -> Ground:
    clock, known = FixedClock(NOW), dict[UUID, Used]()
    if request.param == "in memory":
        quotas = InMemoryQuotas(
            BOUNDS, counted=lambda _: sum(known.values(), start=Used()), heard=lambda asset: asset in known
        )
        return Ground(quotas, clock, None, known)
    pool: Pool = request.getfixturevalue("pool")
    return Ground(PostgresQuotas(pool, BOUNDS, clock), clock, pool, known)


async def test_u08_room_is_promised_to_the_last_byte(ground: Ground) -> None:
    owner = uuid4()
    await ground.quotas.reserve(owner, uuid4(), 60)
    with pytest.raises(NoRoom) as refused:
        await ground.quotas.reserve(owner, uuid4(), 41)
    room = refused.value.room
    assert (room.bytes, room.files, room.uploads) == (40, 4, 2)
    await ground.quotas.reserve(owner, uuid4(), 40)
    await ground.quotas.reserve(uuid4(), uuid4(), 100)


async def test_u08_of_fifty_at_once_as_many_get_room_as_there_is(ground: Ground) -> None:
    owner = uuid4()

    async def asked() -> bool:
        try:
            await ground.quotas.reserve(owner, uuid4(), 1)
        except TooManyUnderWay:
            return False
        return True

    assert sum(await asyncio.gather(*(asked() for _ in range(50)))) == 3


async def test_asked_again_it_is_the_same_promise(ground: Ground) -> None:
    owner, asset = uuid4(), uuid4()
    for _ in range(5):
        await ground.quotas.reserve(owner, asset, 100)
    with pytest.raises(NoRoom):
        await ground.quotas.reserve(owner, uuid4(), 1)


async def test_a_promise_taken_back_leaves_its_room(ground: Ground) -> None:
    owner, asset = uuid4(), uuid4()
    await ground.quotas.reserve(owner, asset, 100)
    await ground.quotas.release(asset)
    await ground.quotas.reserve(owner, uuid4(), 100)


async def test_one_promise_takes_the_place_of_another(ground: Ground) -> None:
    owner, place = uuid4(), uuid4()
    await ground.quotas.reserve(owner, uuid4(), 10)
    await ground.quotas.reserve(owner, uuid4(), 10)
    await ground.quotas.reserve(owner, place, 0)
    await ground.quotas.reserve(owner, uuid4(), 80, instead_of=place)
    with pytest.raises(NoRoom) as refused:
        await ground.quotas.reserve(owner, uuid4(), 0)
    assert (refused.value.room.bytes, refused.value.room.files) == (0, 2)


async def test_what_the_read_models_count_is_promised_no_more(ground: Ground) -> None:
    owner, asset = uuid4(), uuid4()
    await ground.quotas.reserve(owner, asset, 60)
    await ground.hear(owner, asset, 60)
    with pytest.raises(NoRoom) as refused:
        await ground.quotas.reserve(owner, uuid4(), 41)
    assert (refused.value.room.bytes, refused.value.room.uploads) == (40, 2)
    await ground.quotas.reserve(owner, asset, 60)  # known: it needs nothing


async def test_without_bounds_nothing_is_asked() -> None:
    def never(*_: object) -> Any:
        raise AssertionError("asked")

    quotas = PostgresQuotas(never, QuotaSettings(), FixedClock(NOW))  # type: ignore[arg-type] # no pool at all
    await quotas.reserve(uuid4(), uuid4(), 10**15)
    await quotas.release(uuid4())


@pytest.fixture(params=["postgres", "in memory"])
def contents(request: pytest.FixtureRequest) -> Contents:
    if request.param == "in memory":
        return InMemoryContents()
    return PostgresContents(request.getfixturevalue("pool"))


async def test_the_last_completion_with_some_bytes_is_found_by_each_digest(contents: Contents) -> None:
    ada, first, second = uuid4(), uuid4(), uuid4()
    await contents.note(ada, (b"a", b"b"), Holder(asset_id=first, position=AT))
    later = Holder(asset_id=second, position=replace(AT, offset=8))
    await contents.note(ada, (b"b", b"c"), later, until=NOW)
    found = await contents.find(ada, (b"a", b"b", b"c", b"d"))
    assert {digest: holder.asset_id for digest, holder in found.items()} == {
        b"a": first,
        b"b": second,
        b"c": second,
    }
    assert found[b"b"] == later
    assert await contents.find(uuid4(), (b"a",)) == {}
    assert await contents.find(ada, ()) == {}


async def test_of_many_that_are_noted_at_once_one_is_found(contents: Contents) -> None:
    ada, holders = uuid4(), [Holder(asset_id=uuid4(), position=AT) for _ in range(10)]
    await asyncio.gather(*(contents.note(ada, (b"a", b"b"), holder) for holder in holders))
    found = await contents.find(ada, (b"a", b"b"))
    assert found[b"a"] in holders
    assert found[b"b"] in holders


async def test_without_a_database_nothing_is_known_and_nothing_is_raised() -> None:
    down = InMemoryContents(down=True)
    away = PostgresContents(_Away())  # type: ignore[arg-type] # all that it uses of a pool
    for contents in (down, away):
        await contents.note(uuid4(), (b"a",), Holder(asset_id=uuid4(), position=AT))
        assert await contents.find(uuid4(), (b"a",)) == {}


class _Away:
    def connection(self) -> Any:
        raise psycopg.OperationalError("away")


async def test_what_soft_state_says_no_more_is_forgotten(
    pool: Pool, prepared: Settings, tools: Tools
) -> None:
    """Every table of the schema that grows, in bites; and what still says something stays."""
    kept, gone = uuid4(), uuid4()
    await _litter(pool, kept, gone)
    address = prepared.postgres.url.get_secret_value()
    there = replace(tools, clock=FixedClock(NOW), connect=lambda: psycopg.connect(address, autocommit=True))
    done = await asyncio.to_thread(lambda: forgotten(there, at_once=3))
    assert dict(done) == {
        "idempotency": 7,
        "quota_reservations": 7,
        "contents": 14,
        "key_uses": 7,
        "stream_tickets": 14,
        "stream_holders": 7,
        "rate_limits": 7,
    }
    assert set((await asyncio.to_thread(lambda: forgotten(there))).values()) == {0}
    async with pool.connection() as conn:
        left = await (await conn.execute("select asset_id, count(*) from api.contents group by 1")).fetchall()
    assert dict(left) == {kept: 14, gone: 7}


async def test_every_table_of_the_doors_is_pruned_or_is_known_not_to_grow(pool: Pool) -> None:
    """Whoever adds a table to the schema `api` says here what bounds it."""
    bounded = {"retired_sets", "stream_places"}  # by what is being retired now; by its holders
    async with pool.connection() as conn:
        found = await conn.execute(
            "select table_name from information_schema.tables where table_schema = 'api'"
        )
        assert {name for (name,) in await found.fetchall()} == bounded | set(SOFT)


async def _litter(pool: Pool, kept: UUID, gone: UUID) -> None:
    """Seven of each row that is over, and of each that is not; one asset is there, the other is not."""
    old, fresh = NOW - HEARD_WITHIN - timedelta(minutes=1), NOW - timedelta(minutes=1)
    async with pool.connection() as conn:
        await conn.execute(_ASSET, _asset(uuid4(), kept, 1))
        for n in range(7):
            for until in (NOW - timedelta(seconds=1), NOW + timedelta(seconds=1)):
                await conn.execute(_ROWS["reservation"], (uuid4(), uuid4(), until))
            holders: list[tuple[UUID, datetime, datetime | None]] = [
                (kept, old, None),
                (gone, old, None),
                (gone, fresh, None),
                (kept, old, NOW - timedelta(seconds=1)),
                (kept, old, NOW + timedelta(seconds=1)),
            ]
            for asset, noted, ends in holders:
                await conn.execute(_ROWS["content"], (uuid4(), b"%d" % n, asset, AT.token(), noted, ends))
            for created in (NOW - KEYS_KEPT - timedelta(seconds=1), NOW - KEYS_KEPT + timedelta(seconds=1)):
                await conn.execute(_ROWS["key"], (uuid4().bytes, b"", created))
            for at in (old, fresh):
                await conn.execute(_ROWS["use"], (uuid4(), uuid4(), at))
                await conn.execute(_ROWS["holder"], (uuid4(), at))
                await conn.execute(_ROWS["ticket"], (uuid4().bytes, b"", at))
                await conn.execute(_ROWS["rate"], (uuid4().bytes, at.timestamp()))
            await conn.execute(_ROWS["ticket"], (uuid4().bytes, b"", NOW + timedelta(seconds=1)))


_ROWS = {
    "reservation": b"insert into api.quota_reservations (asset_id, owner_id, bytes, until)"
    b" values (%s, %s, 1, %s)",
    "content": b"insert into api.contents (owner_id, digest, asset_id, position, noted_at, until)"
    b" values (%s, %s, %s, %s, %s, %s)",
    "key": b"insert into api.idempotency (scope, request_hash, created_at) values (%s, %s, %s)",
    "use": b"insert into api.key_uses (key_id, user_id, last_used_at) values (%s, %s, %s)",
    "holder": b"insert into api.stream_holders (holder, until) values (%s, %s)",
    "ticket": b"insert into api.stream_tickets (digest, sealed, expires_at) values (%s, %s, %s)",
    "rate": b"insert into api.rate_limits (scope, full_at, granted) values (%s, %s, 0)",
}
_ASSET = b"""
insert into live.assets (asset_id, owner_id, status, tags, size, requested_at, listed_at, expires_at, doomed,
    incoming_key, variants, kept, search, version, position_partition, position_offset)
values (%(asset)s, %(owner)s, 'requested', '{}', %(size)s, %(now)s, %(now)s, %(later)s, false,
    'x', '[]', '[]', '{}', 1, 0, 0)
"""
_HEARD = b"""
insert into live.activity (topic, partition, "offset", event_id, event_type, asset_id, owner_id, accepted,
    occurred_at, log_time, data)
values ('x', 0, (select count(*) from live.activity), %(event)s, 'UploadRequested', %(asset)s, %(owner)s,
    true, %(now)s, %(now)s, '{}')
"""


def _asset(owner_id: UUID, asset_id: UUID, size: int) -> dict[str, Any]:
    later = NOW + timedelta(minutes=15)
    return {"owner": owner_id, "asset": asset_id, "size": size, "now": NOW, "later": later}


def _heard(owner_id: UUID, asset_id: UUID) -> dict[str, Any]:
    return {"event": uuid4(), "owner": owner_id, "asset": asset_id, "now": NOW}

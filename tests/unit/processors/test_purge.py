"""The purge worker: what it removes, when, and what becomes of a record that it can't settle."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from adapters.clock import FixedClock
from adapters.failpoints import Failpoints
from adapters.object_store import InMemoryObjectStore, StoreUnavailable
from adapters.object_store.protocol import ObjectInfo
from processors.interruptible import Interruptible
from processors.purge.first_look import FirstLook, Overheard
from processors.purge.reactor import Parts, PurgeReactor
from processors.retries import Retries
from schemas.envelope import RawRecord
from schemas.events import AssetPurged
from tests.unit.processors.worlds import OWNER, Left, World, leave

ASSET = UUID(int=5)
INCOMING = "incoming/1/abc"
ORIGINAL = f"assets/{ASSET}/original/n"
VARIANT = f"assets/{ASSET}/variants/n/s/large.jpg"
ANOTHERS = f"assets/{UUID(int=6)}/original/n"
LONGEST = timedelta(seconds=90)
SAID = datetime(2026, 5, 1, 12, tzinfo=UTC)


@dataclass
class Store(InMemoryObjectStore):
    """Notes what was deleted, in order, and fails as often as told."""

    deleted: list[list[str]] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    emptied: asyncio.Event = field(default_factory=asyncio.Event)

    async def delete(self, keys: object) -> None:
        if self.failures:
            raise self.failures.pop(0)
        assert isinstance(keys, list)
        self.deleted.append(keys)
        await super().delete(keys)
        if [info.key async for info in self.list("")] == [ANOTHERS]:
            self.emptied.set()


@pytest.fixture
def world() -> World:
    return World(clock=FixedClock(SAID + LONGEST))


@pytest.fixture
async def store() -> Store:
    store = Store()
    for key in (ORIGINAL, VARIANT, INCOMING, ANOTHERS):
        await store.put(key, b"bytes", content_type="image/jpeg")
    return store


def reactor_of(world: World, store: Store) -> PurgeReactor:
    parts = Parts(
        store=store,
        codec=world.log.codec,
        letters=world.dead_letters,
        journal=world.journal,
        clock=world.clock,
        failpoints=Failpoints(),
        retries=lambda: Retries(budget=0.2, retried=world.journal.retried),
        limit=world.limit,
        longest_job=LONGEST,
        leave=leave,
    )
    return PurgeReactor(parts)


def purge() -> AssetPurged:
    return AssetPurged(
        event_id=uuid4(),
        occurred_at=SAID,
        asset_id=ASSET,
        owner_id=OWNER,
        actor_id=OWNER,
        code="erased",
        incoming_key=INCOMING,
    )


async def recorded(world: World, event: AssetPurged | None = None) -> RawRecord:
    record = await world.appended(event or purge())
    return replace(record, timestamp_ms=round(SAID.timestamp() * 1000))


async def keys(store: InMemoryObjectStore) -> set[str]:
    return {info.key async for info in store.list("")}


async def test_the_original_goes_first_and_nothing_of_the_asset_stays(world: World, store: Store) -> None:
    reactor = reactor_of(world, store)
    assert await reactor.take(await recorded(world), Interruptible())
    assert await keys(store) == {ANOTHERS}
    assert store.deleted == [[ORIGINAL], [VARIANT, INCOMING]]
    assert world.metrics.registry.get_sample_value("darkroom_worker_purged_objects_total") == 3


async def test_what_a_worker_wrote_while_the_original_went_goes_too(world: World) -> None:
    class Late(Store):
        async def delete(self, keys: object) -> None:
            await super().delete(keys)
            if keys == [ORIGINAL]:
                await self.put(f"{VARIANT}.late", b"late", content_type="image/jpeg")

    store = Late()
    await store.put(ORIGINAL, b"bytes", content_type="image/jpeg")
    assert await reactor_of(world, store).take(await recorded(world), Interruptible())
    assert await keys(store) == set()


async def test_it_waits_until_the_longest_job_is_over(world: World, store: Store) -> None:
    world.clock = FixedClock(SAID)
    reactor, work = reactor_of(world, store), Interruptible()
    taken = asyncio.create_task(reactor.take(await recorded(world), work))
    await asyncio.sleep(0.05)
    assert (taken.done(), reactor.in_hand, store.deleted) == (False, 1, [])
    await reactor.drain()
    assert not await taken
    assert reactor.in_hand == 0
    assert not await reactor.take(await recorded(world), Interruptible())


async def test_what_says_nothing_of_a_purge_is_passed_unread(world: World, store: Store) -> None:
    request = await world.appended(await world.request())
    reactor = reactor_of(world, store)
    assert await reactor.take(replace(request, value=b"unreadable"), Interruptible())
    assert await reactor.take(replace(request, headers=()), Interruptible())
    assert await reactor.take(replace(request, headers=(), value=b"unreadable"), Interruptible())
    assert (store.deleted, world.dead_letters.letters) == ([], [])
    passing = [reactor.passes(record) for record in (request, replace(request, headers=()))]
    assert passing == [True, False]


async def test_a_purge_without_headers_is_one_all_the_same(world: World, store: Store) -> None:
    record = replace(await recorded(world), headers=())
    assert await reactor_of(world, store).take(record, Interruptible())
    assert await keys(store) == {ANOTHERS}


async def test_a_purge_that_cant_be_read_is_set_aside(world: World, store: Store) -> None:
    record = replace(await recorded(world), value=b"\0\0\0\0\1")
    assert await reactor_of(world, store).take(record, Interruptible())
    (letter,) = world.dead_letters.letters
    assert (letter.reason.component, letter.reason.error_kind) == ("purge", "undecodable")


async def test_an_outage_is_retried_and_then_set_aside(world: World, store: Store) -> None:
    store.failures = [StoreUnavailable("503")]
    assert await reactor_of(world, store).take(await recorded(world), Interruptible())
    assert await keys(store) == {ANOTHERS}
    store.failures = [StoreUnavailable("503")] * 50
    await store.put(ORIGINAL, b"bytes", content_type="image/jpeg")
    assert await reactor_of(world, store).take(await recorded(world), Interruptible())
    (letter,) = world.dead_letters.letters
    assert (letter.reason.error_kind, letter.reason.code) == ("unavailable", "store_unavailable")


async def test_a_bug_has_three_attempts(world: World, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("processors.purge.reactor._PAUSE_AFTER_A_BUG", 0.0)
    store.failures = [ValueError("a bug")] * 2
    assert await reactor_of(world, store).take(await recorded(world), Interruptible())
    assert world.dead_letters.letters == []
    await store.put(ORIGINAL, b"bytes", content_type="image/jpeg")
    store.failures = [ValueError("a bug")] * 3
    assert await reactor_of(world, store).take(await recorded(world), Interruptible())
    (letter,) = world.dead_letters.letters
    assert (letter.reason.error_kind, letter.reason.attempts) == ("internal", 3)


async def test_without_dead_letters_the_process_leaves(
    world: World, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("processors.purge.reactor.PATIENCE_SECONDS", 0.1)
    world.dead_letters.failing = True
    record = replace(await recorded(world), value=b"\0\0\0\0\1")
    with pytest.raises(Left):
        await reactor_of(world, store).take(record, Interruptible())


class OneRead:
    """A tail that reads these records, once."""

    def __init__(self, *records: RawRecord) -> None:
        self.records = list(records)

    def read(self, seconds: float) -> list[RawRecord]:
        del seconds
        return self.records


async def test_the_first_look_removes_at_once_what_the_tail_reads(world: World, store: Store) -> None:
    look = FirstLook(store, world.log.codec, world.journal)
    request = await world.appended(await world.request())
    told = Overheard(OneRead(request, await recorded(world)), look.heard)  # type: ignore[arg-type]  # reads alone
    assert len(await asyncio.to_thread(told.read, 0.1)) == 2
    await asyncio.wait_for(store.emptied.wait(), 5)
    await look.close()
    assert await keys(store) == {ANOTHERS}


async def test_a_first_look_that_fails_only_says_so(world: World, store: Store) -> None:
    class Broken(Store):
        async def list(self, prefix: str) -> AsyncIterator[ObjectInfo]:
            if prefix:
                raise ValueError(prefix)
            yield ObjectInfo(key="", size=0, etag="", content_type="")

    look = FirstLook(Broken(), world.log.codec, world.journal)
    look.heard(await recorded(world))
    await asyncio.sleep(0.05)
    await look.close()
    assert len(world.log.records) == 1

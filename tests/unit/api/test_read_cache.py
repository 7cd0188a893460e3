"""The read cache never serves what is older than this process has heard of, whatever comes in between."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from uuid import UUID, uuid5

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.telemetry import Metrics
from api.read_cache import Page, ReadCache
from api.read_cache.cache import SILENT_SECONDS
from projections.assets.queries import AssetRow
from projections.notices import Changes, Notice, read_notice, write_notice
from projections.waiting import PositionWatch
from tests.unit.api.doors import Stage, upload
from tests.unit.api.fake_reads import FakeReads

TOPIC: Final = "darkroom.assets.v1"
OWNER, OTHER = UUID(int=1), UUID(int=2)
ASSETS: Final = tuple(uuid5(OWNER, str(number)) for number in range(4))
PARTITIONS: Final = 2
Step = Callable[["World"], Coroutine[Any, Any, None]]


def partition_of(asset_id: UUID) -> int:
    return ASSETS.index(asset_id) % PARTITIONS


def row_of(asset_id: UUID, version: int, owner_id: UUID = OWNER) -> AssetRow:
    blank: dict[str, Any] = dict.fromkeys(AssetRow.__dataclass_fields__)
    named = {"asset_id": asset_id, "owner_id": owner_id, "version": version, "variants": (), "tags": ()}
    return AssetRow(
        **blank | named | {"position_partition": partition_of(asset_id), "position_offset": version}
    )


@dataclass
class World:
    """A database, what it told that was not heard yet, one door's watch and cache, and reads on their way."""

    rows: dict[UUID, int] = field(default_factory=lambda: dict.fromkeys(ASSETS, 0))
    offsets: dict[int, int] = field(default_factory=lambda: dict.fromkeys(range(PARTITIONS), 0))
    history: list[tuple[UUID, int, int]] = field(default_factory=list)
    wire: list[str] = field(default_factory=list)
    connected: bool = True
    time: float = 100.0
    watch: PositionWatch = field(default_factory=lambda: PositionWatch("nowhere"))
    pending: list[tuple[asyncio.Event, asyncio.Event, asyncio.Task[None]]] = field(default_factory=list)
    gates: list[tuple[asyncio.Event, asyncio.Event]] = field(default_factory=list)

    def __post_init__(self) -> None:
        reads: Any = self
        self.metrics = Metrics()
        self.cache = ReadCache(
            reads, topic=TOPIC, capacity=1_000_000, metrics=self.metrics.cache, now=lambda: self.time
        )
        self.watch.tell(self.cache)
        self.look()

    async def asset(self, *, owner_id: UUID, asset_id: UUID) -> AssetRow | None:
        """The database's answer: a snapshot at some moment, handed over at a later one."""
        await self._travelled()
        found = row_of(asset_id, self.rows[asset_id], owner_id)
        await self._travelled()
        return found

    async def page(self) -> Page:
        await self._travelled()
        body = json.dumps([self.rows[asset_id] for asset_id in ASSETS]).encode()
        await self._travelled()
        return Page(etag="", body=body)

    async def _travelled(self) -> None:
        if self.gates:
            gate = asyncio.Event()
            self.gates.append((gate, gate))
            await gate.wait()

    def commit(self, assets: list[int], *, told: bool) -> None:
        began = dict(self.offsets)
        moved: dict[int, int] = {}
        for number in assets:
            asset_id = ASSETS[number]
            partition = partition_of(asset_id)
            self.offsets[partition] += 1
            self.rows[asset_id] += 1
            moved[partition] = self.offsets[partition]
            self.history.append((asset_id, self.rows[asset_id], self.offsets[partition]))
        changes = Changes(assets=frozenset(ASSETS[number] for number in assets), owners=frozenset({OWNER}))
        notice = Notice(topic=TOPIC, following=moved, began=began, changes=changes if told else None)
        if self.connected:
            self.wire.append(write_notice(notice))

    def hear(self) -> None:
        if self.wire and self.connected:
            self.watch._told(self.wire.pop(0))

    def look(self) -> None:
        if self.connected:
            self.watch._replace({TOPIC: dict(self.offsets)})

    def cut(self) -> None:
        self.connected = False
        self.wire.clear()

    def connect(self) -> None:
        self.connected = True
        self.watch._unsure()
        self.look()

    def least(self, asset_id: UUID) -> int:
        """The asset's version at the position that the watch has passed on."""
        known = self.watch.positions(TOPIC).get(partition_of(asset_id), 0)
        return max((v for each, v, at in self.history if each == asset_id and at <= known), default=0)


class Reader:
    """Reads that begin, look into the database, and end at moments that hypothesis chooses."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._tasks: list[asyncio.Task[None]] = []

    def begin(self, number: int, *, listing: bool) -> None:
        world, asset_id = self._world, ASSETS[number]
        least = {each: world.least(each) for each in ASSETS}

        async def read() -> None:
            if listing:
                page = await world.cache.page(OWNER, "all", world.page)
                found = dict(zip(ASSETS, json.loads(page.body), strict=True))
                assert all(found[each] >= least[each] for each in ASSETS), "an old list"
            else:
                row = await world.cache.asset(owner_id=OWNER, asset_id=asset_id)
                assert row is not None
                assert row.version >= least[asset_id], "an old row"

        self._tasks.append(asyncio.ensure_future(read()))

    async def go_on(self, which: int) -> None:
        await asyncio.sleep(0)
        gates = self._world.gates[1:]
        if gates:
            gate = gates[which % len(gates)]
            self._world.gates.remove(gate)
            gate[0].set()
        for _ in range(3):
            await asyncio.sleep(0)

    async def end(self) -> None:
        await asyncio.sleep(0)
        while len(self._world.gates) > 1:
            await self.go_on(0)
        await asyncio.gather(*self._tasks)


NUMBERS = st.integers(0, len(ASSETS) - 1)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("commit"), st.lists(NUMBERS, min_size=1, max_size=3, unique=True), st.booleans()),
        st.tuples(st.sampled_from(["read", "read at once", "read at once"]), NUMBERS, st.booleans()),
        st.tuples(st.just("go on"), st.integers(0, 5), st.just(value=True)),
        st.tuples(
            st.sampled_from(["hear", "hear", "look", "cut", "connect", "wait"]), NUMBERS, st.booleans()
        ),
    ),
    max_size=30,
)


async def played(steps: list[tuple[str, Any, bool]]) -> World:
    world = World()
    closed = asyncio.Event()
    world.gates.append((closed, closed))  # from now on each trip to the database takes its time
    reader = Reader(world)
    plain: Mapping[str, Callable[[], None]] = {
        "hear": world.hear,
        "look": world.look,
        "cut": world.cut,
        "connect": world.connect,
    }
    for name, what, how in steps:
        match name:
            case "commit":
                world.commit(what, told=how)
            case "read":
                reader.begin(what, listing=how)
            case "read at once":
                reader.begin(what, listing=how)
                await reader.end()
            case "go on":
                await reader.go_on(what)
            case "wait":
                world.time += SILENT_SECONDS / 2
            case _:
                plain[name]()
        await asyncio.sleep(0)
    await reader.end()
    return world


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
def test_no_interleaving_serves_what_is_older_than_was_heard(steps: list[tuple[str, Any, bool]]) -> None:
    asyncio.run(played(steps))


async def read(world: World, number: int = 0) -> int:
    row = await world.cache.asset(owner_id=OWNER, asset_id=ASSETS[number])
    assert row is not None
    return row.version


def asked(world: World, outcome: str) -> float:
    return world.metrics.registry.get_sample_value("darkroom_read_cache_total", {"outcome": outcome}) or 0.0


async def test_a_row_is_read_once_while_it_stays_the_same() -> None:
    world = World()
    assert [await read(world) for _ in range(3)] == [0, 0, 0]
    world.commit([1, 2], told=True)
    world.hear()
    assert await read(world) == 0
    assert (asked(world, "miss"), asked(world, "hit")) == (1, 3)
    world.commit([0], told=True)
    assert await read(world) == 0  # nobody has heard of it: that much older it may be
    world.hear()
    assert await read(world) == 1


async def test_a_batch_that_names_nothing_makes_its_partitions_be_read_anew() -> None:
    world = World()
    assert [await read(world, number) for number in (0, 1)] == [0, 0]
    world.commit([2], told=False)
    world.hear()
    assert [await read(world, number) for number in (0, 1)] == [0, 0]
    assert (asked(world, "miss"), asked(world, "hit")) == (3, 1)


async def test_a_notice_that_was_lost_is_a_gap() -> None:
    world = World()
    await read(world)
    world.commit([0], told=True)
    world.wire.clear()
    world.commit([2], told=True)
    world.hear()
    assert await read(world) == 1


async def test_what_a_look_finds_moved_is_read_anew() -> None:
    world = World()
    await read(world)
    world.commit([0], told=True)
    world.look()  # faster than the notice
    assert await read(world) == 1


async def test_a_list_that_changes_while_it_is_read_is_not_kept() -> None:
    world = World()
    closed = asyncio.Event()
    world.gates.append((closed, closed))
    reader = Reader(world)
    reader.begin(0, listing=True)
    await reader.go_on(0)  # the snapshot is taken
    world.commit([0], told=True)
    world.hear()
    await reader.end()
    reader.begin(0, listing=True)
    await reader.end()


async def test_while_nothing_is_heard_nothing_is_remembered() -> None:
    world = World()
    await read(world)
    world.time += SILENT_SECONDS
    world.rows[ASSETS[0]] = 7
    assert await read(world) == 7
    assert (asked(world, "bypassed"), len(world.cache)) == (1, 0)


async def test_it_holds_no_more_than_it_may() -> None:
    world = World()
    reads: Any = world
    small = ReadCache(reads, topic=TOPIC, capacity=9_000, metrics=world.metrics.cache, now=lambda: 0.0)
    none = ReadCache(reads, topic=TOPIC, capacity=0, metrics=world.metrics.cache, now=lambda: 0.0)
    for cache, most in ((small, 2), (none, 0)):
        cache.heard()
        for asset_id in ASSETS:
            row = await cache.asset(owner_id=OWNER, asset_id=asset_id)
            assert row is not None
            cache.answer(row, "e", lambda: b"x")
        assert len(cache) == most


async def test_nobody_is_served_what_was_remembered_for_another() -> None:
    world = World()
    mine = await world.cache.asset(owner_id=OWNER, asset_id=ASSETS[0])
    theirs = await world.cache.asset(owner_id=OTHER, asset_id=ASSETS[0])
    assert mine is not None
    assert theirs is not None
    assert (mine.owner_id, theirs.owner_id) == (OWNER, OTHER)


async def test_an_answer_is_made_once_for_each_etag() -> None:
    world, made = World(), list[str]()
    found = await world.cache.asset(owner_id=OWNER, asset_id=ASSETS[0])
    assert found is not None
    row = found

    def answer(etag: str) -> bytes:
        def make() -> bytes:
            made.append(etag)
            return etag.encode()

        return world.cache.answer(row, etag, make)

    assert [answer("a"), answer("a"), answer("b"), answer("b")] == [b"a", b"a", b"b", b"b"]
    assert made == ["a", "b"]
    row = replace(row)  # not the one that is held: it may be another version
    assert answer("b") == b"b"
    assert made == ["a", "b", "b"]


@pytest.mark.parametrize("size", [0, 1, 100, 5_000])
def test_a_notice_is_read_as_it_was_written(size: int) -> None:
    assets = frozenset(uuid5(OWNER, str(number)) for number in range(size))
    changes = Changes(assets=assets, owners=frozenset({OWNER, OTHER}))
    notice = Notice(topic=TOPIC, following={0: 7, 11: 9}, began={0: 5, 11: 8}, changes=changes)
    payload = write_notice(notice)
    assert len(payload) <= 7_000
    said = read_notice(json.loads(payload))
    assert said == (notice if size < 5_000 else replace(notice, began={}, changes=None))
    many = dict.fromkeys(range(1000), 10**12)
    assert write_notice(Notice(topic=TOPIC, following=many, began=many, changes=changes)) == ""


async def test_what_is_purged_is_forgotten_at_once(on: Stage) -> None:
    """R28: neither row nor answer of an asset that is gone stays in memory."""
    answer, _ = await upload(on)
    asset_id = UUID(answer["asset_id"])
    on.parts.cache.heard()
    row = on.reads.assets[asset_id]
    assert await on.parts.cache.asset(owner_id=row.owner_id, asset_id=asset_id) is row
    assert isinstance(on.parts.reads, FakeReads)
    assert len(on.parts.cache) == 1
    changes = Changes(assets=frozenset({asset_id}), owners=frozenset({row.owner_id}))
    topic = on.settings.kafka.topics.assets
    on.parts.cache.changed(Notice(topic=topic, following={0: 1}, began={0: 0}, changes=changes))
    assert len(on.parts.cache) == 0

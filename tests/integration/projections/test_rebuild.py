"""A read model is rebuilt beside the live one, compared, switched and rolled back, while both are written."""

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from adapters.settings import Settings
from projections import operating
from projections.folding import Verdict
from projections.rebuild import copies, filling
from projections.rebuild.comparing import compare
from projections.rebuild.copies import CopyRefused
from projections.rebuild.filling import AlreadyFollows, FoldFailed, Tools, Unsettled, connect, fill
from projections.records import Record
from schemas.codec import Codec
from schemas.partitioner import partition_for
from tests.integration.projections.listed import Listed
from tests.integration.projections.rows import HandFolded, prepare
from tests.servers import World
from tests.unit.projections.later_stories import Later
from tests.unit.projections.stories import PlainLog, Stories

PARTITIONS = 4
NAMES = ("activity", "assets", "jobs", "lifecycle", "storage", "usage")


class Stage:
    """Live rows, a log, and the means to fill copies from it."""

    def __init__(self, settings: Settings) -> None:
        self.stories = Stories()
        self.models = HandFolded(settings, self.stories.keys, PARTITIONS)
        self.models.begin_anew()
        self.log = PlainLog(PARTITIONS)
        self.tools = Tools.of(settings, self.models.loop, Codec.local(), self.stories.keys)
        self.conn = connect(settings)
        self.owner = asyncio.run(self.stories.owner("ada"))
        self._told = 0

    def tell(self, *assets: str, ready: bool = True) -> None:
        """Whole lives into the log and the live rows."""
        before = {number: len(self.log.partitions[number]) for number in range(PARTITIONS)}
        for asset in assets:
            events = self.stories.whole(asset, self.owner)
            self.log.append(*(events if ready else list(events)[:2]))
        for number, at in before.items():
            self.models.apply(list(self.log.partitions[number])[at:])

    def tell_one_by_one(self, assets: Sequence[str]) -> None:
        for asset in assets:
            self.tell(asset)

    def fill(self, *names: str, partitions: tuple[int, ...] = tuple(range(PARTITIONS))) -> None:
        copies.begin(self.conn, self.models.loop, names)
        for number in partitions:
            fill(self.conn, self.tools, names, self.source(number), number)

    def source(self, number: int, stop_at: int | None = None) -> Listed:
        return Listed(list(self.log.partitions[number]), stop_at)

    def finish(self, *names: str) -> None:
        for name in names:
            copies.finish(self.conn, self.models.loop, name)

    def same(self, *names: str) -> bool:
        return compare(self.conn, self.models.loop, names).same

    def shown(self) -> Sequence[tuple[Any, ...]]:
        """What readers see of the assets."""
        return self.models.rows("live.assets")

    def shown_from(self) -> str:
        """The schema of the table that readers of the assets look at."""
        query = (
            "select table_schema from information_schema.view_table_usage "
            "where view_schema = 'live' and view_name = 'assets'"
        )
        row = self.conn.execute(query).fetchone()
        assert row is not None
        return str(row[0])

    def served(self) -> Sequence[tuple[Any, ...]]:
        return self.models.rows("assets_v2.assets")

    def oid(self, schema: str) -> int:
        """Which table it is, whatever its name."""
        row = self.conn.execute("select %s::regclass::oid", (f"{schema}.assets",)).fetchone()
        assert row is not None
        return int(row[0])

    def indexes(self, schema: str) -> list[str]:
        found = self.conn.execute("select indexname from pg_indexes where schemaname = %s", (schema,))
        return sorted(name for (name,) in found.fetchall())

    def partition_of(self, asset: str) -> int:
        return partition_for(str(self.stories.asset_id(asset)).encode(), PARTITIONS)

    def close(self) -> None:
        self.conn.close()
        self.models.close()


@pytest.fixture(scope="module")
def place(world: World) -> Settings:
    settings = world.settings("rebuild", DATABASE_URL=world.servers.new_database())
    prepare(settings)
    return settings


@pytest.fixture
def stage(place: Settings) -> Iterator[Stage]:
    stage = Stage(place)
    yield stage
    stage.close()


def test_copies_hold_the_very_rows_and_follow_what_comes(stage: Stage) -> None:
    stage.tell("a", "b", "c", "d", "e")
    stage.tell("f", ready=False)
    stage.fill(*NAMES)
    stage.finish(*NAMES)
    assert stage.same(*NAMES)
    stage.tell("g", "h")
    stage.log.append(stage.stories.started("f", stage.owner), stage.stories.ready("f", stage.owner))
    for number in range(PARTITIONS):
        stage.models.apply(list(stage.log.partitions[number])[stage.models.positions[number] :])
    compared = compare(stage.conn, stage.models.loop, NAMES)
    assert compared.same
    assert all(table.live[0] > 0 for table in compared.tables)


def test_lives_that_are_taken_at_once_have_the_very_rows_and_go_on(stage: Stage) -> None:
    """Some lie whole in what is read at a time, others are cut; one is met again after its life."""
    stage.tell("a", "b", "c", "d", "e", "f", "g", "h")
    later = Later(stage.stories, "a", stage.owner)
    stage.log.append(later.updated(2), later.asked_again(1, version=3))
    for number in range(PARTITIONS):
        stage.models.apply(list(stage.log.partitions[number])[stage.models.positions[number] :])
    names = ("assets", "jobs", "lifecycle", "links", "storage", "usage")
    assert stage.tools.plan.shortcut_for(names) is not None
    stage.fill(*names)
    stage.finish(*names)
    assert stage.same(*names)
    assert stage.tools.plan.shortcut_for(["activity"]) is None


def test_a_switch_serves_the_copy_and_what_was_served_follows_on(stage: Stage) -> None:
    stage.tell("a", "b")
    stage.fill("assets")
    stage.finish("assets")
    assert stage.shown() == stage.served() == stage.models.rows("assets_v2_copy.assets")
    former = stage.oid("assets_v2")
    copies.switch(stage.conn, stage.models.loop, ["assets"])
    assert stage.oid("assets_v2_copy") == former
    assert stage.shown_from() == "assets_v2"
    stage.tell("c")
    assert len(stage.shown()) == 3
    assert stage.shown() == stage.served() == stage.models.rows("assets_v2_copy.assets")
    with pytest.raises(CopyRefused, match="what was live"):
        copies.switch(stage.conn, stage.models.loop, ["assets"])
    copies.switch(stage.conn, stage.models.loop, ["assets"], back=True)
    assert stage.oid("assets_v2") == former
    stage.tell("d")
    assert stage.same("assets")
    copies.drop(stage.conn, stage.models.loop, "assets")
    stage.tell("e")
    assert len(stage.shown()) == 5
    assert copies.every(stage.conn, stage.models.loop) == {}


def test_a_death_while_filling_leaves_the_partition_empty_and_the_others_filled(stage: Stage) -> None:
    stage.tell(*(f"asset-{number}" for number in range(16)))
    copies.begin(stage.conn, stage.models.loop, ["assets"])
    fill(stage.conn, stage.tools, ["assets"], stage.source(0), 0)
    with pytest.raises(ConnectionError):
        fill(stage.conn, stage.tools, ["assets"], stage.source(1, stop_at=7), 1)
    assert copies.every(stage.conn, stage.models.loop)["assets"].filled == (0,)
    of_the_first = stage.models.rows("assets_v2_copy.assets", "position_partition")
    assert {row for (row,) in of_the_first} == {0}
    with pytest.raises(CopyRefused, match="does not follow"):
        stage.finish("assets")
    with pytest.raises(CopyRefused, match="still being filled"):
        copies.switch(stage.conn, stage.models.loop, ["assets"])
    stage.tell("meanwhile", "and more", "and again")
    with pytest.raises(AlreadyFollows):
        fill(stage.conn, stage.tools, ["assets"], stage.source(0), 0)
    stage.fill("assets", partitions=(1, 2, 3))
    stage.finish("assets")
    assert stage.same("assets")


def test_a_bug_in_a_fold_stops_it_and_names_the_record(stage: Stage) -> None:
    stage.tell("a", "b", "c")
    record = stage.log.partitions[stage.partition_of("b")][-1]

    def broken(state: Any, event: Any) -> Verdict[Any]:
        if event.event_id == stage.stories.ready("b", stage.owner).event_id:
            raise ZeroDivisionError
        return stage.tools.plan.streams.fold(state, event)

    streams = replace(stage.tools.plan.streams, fold=broken)
    plan = replace(stage.tools.plan, streams=streams, shortcut=None)
    tools = replace(stage.tools, plan=plan)
    copies.begin(stage.conn, stage.models.loop, ["assets"])
    with pytest.raises(FoldFailed, match=rf"/{record.partition} at offset \d+: fold_failed.*ZeroDivision"):
        fill(stage.conn, tools, ["assets"], stage.source(record.partition), record.partition)
    assert stage.models.rows("assets_v2_copy.assets") == []
    assert stage.models.letters.letters == []


def test_what_is_set_aside_live_is_set_aside_in_a_rebuild_and_no_letter_is_sent(stage: Stage) -> None:
    stage.tell("a", "b")
    number, key = stage.partition_of("a"), str(stage.stories.asset_id("a")).encode()
    poison = [stage.log.put(key, b"\0\0\0\0\1short"), stage.log.put(b"nobody", b"", partition=number)]
    stage.models.apply(poison)
    stage.tell("c", "d")
    letters = len(stage.models.letters.letters)
    assert letters == 2
    stage.fill(*NAMES)
    stage.finish(*NAMES)
    assert stage.same(*NAMES)
    assert len(stage.models.letters.letters) == letters
    copies.drop(stage.conn, stage.models.loop, "assets")
    stage.models.conn.execute("delete from infra.quarantine")
    with pytest.raises(Unsettled, match="0 records set aside, a rebuild 1"):
        stage.fill("assets")


class SentBack(Listed):
    """The live rows are sent back while it is read."""

    def __init__(self, stage: Stage, number: int) -> None:
        super().__init__(list(stage.log.partitions[number]))
        self._stage = stage

    def read(self, until: int, most: int) -> list[Record]:
        found = super().read(until, most)
        self._stage.models.conn.execute("update infra.checkpoints set next_offset = 0")
        return found


def test_a_copy_that_is_ahead_of_live_rows_sent_back_is_not_kept(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filling, "NEAR", 0)
    stage.tell("a", "b")
    number = stage.partition_of("a")
    copies.begin(stage.conn, stage.models.loop, ["assets"])
    with pytest.raises(Unsettled, match="sent back"):
        fill(stage.conn, stage.tools, ["assets"], SentBack(stage, number), number)
    assert stage.models.rows("assets_v2_copy.assets") == []
    assert copies.every(stage.conn, stage.models.loop)["assets"].filled == ()


def test_both_are_compared_in_one_snapshot_while_they_go_on(stage: Stage) -> None:
    stage.tell("a")
    stage.fill(*NAMES)
    stage.finish(*NAMES)
    found = [compare(stage.conn, stage.models.loop, NAMES)]
    with ThreadPoolExecutor(1) as another:
        going = another.submit(stage.tell_one_by_one, [f"asset {number}" for number in range(30)])
        while not going.done():
            found.append(compare(stage.conn, stage.models.loop, NAMES))
        going.result()
    found.append(compare(stage.conn, stage.models.loop, NAMES))
    assert all(one.same for one in found)
    at = [sum(one.positions.values()) for one in found]
    assert at == sorted(at)
    assert at[0] < at[-1], "they went on"


def test_rows_that_differ_are_found_and_only_their_keys_are_shown(stage: Stage) -> None:
    stage.tell("a", "b")
    stage.fill("assets")
    stage.finish("assets")
    asset_id = stage.stories.asset_id("b")
    stage.conn.execute("update assets_v2_copy.assets set title = 'other' where asset_id = %s", (asset_id,))
    (table,) = compare(stage.conn, stage.models.loop, ["assets"]).tables
    assert not table.same
    assert table.differing == (str(asset_id),)


def test_a_copy_that_takes_no_rows_is_left_behind_and_the_live_rows_go_on(stage: Stage) -> None:
    stage.tell("a")
    stage.fill("assets")
    stage.finish("assets")
    stage.conn.execute("alter table assets_v2_copy.assets add check (title <> 'Title b')")
    stage.tell("b")
    assert copies.every(stage.conn, stage.models.loop)["assets"].state == "broken"
    assert len(stage.shown()) == 2
    assert stage.models.rows("infra.quarantine") == []
    with pytest.raises(CopyRefused, match="broken"):
        copies.begin(stage.conn, stage.models.loop, ["assets"])


def test_an_index_that_a_death_left_half_made_is_made_anew(stage: Stage) -> None:
    stage.tell("a")
    stage.fill("activity")
    live = stage.indexes("activity_v3")
    assert len(stage.indexes("activity_v3_copy")) < len(live)
    stage.finish("activity")
    assert stage.indexes("activity_v3_copy") == live


def test_a_reset_ends_every_copy(stage: Stage) -> None:
    stage.tell("a")
    stage.fill("assets")
    operating.reset(stage.models.conn, stage.models.loop)
    assert copies.every(stage.conn, stage.models.loop) == {}
    left = stage.conn.execute("select nspname from pg_namespace where nspname like '%copy'").fetchall()
    assert left == []

"""What was set aside is read again in its order, or left out; rows are then those of a rebuild (R11)."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.failpoints import FailpointHit
from projections import operating, redrives
from projections.forms import ASSETS
from projections.records import Record
from projections.rereading import NotThere
from schemas.events import AssetEvent, RecordDiscarded
from tests.integration.projections.rows import SET_ASIDE, TABLES, Dump, HandFolded, prepare
from tests.servers import World
from tests.unit.projections.stories import BEGIN, PlainLog, Stories, an_id

PARTITIONS = 2
BROKEN = b"\0\0\0\0\1short"
REFUSED = f"alter table {ASSETS.schema}.assets add constraint refused check (status = 'requested')"
ACCEPTED = f"alter table {ASSETS.schema}.assets drop constraint refused"


def key(stories: Stories, asset: object) -> bytes:
    return str(stories.asset_id(asset)).encode()


def again(log: PlainLog) -> Callable[[int, Sequence[int]], list[Record]]:
    return lambda partition, offsets: [log.partitions[partition][offset] for offset in offsets]


def discarded(folded: HandFolded, stories: Stories, bad: Record, **changes: Any) -> RecordDiscarded:
    said: dict[str, Any] = {
        "event_id": an_id(bad.partition, bad.offset, "discarded"),
        "occurred_at": BEGIN + timedelta(days=1),
        "asset_id": UUID((bad.key or b"").decode()),
        "topic": folded.loop.topic,
        "partition": bad.partition,
        "offset": bad.offset,
        "component": "projector",
    }
    return RecordDiscarded(**said | changes)


def ask(folded: HandFolded, record: Record) -> None:
    assert record.key is not None
    redrives.ask(folded.conn, topic=folded.loop.topic, partition=record.partition, key=record.key, now=BEGIN)


def set_aside(folded: HandFolded) -> list[tuple[object, ...]]:
    return list(folded.rows(SET_ASIDE, '"offset", code, blocking, redrives', '"offset"'))


def statuses(folded: HandFolded) -> dict[object, object]:
    return dict(folded.rows("live.assets", "asset_id, status"))


def rebuilt(folded: HandFolded, log: PlainLog) -> Dump:
    """The rows that a database without any memory has of the same log."""
    folded.wipe()
    for record in list(log.records()):
        folded.apply([record])
        folded.redrive(again(log))
    return folded.dump(*TABLES)


async def test_once_the_fold_can_take_them_they_are_folded_in_their_order(
    folded: HandFolded, stories: Stories
) -> None:
    ada, log = await stories.owner("ada"), PlainLog(4)
    log.append(*stories.whole("sea", ada)[:3], *stories.whole("sky", ada)[:1])
    folded.conn.execute(REFUSED.encode())
    folded.apply(*([record] for record in log.records()))
    assert [each[1:3] for each in set_aside(folded)] == [("fold_failed", True), ("follows", False)]
    bad = next(record for record in log.records() if record.offset == 1)
    ask(folded, bad)
    assert folded.redrive(again(log)) == 1
    assert [each[3] for each in set_aside(folded)] == [1, 1], "in vain, and it says so"
    assert len(folded.letters.letters) == 1
    folded.conn.execute(ACCEPTED.encode())
    log.append(stories.ready("sea", ada))
    folded.apply([log.partitions[bad.partition][-1]])
    assert statuses(folded)[stories.asset_id("sea")] == "requested", "newer ones wait as well"
    ask(folded, bad)
    folded.redrive(again(log))
    assert set_aside(folded) == []
    assert statuses(folded)[stories.asset_id("sea")] == "ready"
    live = folded.dump(*TABLES)
    assert live == rebuilt(folded, log)
    assert folded.redrive(again(log)) == 0


async def test_what_nobody_asks_for_stays_where_it_is(folded: HandFolded, stories: Stories) -> None:
    ada, log = await stories.owner("ada"), PlainLog(4)
    log.put(key(stories, "sea"), BROKEN)
    log.append(*stories.whole("sea", ada))
    folded.apply(list(log.records()))
    before = set_aside(folded)
    assert folded.redrive(again(log)) == 0
    assert set_aside(folded) == before


async def test_a_discard_lets_go_of_the_one_and_folds_the_others(
    folded: HandFolded, stories: Stories
) -> None:
    ada, log = await stories.owner("ada"), PlainLog(4)
    log.append(stories.requested("sea", ada))
    bad = log.put(key(stories, "sea"), BROKEN)
    log.append(*stories.whole("sea", ada)[1:])
    log.append(discarded(folded, stories, bad), *stories.whole("sky", ada))
    folded.apply(list(log.records()))
    assert statuses(folded)[stories.asset_id("sea")] == "requested"
    folded.redrive(again(log))
    assert set_aside(folded) == []
    assert set(statuses(folded).values()) == {"ready"}
    live = folded.dump(*TABLES)
    operating.reset(folded.conn, folded.loop)
    folded.open()
    folded.apply(list(log.records()))
    assert set_aside(folded) == [], "a replay knows it before it comes to it"
    assert folded.dump(*TABLES) == live
    assert live == rebuilt(folded, log)


@pytest.mark.parametrize(
    "changes",
    [{"topic": "another"}, {"component": "variants"}, {"partition": 9}, {"offset": 4}, {"offset": 99}],
    ids=str,
)
async def test_what_discards_something_else_frees_nothing(
    folded: HandFolded, stories: Stories, changes: dict[str, Any]
) -> None:
    ada, log = await stories.owner("ada"), PlainLog(4)
    bad = log.put(key(stories, "sea"), BROKEN)
    log.append(*stories.whole("sea", ada)[:3])
    log.append(discarded(folded, stories, bad, **changes))
    folded.apply(list(log.records()))
    assert folded.redrive(again(log)) == 0
    assert len(set_aside(folded)) == 5
    assert folded.rows("infra.discards") == []


async def test_another_keys_discard_frees_nothing(folded: HandFolded, stories: Stories) -> None:
    log = PlainLog(4)
    bad = log.put(key(stories, "sea"), BROKEN)
    log.append(discarded(folded, stories, bad))
    forged = log.partitions[bad.partition].pop()
    log.put(key(stories, "sky"), forged.value, forged.headers(), bad.partition)
    folded.apply(list(log.records()))
    assert [each[0] for each in set_aside(folded)][:1] == [0]
    assert folded.rows("infra.discards") == []


async def test_a_discard_of_what_was_folded_after_all_is_made_good_by_a_replay(
    folded: HandFolded, stories: Stories
) -> None:
    """A redrive was faster, or a newer program reads what an older one could not."""
    ada, log = await stories.owner("ada"), PlainLog(4)
    log.append(*stories.whole("sea", ada))
    taken = next(iter(log.records()))
    log.append(discarded(folded, stories, taken))
    folded.apply(list(log.records()))
    assert set(folded.rows("infra.checkpoints", "next_offset")) == {(0,)}
    folded.open()
    folded.apply(list(log.records()))
    assert statuses(folded) == {}, "without the request there is no asset"
    assert folded.rows("infra.checkpoints", "max(next_offset)") == [(5,)]


async def test_a_death_before_that_replay_leaves_a_mark_by_which_the_next_makes_it_good(
    folded: HandFolded, stories: Stories
) -> None:
    """R06: the discard is committed, and the process is gone before it could reset."""
    ada, log = await stories.owner("ada"), PlainLog(4)
    log.append(*stories.whole("sea", ada))
    log.append(discarded(folded, stories, next(iter(log.records()))))
    folded.use(stories.keys, "projector.before_late_reset=raise")
    with pytest.raises(FailpointHit):
        folded.apply(list(log.records()))
    assert statuses(folded) != {}, "the rows still tell of it"
    folded.use(stories.keys)
    assert operating.make_good(folded.conn, folded.loop)
    assert not operating.make_good(folded.conn, folded.loop), "once is enough"
    folded.open()
    folded.apply(list(log.records()))
    assert statuses(folded) == {}
    assert folded.rows("infra.checkpoints", "max(next_offset)") == [(5,)]


async def test_a_record_that_the_log_lost_stays_set_aside(folded: HandFolded, stories: Stories) -> None:
    log = PlainLog(4)
    bad = log.put(key(stories, "sea"), BROKEN)
    folded.apply(list(log.records()))
    ask(folded, bad)

    def gone(_partition: int, _offsets: Sequence[int]) -> list[Record]:
        raise NotThere("cut")

    assert folded.redrive(gone) == 1
    assert len(set_aside(folded)) == 1


async def test_a_long_quarantine_is_read_in_parts_and_a_death_in_between_loses_nothing(
    folded: HandFolded, stories: Stories, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redrives, "_MOST", 3)
    ada, log = await stories.owner("ada"), PlainLog(4)
    bad = log.put(key(stories, "sea"), BROKEN)
    log.append(*stories.whole("sea", ada), *stories.whole("sea", ada))
    log.append(discarded(folded, stories, bad))
    folded.apply(list(log.records()))
    calls = 0

    def dies(partition: int, offsets: Sequence[int]) -> list[Record]:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise psycopg.OperationalError("gone")
        return again(log)(partition, offsets)

    with pytest.raises(psycopg.OperationalError):
        folded.redrive(dies)
    assert len(set_aside(folded)) == 6
    log.append(stories.requested("sea", ada))
    folded.apply([log.partitions[bad.partition][-1]])
    assert len(set_aside(folded)) == 7, "newer ones wait behind what is left"
    folded.redrive(again(log))
    assert set_aside(folded) == []
    assert folded.dump(*TABLES) == rebuilt(folded, log)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Read models to fold into, and whom the stories are about."""

    models: HandFolded
    stories: Stories
    owner: UUID


@pytest.fixture(scope="module")
def stage(world: World) -> Iterator[Stage]:
    stories = Stories()
    owner = asyncio.run(stories.owner("ada"))
    chosen = world.settings("redrives", DATABASE_URL=world.servers.new_database())
    prepare(chosen)
    models = HandFolded(chosen, stories.keys, PARTITIONS)
    yield Stage(models=models, stories=stories, owner=owner)
    models.close()


def a_log(data: st.DataObject, stage: Stage) -> PlainLog:
    """Two assets' stories, among them poison, of which some is discarded sooner or later."""
    log = PlainLog(PARTITIONS)
    stories: list[list[AssetEvent]] = [stage.stories.whole(asset, stage.owner) for asset in range(2)]
    poison: list[Record] = []
    for choice in data.draw(st.lists(st.integers(0, 19), min_size=5, max_size=30)):
        asset = choice % 2
        if choice < 10:
            log.append(stories[asset][choice // 2 % 4])
        elif choice < 14:
            poison.append(log.put(key(stage.stories, asset), BROKEN))
        elif poison:
            log.append(discarded(stage.models, stage.stories, poison.pop(choice % len(poison))))
    return log


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_rows_are_those_of_a_rebuild_whenever_redrives_come(stage: Stage, data: st.DataObject) -> None:
    log = a_log(data, stage)
    stage.models.wipe()
    records = list(log.records())
    while records:
        size = data.draw(st.integers(1, 12))
        stage.models.apply(records[:size])
        if data.draw(st.booleans()):
            ask(stage.models, records[0])
        if data.draw(st.booleans()):
            stage.models.redrive(again(log))
        records = records[size:]
    stage.models.redrive(again(log))
    live, left = stage.models.dump(*TABLES), [each[:3] for each in set_aside(stage.models)]
    operating.reset(stage.models.conn, stage.models.loop)
    stage.models.open()
    stage.models.apply(list(log.records()))
    assert stage.models.dump(*TABLES) == live
    assert rebuilt(stage.models, log) == live
    assert [each[:3] for each in set_aside(stage.models)] == left

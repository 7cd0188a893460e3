"""A new form is filled partition by partition, through deaths, beside its own projector."""

from dataclasses import replace
from typing import Any

import pytest

from projections import checkpoints
from projections.beside import switching
from projections.beside.following import Ahead, FailsBeside
from projections.beside.switching import FormsRefused
from projections.checkpoints import Fenced, Loop
from projections.folding import Verdict
from projections.rebuild.filling import connect
from tests.integration.projections.releases import NEW_ROWS, OLD_ROWS, PARTITIONS, Stage
from tests.integration.projections.rows import dump

EVERY = range(PARTITIONS)
OLD_STATES, NEW_STATES = "lifecycle_v3.states", "lifecycle_v4.states"
ASIDE = 'partition, "offset", code, blocking from infra.quarantine where version = %s order by 1, 2'
ASSETS = tuple(f"asset {number}" for number in range(8))


def require_alike(stage: Stage) -> None:
    assert stage.rows(NEW_ROWS) == stage.rows(OLD_ROWS)
    assert stage.rows(NEW_STATES) == stage.rows(OLD_STATES)


async def test_it_is_filled_from_the_beginning_and_its_projector_takes_up_behind_that(stage: Stage) -> None:
    stage.old.apply(await stage.tell(*ASSETS))
    before = dump(stage.models.conn)
    stage.new.open()
    assert stage.new.fill(stage.log, *EVERY) == 4 * len(ASSETS)
    require_alike(stage)
    assert dump(stage.models.conn) == before
    records = await stage.tell("meanwhile")
    stage.old.apply(records)
    with pytest.raises(Fenced):  # it stood at 0
        stage.new.apply(records)
    stage.new.open()
    assert stage.new.positions != stage.old.positions
    stage.new.apply(records)
    require_alike(stage)
    assert switching.switch(stage.models.conn, stage.new.whole) == ["assets_v3", "lifecycle_v4"]
    assert len(stage.shown()) == len(ASSETS) + 1


async def test_it_ends_where_what_is_served_stands(stage: Stage) -> None:
    records = await stage.tell("a", "b", "c")
    stage.old.apply([record for record in records if record.offset < 2])
    stage.new.open()
    stage.new.fill(stage.log, *EVERY)
    assert stage.new.open().beside
    assert stage.new.positions == stage.old.positions
    require_alike(stage)


async def test_a_death_leaves_its_partition_as_it_was_and_the_others_filled(stage: Stage) -> None:
    stage.old.apply(await stage.tell(*ASSETS))
    before = dump(stage.models.conn)
    stage.new.open()
    filled, *left = sorted(EVERY, key=lambda number: -len(stage.log.partitions[number]))
    stage.new.fill(stage.log, filled)
    with pytest.raises(ConnectionError):
        stage.new.fill(stage.log, left[0], stop_at=1)
    assert dump(stage.models.conn) == before
    stage.new.open()
    assert [number for number, at in stage.new.positions.items() if at] == [filled]
    with pytest.raises(FormsRefused, match="records behind"):
        switching.switch(stage.models.conn, stage.new.whole, pause=lambda _: None)
    assert stage.new.fill(stage.log, *EVERY) == sum(len(stage.log.partitions[number]) for number in left)
    require_alike(stage)


async def test_it_goes_on_from_where_a_projector_of_the_release_came_to(stage: Stage) -> None:
    records = await stage.tell(*ASSETS)
    stage.old.apply(records)
    stage.new.open()
    begun = [record for record in records if record.offset < 3]
    stage.new.apply(begun)
    assert stage.new.fill(stage.log, *EVERY) == len(records) - len(begun)
    require_alike(stage)


async def test_it_goes_on_behind_a_batch_that_it_had_to_wait_for(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = await stage.tell(*ASSETS)
    stage.old.apply(records)
    stage.new.open()
    number = records[0].partition
    due = [record for record in records if record.partition == number and record.offset < 3]
    begun, named = len(due), checkpoints.filling

    def after_a_batch(loop: Loop, partition: int) -> str:
        if due:
            batch, due[:] = list(due), []
            stage.new.apply(batch)
        return named(loop, partition)

    monkeypatch.setattr(checkpoints, "filling", after_a_batch)  # asked for just before the lock
    assert stage.new.fill(stage.log, number, *EVERY) == len(records) - begun
    assert not due
    require_alike(stage)


async def test_its_projector_leaves_a_partition_alone_that_is_being_filled(stage: Stage) -> None:
    records = await stage.tell(*ASSETS)
    stage.old.apply(records)
    loop = stage.new.open()
    with connect(stage.settings) as conn, conn.transaction():
        held = "select pg_advisory_xact_lock(hashtextextended(%s, 0))"
        conn.execute(held, (checkpoints.filling(loop, records[0].partition),))
        with pytest.raises(Ahead):
            stage.new.apply(records)
        assert stage.new.positions[records[0].partition] == 0
        with pytest.raises(Fenced, match="a rebuild fills"), stage.new.conn.transaction():
            checkpoints.lock(stage.new.conn, loop, {records[0].partition: 0})
    stage.new.apply(records)
    require_alike(stage)


async def test_who_moved_its_checkpoints_meanwhile_is_not_undone(stage: Stage) -> None:
    stage.old.apply(await stage.tell("a"))
    (number,) = (number for number in EVERY if stage.log.partitions[number])
    stage.new.open()
    moved = "update infra.checkpoints set next_offset = 1 where partition = %s and beside"

    class Moving(list[Any]):
        def __iter__(self) -> Any:
            stage.models.conn.execute(moved, (number,))
            return super().__iter__()

    stage.log.partitions[number] = Moving(stage.log.partitions[number])
    with pytest.raises(Fenced, match="expected"):
        stage.new.fill(stage.log, number)
    assert stage.rows(NEW_ROWS) == []


async def test_what_is_set_aside_is_set_aside_in_the_new_form_too_and_no_letter_is_sent(stage: Stage) -> None:
    await stage.tell("a", "b")
    key = str(stage.stories.asset_id("a")).encode()
    stage.log.put(key, b"\0\0\0\0\1short")
    stage.log.put(b"nobody", b"")
    records = await stage.tell("a", "c")
    stage.models.open()
    stage.models.apply(records)
    letters = len(stage.models.letters.letters)
    assert letters == 2
    stage.new.open()
    stage.new.fill(stage.log, *EVERY)
    aside = [stage.models.conn.execute(f"select {ASIDE}", (version,)).fetchall() for version in (3, 4)]
    assert len(aside[0]) == 5
    assert aside[1] == aside[0]
    require_alike(stage)
    assert len(stage.models.rows("infra.dead_lettered")) == letters


async def test_a_bug_in_the_new_fold_stops_it_and_names_the_record(stage: Stage) -> None:
    stage.old.apply(await stage.tell("a", "b"))
    before = dump(stage.models.conn)
    fold = stage.new.plan.streams.fold

    def broken(state: Any, event: Any) -> Verdict[Any]:
        if event.event_id == stage.stories.ready("b", event.owner_id).event_id:
            raise ZeroDivisionError
        return fold(state, event)

    streams = replace(stage.new.plan.streams, fold=broken)
    stage.new.plan = replace(stage.new.plan, streams=streams, shortcut=None)
    stage.new.open()
    with pytest.raises(FailsBeside, match=r"/\d at offset \d+: fold_failed"):
        stage.new.fill(stage.log, *EVERY)
    assert dump(stage.models.conn) == before
    assert stage.models.rows("infra.dead_lettered") == []
    assert stage.models.rows("infra.quarantine") == []

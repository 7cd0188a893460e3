"""A discard and a redrive reach both forms of a read model, or a switch between them is refused."""

from collections.abc import Sequence

import pytest

from projections import operating, redrives, set_aside
from projections.beside import counting, switching
from projections.beside.switching import FormsRefused
from projections.checkpoints import Fenced
from projections.rebuild.filling import Unsettled, connect
from projections.records import Record
from schemas.envelope import key_of
from tests.integration.projections.listed import Listed
from tests.integration.projections.releases import NEW_ROWS, OLD_ROWS, PARTITIONS, Stage
from tests.integration.projections.test_redrives import discarded
from tests.unit.projections.stories import BEGIN

EVERY = range(PARTITIONS)
BROKEN = b"\0\0\0\0\1short"
REFUSED = "alter table assets_v2.assets add constraint refused check (status = 'requested')"
ACCEPTED = "alter table assets_v2.assets drop constraint refused"


async def with_poison(stage: Stage) -> tuple[Record, list[Record]]:
    """The old form sets the second record of an asset aside, which the new one can fold."""
    stage.models.conn.execute(REFUSED.encode())
    stage.models.open()
    records = await stage.tell("a")
    stage.models.apply(*([record] for record in records))
    stage.models.conn.execute(ACCEPTED.encode())
    assert [each for (each,) in stage.models.rows("infra.quarantine", "blocking", '"offset"')][:2] == [
        True,
        False,
    ]
    return records[1], records


def tell_discard(stage: Stage, bad: Record) -> list[Record]:
    stage.log.append(discarded(stage.models, stage.stories, bad))
    return stage.log.partitions[bad.partition]


def replayed(stage: Stage, records: Sequence[Record]) -> None:
    """What is set aside is read again by the old form, and what is left by it and the new one."""
    stage.models.redrive(lambda partition, offsets: [stage.log.partitions[partition][n] for n in offsets])
    stage.new.open()
    stage.new.apply(records)


async def test_what_only_the_old_form_set_aside_and_was_discarded_is_taken_out_of_the_new_one(
    stage: Stage,
) -> None:
    bad, records = await with_poison(stage)
    stage.new.open()
    stage.new.fill(stage.log, *EVERY)
    assert stage.rows(NEW_ROWS) != stage.rows(OLD_ROWS), "the new form has folded it"
    records = tell_discard(stage, bad)
    stage.models.apply(records[stage.models.positions[bad.partition] :])
    with pytest.raises(Fenced, match="discarded since"):
        stage.new.apply(records)
    caught_up = "update infra.checkpoints set next_offset = 5 where beside and partition = %s"
    stage.models.conn.execute(caught_up, (bad.partition,))
    with pytest.raises(FormsRefused, match=r"lifecycle_v4 has folded a record that was discarded since"):
        switching.switch(stage.models.conn, stage.new.whole, pause=lambda _: None)
    assert operating.make_good(stage.new.conn, stage.new.loop), "as its projector does when it opens"
    assert not operating.make_good(stage.models.conn, stage.was), "what is served has left it out"
    replayed(stage, records)
    assert stage.rows(NEW_ROWS) == stage.rows(OLD_ROWS)
    assert switching.switch(stage.models.conn, stage.new.whole) == ["assets_v3", "lifecycle_v4"]


async def test_a_discard_that_comes_while_a_partition_is_filled_has_it_filled_anew(stage: Stage) -> None:
    bad, _ = await with_poison(stage)
    stage.new.open()
    records = tell_discard(stage, bad)
    read = Listed.read

    class Late(Listed):
        def read(self, until: int, most: int) -> list[Record]:
            found = read(self, until, most)
            if found and found[-1].offset < 5:
                stage.models.apply(records[stage.models.positions[bad.partition] :])
            return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.integration.projections.releases.Listed", Late)
        with pytest.raises(Unsettled, match="discarded meanwhile"):
            stage.new.fill(stage.log, bad.partition)
    stage.new.fill(stage.log, *EVERY)
    replayed(stage, records)
    assert stage.rows(NEW_ROWS) == stage.rows(OLD_ROWS)


async def test_a_redrive_is_asked_of_both_forms_and_a_switch_waits_for_it(stage: Stage) -> None:
    await stage.tell("a")
    key = str(stage.stories.asset_id("a")).encode()
    bad = stage.log.put(key, BROKEN)
    records = await stage.tell("a", "b")
    stage.models.open()
    stage.models.apply(records)
    stage.new.open()
    stage.new.fill(stage.log, *EVERY)
    stage.new.open()
    redrives.ask(stage.models.conn, topic=stage.was.topic, partition=bad.partition, key=key, now=BEGIN)
    with pytest.raises(FormsRefused, match="lifecycle_v4 has 1 keys to read again"):
        switching.switch(stage.models.conn, stage.new.whole, pause=lambda _: None)
    assert stage.new.redrive(stage.log)
    assert not stage.new.redrive(stage.log)
    assert switching.switch(stage.models.conn, stage.new.whole) == ["assets_v3", "lifecycle_v4"]


async def test_a_discard_lets_go_of_what_both_forms_have_set_aside(stage: Stage) -> None:
    await stage.tell("a")
    bad = stage.log.put(str(stage.stories.asset_id("a")).encode(), BROKEN)
    records = await stage.tell("a")
    stage.models.open()
    stage.models.apply(records)
    stage.new.open()
    stage.new.fill(stage.log, *EVERY)
    records = tell_discard(stage, bad)
    stage.models.apply(records[stage.models.positions[bad.partition] :])
    assert not set_aside.any_late(stage.models.conn, stage.new.loop)
    replayed(stage, records)
    assert stage.new.redrive(stage.log)
    while stage.new.redrive(stage.log):
        pass
    assert stage.models.rows("infra.quarantine") == []
    assert stage.rows(NEW_ROWS) == stage.rows(OLD_ROWS)


async def test_a_fill_goes_on_behind_what_its_projector_has_set_aside(stage: Stage) -> None:
    stage.log.append(stage.stories.requested("a", await stage.stories.owner("ada")))
    bad = stage.log.put(str(stage.stories.asset_id("a")).encode(), BROKEN)
    stage.models.open()
    stage.models.apply(list(stage.log.records()))
    stage.new.open()
    stage.new.apply(list(stage.log.records()))
    records = await stage.tell("a")
    stage.models.apply(records[2:])
    stage.new.fill(stage.log, *EVERY)
    aside = set(stage.models.rows("infra.quarantine", 'version, "offset", code'))
    of_old = {each[1:] for each in aside if each[0] == 3}
    assert len(of_old) == 5
    assert {each[1:] for each in aside if each[0] == 4} == of_old
    records = tell_discard(stage, bad)
    stage.models.apply(records[stage.models.positions[bad.partition] :])
    stage.new.fill(stage.log, *EVERY)
    stage.new.open()
    assert stage.new.positions == stage.models.positions
    replayed(stage, records)
    assert stage.new.redrive(stage.log)
    assert stage.models.rows("infra.quarantine") == []
    assert stage.rows(NEW_ROWS) == stage.rows(OLD_ROWS)


async def test_what_only_the_new_form_has_set_aside_speaks_against_a_switch(stage: Stage) -> None:
    bad, _ = await with_poison(stage)
    stage.new.open()
    stage.new.fill(stage.log, *EVERY)
    conn, new = stage.models.conn, stage.new.whole
    with connect(stage.settings) as holder:
        assert counting.count(conn, holder, new).only_beside == 0
        conn.execute("update infra.quarantine set version = 4")
        counted = counting.count(conn, holder, new)
    assert counted.only_beside == 3
    assert not counted.same
    assert key_of(stage.stories.requested("a", await stage.stories.owner("ada"))) == bad.key

"""A new form of read models is built beside the one that is served, switched to, gone back from, dropped."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from ops import read_models_forms
from ops.erasures.rows import reached
from projections import checkpoints, operating
from projections.beside import counting, switching
from projections.beside.counting import Counted
from projections.beside.finding import FoldIsServed
from projections.beside.following import Ahead, FailsBeside
from projections.beside.switching import FormsRefused
from projections.checkpoints import Fenced, FormsChanged, Loop
from projections.folding import Verdict
from projections.forms import VIEWS
from projections.rebuild.filling import connect
from tests.integration.projections.live import until
from tests.integration.projections.releases import NEW, NEW_ROWS, OLD_ROWS, Stage, of_the_next_release


async def test_a_new_form_is_filled_beside_and_switched_to_and_gone_back_from(stage: Stage) -> None:
    records = await stage.tell("a", "b")
    stage.old.apply(records)
    before = stage.shown()
    assert stage.new.open().beside
    assert {model.name for model in stage.new.loop.models} == set(NEW)
    stage.new.apply(records[:3])
    with pytest.raises(FormsRefused, match=r"5 records behind"):
        switching.switch(stage.models.conn, stage.new.whole, pause=lambda _: None)
    assert stage.shown() == before
    stage.new.open()  # as after a kill: it goes on from its own checkpoints
    stage.new.apply(records)
    assert stage.rows(NEW_ROWS) == stage.rows(OLD_ROWS)
    assert switching.switch(stage.models.conn, stage.new.whole) == ["assets_v3", "lifecycle_v4"]
    assert (stage.shown_from(), stage.shown()) == ("assets_v3", before)

    more = await stage.tell("c")
    with pytest.raises(Fenced, match="other forms"):
        stage.old.apply(more)
    with pytest.raises(FormsChanged):
        stage.models.open()
    assert not stage.new.open().beside
    stage.new.apply(more)
    assert stage.old.open().beside
    stage.old.apply(more)
    assert len(stage.shown()) == 3
    assert stage.rows(NEW_ROWS) == stage.rows(OLD_ROWS)

    with pytest.raises(FormsRefused, match="of another release"):
        read_models_forms.refuse_to_go_back(stage.models.conn, stage.new.whole)
    switching.switch(stage.models.conn, stage.old.whole)
    assert stage.shown_from() == "assets_v2"
    last = await stage.tell("d")
    stage.old.open()
    stage.old.apply(last)
    assert len(stage.shown()) == 4


async def test_an_operator_sees_what_stands_beside_and_makes_no_copies_meanwhile(stage: Stage) -> None:
    conn, new = stage.models.conn, stage.new.whole
    records = await stage.tell("a", "b")
    stage.old.apply(records)
    assert read_models_forms.described(conn, stage.was) is None
    assert read_models_forms.unserved(conn, stage.was, ["assets", "jobs"]) == []
    with pytest.raises(
        FormsRefused, match=r"lifecycle of this release are not there yet; .*rebuild lifecycle"
    ):
        switching.require_there(conn, new)
    assert read_models_forms.unkept(conn, new) is not None
    stage.new.open()
    assert read_models_forms.unkept(conn, new) is None
    stage.new.apply(records[:6])
    assert read_models_forms.unserved(conn, new, ["assets"]) == ["assets"]
    with pytest.raises(FormsRefused, match="name them by themselves"):
        read_models_forms.unserved(conn, new, ["assets", "jobs"])
    with pytest.raises(FormsRefused, match="`switch` to them or `drop`"):
        read_models_forms.require_one_form(conn, stage.was)
    said = read_models_forms.described(conn, new)
    assert said is not None
    assert read_models_forms.sentences(said) == [
        f"{form} of {stage.was.topic} stands beside what is served, 2 records behind."
        for form in ("assets v3", "lifecycle v4")
    ]
    with connect(stage.settings) as holder:
        assert counting.count(conn, holder, new).behind == 2
        stage.new.apply(records)
        counted = counting.count(conn, holder, new)
        assert counted.same
        assert counted.positions == stage.old.positions
        assert [(one.served, one.beside, one.alike) for one in counted.tables] == [(2, 2, True)] * 2
        conn.execute("update assets_v3.assets set title = 'another'")
        counted = counting.count(conn, holder, new)
        assert counted.same
        assert [one.alike for one in counted.tables] == [False, True]
        conn.execute("delete from assets_v3.assets")
        assert not counting.count(conn, holder, new).same


async def test_who_freezes_over_a_comparison_holds_what_is_served_for_seconds_only(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.old.apply(await stage.tell("a"))
    stage.new.open()
    limits: list[str] = []

    def reached(holder: psycopg.Connection[Any], _: Loop) -> None:
        limits.extend(row[0] for row in holder.execute("show idle_in_transaction_session_timeout"))

    monkeypatch.setattr(switching, "reached", reached)
    with connect(stage.settings) as conn, connect(stage.settings) as holder:
        counting.count(conn, holder, stage.new.whole)
    assert limits == ["10s"]


async def test_both_are_compared_at_one_position_while_they_go_on(stage: Stage) -> None:
    stage.new.open()
    over = threading.Event()

    def go_on() -> None:
        for number in range(1_000):
            if over.is_set():
                return
            stage.log.append(*stage.stories.whole(number, ada))
            records = list(stage.log.records())
            stage.old.apply(records)
            stage.new.apply(records)

    ada = await stage.stories.owner("ada")
    found: list[Counted] = []
    with (
        ThreadPoolExecutor(1) as another,
        connect(stage.settings) as conn,
        connect(stage.settings) as holder,
    ):

        def counted() -> Counted:
            found.append(counting.count(conn, holder, stage.new.whole))
            return found[-1]

        going = another.submit(go_on)
        try:
            until(lambda: counted().positions != found[0].positions and len(found) > 20, "them to go on", 60)
        finally:
            over.set()
        going.result(60)
    assert {(one.behind, one.same) for one in found} == {(0, True)}
    assert {table.alike for one in found for table in one.tables} == {True}


async def test_what_is_beside_never_passes_what_is_served(stage: Stage) -> None:
    records = await stage.tell("a", "b", "c")
    served = [record for record in records if record.offset < 2]
    stage.old.apply(served)
    stage.new.open()
    with pytest.raises(Ahead):
        stage.new.apply(records)
    assert stage.new.positions == stage.old.positions
    assert switching.missing(stage.models.conn, stage.new.whole) == 0


async def test_a_bug_in_the_new_form_ends_its_projector_and_names_the_record(stage: Stage) -> None:
    records = await stage.tell("a", "b")
    stage.old.apply(records)
    before = stage.models.dump()
    fold = stage.new.plan.streams.fold

    def broken(state: Any, event: Any) -> Verdict[Any]:
        if event.event_id == stage.stories.ready("b", event.owner_id).event_id:
            raise ZeroDivisionError
        return fold(state, event)

    stage.new.plan = replace(stage.new.plan, streams=replace(stage.new.plan.streams, fold=broken))
    stage.new.open()
    with pytest.raises(FailsBeside, match=r"/\d at offset \d+: fold_failed"):
        stage.new.apply(records)
    assert stage.models.dump() == before
    assert stage.models.rows("infra.dead_lettered") == []
    assert stage.models.rows("infra.quarantine") == []


async def test_only_what_nobody_serves_or_keeps_is_dropped(stage: Stage) -> None:
    records = await stage.tell("a")
    stage.old.apply(records)
    stage.new.open()
    stage.new.apply(records)
    switching.switch(stage.models.conn, stage.new.whole)
    with pytest.raises(FormsRefused, match="still keeps lifecycle_v3"):
        switching.drop(stage.models.conn, stage.new.whole)
    stage.old.close()
    stage.models.database.drop()
    until(lambda: not switching.kept(stage.models.conn, stage.was, 3), "Postgres to let go of what they held")
    assert switching.drop(stage.models.conn, stage.new.whole) == ["assets_v2", "lifecycle_v3"]
    assert len(stage.shown()) == 1
    kept = stage.models.rows("infra.checkpoints", "distinct read_model, version")
    assert set(kept) == {(model.name, model.version) for model in stage.new.whole.models}


async def test_views_that_only_a_release_reads_whose_forms_are_gone_go_with_the_last_of_them(
    stage: Stage,
) -> None:
    conn = stage.models.conn
    stage.old.apply(await stage.tell("a"))
    stage.new.open()
    conn.execute("create schema reads_next create view links as select * from links_v1.links")
    views = "select nspname from pg_namespace where nspname like 'reads%' order by 1"
    stage.new.close()
    assert conn.execute(views).fetchall() == [(VIEWS,), ("reads_next",)]
    until(lambda: not switching.kept(conn, stage.was, 4), "Postgres to let go of what the new one held")
    assert switching.drop(conn, stage.was) == ["assets_v3", "lifecycle_v4"]
    assert conn.execute(views).fetchall() == [(VIEWS,)]
    assert len(stage.shown()) == 1


def test_a_new_form_without_a_new_fold_is_refused(stage: Stage) -> None:
    release = stage.release(of_the_next_release(stage.was, ("assets",)))
    with closing(release), pytest.raises(FoldIsServed, match="assets have a form that is not served"):
        release.open()


async def test_an_installation_replays_in_place_only_what_nobody_keeps(stage: Stage) -> None:
    records = await stage.tell("a")
    stage.old.apply(records)
    assert operating.renew(stage.models.conn, stage.new.whole) == ()
    assert len(stage.shown()) == 1
    stage.new.open()
    stage.new.apply(records)
    stage.close()
    until(lambda: not switching.kept(stage.models.conn, stage.was, 3), "Postgres to let go of what they held")
    until(lambda: not switching.kept(stage.models.conn, stage.was, 4), "Postgres to let go of what they held")
    assert operating.renew(stage.models.conn, stage.new.whole) == ()
    assert stage.shown_from() == "assets_v3"
    stage.models.database.drop()
    assert operating.renew(stage.models.conn, stage.was) == ()
    assert stage.shown_from() == "assets_v2"


async def test_an_installation_folds_anew_what_may_not_be_switched_to(stage: Stage) -> None:
    records = await stage.tell("a")
    stage.old.apply(records)
    stage.new.open()
    stage.new.apply(records)
    stage.close()
    until(lambda: not switching.kept(stage.models.conn, stage.was, 3), "Postgres to let go of what they held")
    until(lambda: not switching.kept(stage.models.conn, stage.was, 4), "Postgres to let go of what they held")
    stage.models.conn.execute(b"update infra.checkpoints set late = true where beside")
    assert set(operating.renew(stage.models.conn, stage.new.whole)) == set(NEW)
    assert stage.shown_from() == "assets_v3"
    assert stage.shown() == []
    stage.new.open()
    stage.new.apply(records)
    assert len(stage.shown()) == 1


async def test_rows_beside_hold_an_erasure_back_until_they_have_it_or_are_dropped(stage: Stage) -> None:
    records = await stage.tell("a")
    stage.old.apply(records)
    stage.new.open()
    stage.new.apply(records[:2])
    assert reached(stage.models.conn, stage.was.topic, stage.new.positions)
    assert not reached(stage.models.conn, stage.was.topic, stage.old.positions)
    stage.new.apply(records)
    assert reached(stage.models.conn, stage.was.topic, stage.old.positions)


async def test_the_doors_of_a_release_read_its_own_forms(stage: Stage) -> None:
    """Own views are of this code's forms; while those lag behind served ones, the doors are not ready."""
    records = await stage.tell("a")
    stage.old.apply(records)
    url = stage.settings.postgres.url.get_secret_value()
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as conn:
        assert await checkpoints.readable(conn)
        stage.new.open()
        stage.new.apply(records)
        switching.switch(stage.models.conn, stage.new.whole)
        assert await checkpoints.readable(conn)
        assert stage.models.rows(f"{VIEWS}.assets") == stage.shown()
        behind = "update infra.checkpoints set next_offset = 5000 where not beside"
        stage.models.conn.execute(behind.encode())
        assert not await checkpoints.readable(conn)

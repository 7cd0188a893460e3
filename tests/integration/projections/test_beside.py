"""A new form of read models is built beside the one that is served, switched to, gone back from, dropped."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from adapters.clock import FixedClock
from adapters.failpoints import Failpoints
from adapters.settings import Settings
from ops import read_models_forms
from ops.erasures.rows import reached
from projections import checkpoints, operating
from projections.aside_limit import AsideLimit
from projections.batches import Batches
from projections.beside import counting, switching
from projections.beside.finding import FoldIsServed, loop_now
from projections.beside.following import Ahead, FailsBeside, Following, Silent
from projections.beside.switching import FormsRefused
from projections.checkpoints import Fenced, FormsChanged, Loop
from projections.database import Database
from projections.folding import Verdict
from projections.forms import VIEWS, form_of
from projections.plan import Plan
from projections.plans import plan_of
from projections.records import Reading, Record
from projections.tables import standing_in
from schemas.codec import Codec
from tests.integration.projections.rows import HandFolded, dump, prepare
from tests.servers import World
from tests.unit.projections.stories import PlainLog, Stories

PARTITIONS = 4
NEW = ("assets", "lifecycle")
OLD_ROWS = "assets_v2.assets"
NEW_ROWS = "assets_v3.assets"


def of_the_next_release(loop: Loop, names: Sequence[str] = NEW) -> Loop:
    """The loop where these read models have their next version."""
    models = tuple(replace(m, version=m.version + 1) if m.name in names else m for m in loop.models)
    (fold,) = (model for model in models if model.name == loop.fold.name)
    return replace(loop, models=models, fold=fold, form=form_of(models))


class Release:
    """The projector of a release turned by hand: it is what `loop_now` says, and keeps behind when beside."""

    def __init__(self, settings: Settings, stories: Stories, whole: Loop, was: Loop) -> None:
        self.whole = whole
        self.database = Database(settings, "test")
        self.plan: Plan[Any, Any, Any] = plan_of(whole.name, stories.keys)
        self._places = {old.schema: new.schema for old, new in zip(was.models, whole.models, strict=True)}
        self.positions: dict[int, int] = {}

    @property
    def conn(self) -> psycopg.Connection[tuple[Any, ...]]:
        return self.database.connection()

    def open(self) -> Loop:
        self.loop = loop_now(self.conn, self.whole)
        self.positions = checkpoints.open_positions(self.conn, self.loop, range(PARTITIONS), "a topic")
        return self.loop

    def apply(self, records: Sequence[Record]) -> None:
        batches = Batches(
            self.loop,
            self.plan.only(model.name for model in self.loop.models),
            partitions=PARTITIONS,
            database=self.database,
            letters=Silent(),
            clock=FixedClock(datetime(2026, 1, 1, tzinfo=UTC)),
            failpoints=Failpoints(),
            limit=AsideLimit(),
            applied=lambda _: None,
        )
        served = lambda: checkpoints.served(self.conn, self.loop.topic)  # noqa: E731
        keeps = Following(batches, served=served, pause=lambda _: None) if self.loop.beside else batches
        rest = [r for r in records if r.offset >= self.positions[r.partition]]
        with standing_in(self._places):
            keeps.apply(Reading(Codec.local(), self.plan.streams.events).read_all(rest), self.positions)

    def close(self) -> None:
        self.database.drop()


class Stage:
    """An old release, whose forms are served, a new one, and their log."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.stories = Stories()
        self.log = PlainLog(PARTITIONS)
        self.models = HandFolded(settings, self.stories.keys, PARTITIONS)
        self.models.begin_anew()
        self.was = self.models.loop
        self.old = self.release(self.was)
        self.new = self.release(of_the_next_release(self.was))
        self.old.open()

    def release(self, whole: Loop) -> Release:
        return Release(self.settings, self.stories, whole, self.was)

    async def tell(self, *assets: object) -> list[Record]:
        ada = await self.stories.owner("ada")
        for asset in assets:
            self.log.append(*self.stories.whole(asset, ada))
        return list(self.log.records())

    def shown(self) -> list[tuple[Any, ...]]:
        return list(self.models.rows("live.assets"))

    def rows(self, table: str) -> list[str]:
        return dump(self.models.conn, table)[table]

    def shown_from(self) -> str:
        query = "select table_schema from information_schema.view_table_usage where view_schema = 'live' "
        (found,) = self.models.conn.execute(query.encode() + b"and view_name = 'assets'").fetchall()
        return str(found[0])

    def close(self) -> None:
        self.old.close()
        self.new.close()
        self.models.close()


@pytest.fixture(scope="module")
def settings(world: World) -> Settings:
    settings = world.settings("beside", DATABASE_URL=world.servers.new_database())
    prepare(settings)
    return settings


@pytest.fixture
def stage(settings: Settings) -> Iterator[Stage]:
    with closing(Stage(settings)) as stage:
        yield stage


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
    with pytest.raises(FormsRefused, match=r"nobody fills the forms of this release.* 8 records are left"):
        read_models_forms.build(conn, new, quiet=True)
    stage.new.open()
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
    assert counting.count(conn, new).behind == 2
    stage.new.apply(records)
    counted = counting.count(conn, new)
    assert counted.same
    assert [(one.served, one.beside) for one in counted.tables] == [(2, 2), (2, 2)]
    conn.execute("delete from assets_v3.assets")
    assert not counting.count(conn, new).same


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
    assert switching.drop(stage.models.conn, stage.new.whole) == ["assets_v2", "lifecycle_v3"]
    assert len(stage.shown()) == 1
    kept = stage.models.rows("infra.checkpoints", "distinct read_model, version")
    assert set(kept) == {(model.name, model.version) for model in stage.new.whole.models}


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
    assert operating.renew(stage.models.conn, stage.new.whole) == ()
    assert stage.shown_from() == "assets_v3"
    stage.models.database.drop()
    assert operating.renew(stage.models.conn, stage.was) == ()
    assert stage.shown_from() == "assets_v2"


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

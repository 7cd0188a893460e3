"""Two releases that have different forms of read models over one log, their projectors turned by hand."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import psycopg

from adapters.clock import FixedClock
from adapters.failpoints import Failpoints
from adapters.settings import Settings
from projections import checkpoints
from projections.aside_limit import AsideLimit
from projections.batches import Batches
from projections.beside import filling
from projections.beside.finding import loop_now
from projections.beside.following import Following, Silent, to_follow
from projections.checkpoints import Loop
from projections.database import Database
from projections.forms import form_of
from projections.plan import Plan
from projections.plans import plan_of
from projections.rebuild.filling import Tools, connect
from projections.records import Reading, Record
from projections.redrives import Redrives
from projections.tables import standing_in
from schemas.codec import Codec
from tests.integration.projections.listed import Listed
from tests.integration.projections.rows import HandFolded, dump
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
        self.settings = settings
        self.whole = whole
        self.database = Database(settings, "test")
        self.plan: Plan[Any, Any, Any] = plan_of(whole.name, stories.keys)
        self.reading = Reading(Codec.local(), self.plan.streams.events)
        self._places = {old.schema: new.schema for old, new in zip(was.models, whole.models, strict=True)}
        self.positions: dict[int, int] = {}

    @property
    def conn(self) -> psycopg.Connection[tuple[Any, ...]]:
        return self.database.connection()

    def open(self) -> Loop:
        self.loop = loop_now(self.conn, self.whole)
        self.positions = checkpoints.open_positions(self.conn, self.loop, range(PARTITIONS), "a topic")
        return self.loop

    def _batches(self) -> Batches[Any, Any, Any]:
        return Batches(
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

    def apply(self, records: Sequence[Record]) -> None:
        batches = self._batches()
        served = lambda: to_follow(self.conn, self.loop)  # noqa: E731
        keeps = Following(batches, served=served, pause=lambda _: None) if self.loop.beside else batches
        rest = [r for r in records if r.offset >= self.positions[r.partition]]
        with standing_in(self._places):
            keeps.apply(self.reading.read_all(rest), self.positions)

    def fill(self, log: PlainLog, *partitions: int, stop_at: int | None = None) -> int:
        """As a process of a rebuild does, over a connection of its own; how many records that took."""
        plan = self.plan.only(model.name for model in self.loop.models)
        tools = Tools(loop=self.loop, plan=plan, reading=self.reading, partitions=PARTITIONS)
        records = 0
        with connect(self.settings) as conn, standing_in(self._places):
            for number in partitions:
                source = partial(Listed, log.partitions[number], stop_at)
                records += filling.fill(conn, tools, source, number)
        return records

    def redrive(self, log: PlainLog) -> bool:
        """Whether there was a key to read again."""
        redrives = Redrives(
            self.loop,
            database=self.database,
            reading=self.reading,
            batches=self._batches(),
            reread=lambda partition, offsets: [log.partitions[partition][offset] for offset in offsets],
        )
        with standing_in(self._places):
            return redrives.step(self.positions)

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

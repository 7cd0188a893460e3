"""The read models in a real database, folded by hand: no broker, batches as the test cuts them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg

from adapters.clock import FixedClock
from adapters.dead_letters import InMemoryDeadLetters
from adapters.failpoints import Failpoints
from adapters.migrating import migrate
from adapters.sealing import Seals
from adapters.settings import Settings
from projections import forms, operating, read_models
from projections.aside_limit import AsideLimit
from projections.batches import Batches
from projections.checkpoints import LoopName, live_loop, open_positions
from projections.database import Database
from projections.folding import Folded
from projections.plans import plan_of
from projections.records import Reading, Record
from projections.redrives import Redrives, Reread
from schemas.codec import Codec

TABLES = (
    "activity_v3.activity",
    "assets_v2.assets",
    "jobs_v2.jobs",
    "lifecycle_v3.states",
    "links_v1.links",
    "storage_v1.storage",
    "usage_v1.usage",
)
IDENTITY_TABLES = (
    "account_activity_v3.account_activity",
    "account_states_v3.account_states",
    "accounts_v1.accounts",
    "api_keys_v1.api_keys",
    "erasures_v1.erasures",
    "sessions_v1.sessions",
)
OPERATIONS_TABLES = ("operation_states_v2.operation_states", "preset_sets_v1.preset_sets", "runs_v2.runs")
TABLES_OF: Mapping[LoopName, tuple[str, ...]] = {
    "assets": TABLES,
    "identity": IDENTITY_TABLES,
    "operations": OPERATIONS_TABLES,
}
SCHEMAS = ("live", *(model.schema for model in forms.EVERY))
SET_ASIDE = "infra.quarantine"

Dump = dict[str, list[str]]


def prepare(settings: Settings) -> None:
    """Migrates and installs."""
    migrate(settings)
    with psycopg.connect(settings.postgres.url.get_secret_value()) as conn:
        read_models.install(conn)


def dump(conn: psycopg.Connection[tuple[Any, ...]], *tables: str) -> Dump:
    """Every row of the tables as text, in an order of its own."""
    query = "select t::text from {} t order by 1"
    return {
        table: [row[0] for row in conn.execute(query.format(table).encode()).fetchall()]
        for table in tables or TABLES
    }


class HandFolded:
    """A loop of the live read models that a test turns by hand; `letters` are its dead letters."""

    def __init__(
        self,
        settings: Settings,
        keys: Seals,
        partitions: int,
        codec: Codec | None = None,
        loop: LoopName = "assets",
    ) -> None:
        self.loop = live_loop(settings.kafka.topics, loop)
        self.tables = TABLES_OF[loop]
        self.letters = InMemoryDeadLetters()
        self.folded: list[Folded[Any, Any, Any]] = []
        self.database = Database(settings, "test")
        self.partitions = partitions
        self._codec = codec or Codec.local()
        self.positions: dict[int, int] = {}
        self.use(keys)

    def use(self, keys: Seals, failpoints: str = "") -> None:
        """From here on seals are opened with these keys, and these failpoints are set."""
        self._keys = keys
        plan = plan_of(self.loop.name, keys)
        self._reading = Reading(self._codec, plan.streams.events)
        self.batches = Batches(
            self.loop,
            plan,
            partitions=self.partitions,
            database=self.database,
            letters=self.letters,
            clock=FixedClock(datetime(2026, 1, 1, tzinfo=UTC)),
            failpoints=Failpoints(failpoints),
            limit=AsideLimit(),
            applied=self.folded.append,
        )

    def open(self) -> None:
        """Takes the positions from the checkpoints."""
        self.positions = open_positions(self.conn, self.loop, range(self.partitions), "a topic")

    @property
    def conn(self) -> psycopg.Connection[tuple[Any, ...]]:
        return self.database.connection()

    def apply(self, *batches: Iterable[Record]) -> None:
        """Applies each batch in its turn."""
        for batch in batches:
            self.batches.apply(self._reading.read_all(batch), self.positions)

    def redrive(self, reread: Reread) -> int:
        """Reads again what somebody asked for, to the end; how many steps that took."""
        redrives = Redrives(
            self.loop, database=self.database, reading=self._reading, batches=self.batches, reread=reread
        )
        steps = 0
        while redrives.step(self.positions):
            steps += 1
            assert steps < 1_000, "a redrive that never ends"
        return steps

    def begin_anew(self) -> None:
        """Empties everything, tables made anew."""
        operating.reset(self.conn, self.loop)
        self.wipe()

    def wipe(self) -> None:
        """Empties every table, as for the next example of a property."""
        soft = ("infra.dead_lettered", "infra.redrives", "infra.discards")
        names = ", ".join((*self.tables, SET_ASIDE, *soft))
        self.conn.execute(f"truncate {names}".encode())
        self.conn.execute("update infra.checkpoints set next_offset = 0, topic_id = null, late = false")
        self.letters.letters.clear()
        self.folded.clear()
        self.use(self._keys)
        self.open()

    def dump(self, *tables: str) -> Dump:
        return dump(self.conn, *(tables or self.tables))

    def rows(self, table: str, columns: str = "*", order: str = "1") -> Sequence[tuple[Any, ...]]:
        return self.conn.execute(f"select {columns} from {table} order by {order}".encode()).fetchall()  # noqa: S608

    def close(self) -> None:
        self.database.drop()

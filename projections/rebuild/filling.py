"""Fills one partition of copies from the log's beginning, and has them follow from there on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import psycopg
from psycopg import Connection

from adapters.read_store import conninfo
from adapters.sealing import Seals
from adapters.settings import Settings
from projections.checkpoints import Loop
from projections.folding import BlockedKey, Folded, Given, SetAside, fold_batch, touched
from projections.plan import Plan
from projections.plans import plan_of
from projections.rebuild import copies
from projections.rebuild.mirror import stand_ins
from projections.rebuild.remembered import Remembered
from projections.records import Read, Reading, Record
from projections.statements import statements
from projections.tables import standing_in
from projections.topic import partitions_of
from schemas.codec import Codec

_SQL: Final = "rebuild/copies.sql"
# Records folded and written at a time: enough that statements cost little, few enough to be held in memory.
_CHUNK: Final = 10_000
# So near to the live rows the projector is kept waiting for the rest.
NEAR: Final = 1_000
# Who is frozen while it keeps a projector waiting loses its transaction.
_FROZEN_SECONDS: Final = 10

Progress = Callable[[int], None]
"""Hears how many records more are filled in."""


class FoldFailed(Exception):
    """A fold raised: the record is named, and nothing of its partition is kept."""


class Unsettled(Exception):
    """What is set aside differs from what the live read models have set aside; the text says what to do."""


class AlreadyFollows(Exception):
    """Nothing is left to do in this partition, or another is at it."""


class Source(Protocol):
    """The records of one partition from its beginning."""

    position: int

    def read(self, until: int, most: int) -> list[Record]:
        """As Span says."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What filling needs beside a connection and the log."""

    loop: Loop
    plan: Plan[Any, Any, Any]
    reading: Reading[Any]
    partitions: int

    @classmethod
    def of(cls, settings: Settings, loop: Loop, codec: Codec, keys: Seals) -> "Tools":
        """Those of a loop; what is sealed is opened with `keys`."""
        plan = plan_of(loop.name, keys)
        reading = Reading(codec, plan.streams.events)
        partitions = partitions_of(settings.kafka, loop.topic)
        return cls(loop=loop, plan=plan, reading=reading, partitions=partitions)


def fill(
    conn: Connection[Any],
    tools: Tools,
    names: Sequence[str],
    source: Source,
    partition: int,
    progress: Progress = lambda _: None,
) -> int:
    """Fills the partition of these copies in one transaction, at whose end they follow; returns the records.

    Nothing outside the copies changes but the live checkpoint's mark. Dead letters are counted, not sent.
    Raises FoldFailed, Unsettled, AlreadyFollows, KeyTrouble, OffsetOutOfRange, and what broker and database
    raise; then the partition is as empty as before.
    """
    filling = _OfCopies(conn, tools, tuple(names), source, partition, progress)
    try:
        with conn.transaction():
            if not copies.held(conn, tools.loop, f"{','.join(names)} {partition}", for_long=False):
                raise AlreadyFollows
            with standing_in(stand_ins(tools.loop, tuple(names))):
                return filling.run()
    finally:
        tools.plan.clear.forget()


class Filling:
    """One partition on its way into the rows of some read models; who knows which says where it ends."""

    def __init__(
        self,
        conn: Connection[Any],
        tools: Tools,
        names: tuple[str, ...],
        source: Source,
        partition: int,
        progress: Progress,
    ) -> None:
        self._conn = conn
        self._tools = tools
        self._names = names
        self._source = source
        self._partition = partition
        self._progress = progress
        self._states: Remembered[Any, Any] = Remembered(conn, tools.plan.states)
        self._blocked: frozenset[BlockedKey] = frozenset()
        self._records = 0

    def run(self) -> int:
        """Fills to the end, in the caller's transaction; returns how many records that took."""
        self._discarded = self._discards()
        while (goal := self._goal()) - self._source.position > NEAR:
            self._to(goal)
        self._to(self._last_goal())
        self._settle()
        return self._records

    def _goal(self) -> int:
        """The offset to which there is something to fill in, as of now."""
        raise NotImplementedError

    def _last_goal(self) -> int:
        """The offset at which it ends."""
        raise NotImplementedError

    def _settle(self) -> None:
        """Looks whether it may stand as it is, and says that it does."""
        raise NotImplementedError

    def _look_at(self, set_aside: Sequence[SetAside]) -> None:
        """Hears what of a batch was not folded."""
        raise NotImplementedError

    def _known(self, ids: Sequence[Any]) -> dict[Any, Any]:
        """The states of those streams that have one."""
        return self._states.load(ids)

    def _to(self, until: int) -> None:
        while records := self._source.read(until, _CHUNK):
            self._take(self._tools.reading.read_all(records))

    def _take(self, batch: Sequence[Read[Any]]) -> None:
        plan, loop = self._tools.plan, self._tools.loop
        folded: Folded[Any, Any, Any] = fold_batch(batch, self._given(batch))
        self._look_at(folded.set_aside)
        for name in self._names:
            plan.writers[name](self._conn, loop.topic, folded)
        self._states.keep(folded.changed)
        plan.clear.forget()
        self._records += len(batch)
        self._progress(len(batch))

    def _given(self, batch: Sequence[Read[Any]]) -> Given[Any, Any, Any]:
        streams = self._tools.plan.streams
        return Given(
            streams=streams,
            partitions=self._tools.partitions,
            states=self._known(touched(batch, streams.id_of_key)),
            blocked=self._blocked,
            check=self._tools.plan.clear.check,
            condemned={},
            discarded=self._discarded,
            shortcut=self._tools.plan.shortcut_for(self._names),
        )

    def _discards(self) -> frozenset[tuple[int, int]]:
        named = {"topic": self._tools.loop.topic, "partition": self._partition}
        return frozenset(self._conn.execute(statements(_SQL)["discards"], named).fetchall())


class _OfCopies(Filling):
    """Fills copies to where the live rows stand, under the lock of the live checkpoint."""

    def __init__(
        self,
        conn: Connection[Any],
        tools: Tools,
        names: tuple[str, ...],
        source: Source,
        partition: int,
        progress: Progress,
    ) -> None:
        super().__init__(conn, tools, names, source, partition, progress)
        self._aside: list[int] = []

    def _look_at(self, set_aside: Sequence[SetAside]) -> None:
        for aside in set_aside:
            if aside.kind == "internal":
                place = f"{self._tools.loop.topic}/{aside.record.partition} at offset {aside.record.offset}"
                raise FoldFailed(f"{place}: {aside.code} ({aside.fault})")
            if aside.kind != "not_ours":
                self._aside.append(aside.record.offset)
            if aside.blocks:
                self._blocked |= {(aside.record.partition, aside.record.key)}

    def _goal(self) -> int:
        rows = self._conn.execute(statements("checkpoints.sql")["read"], self._scope()).fetchall()
        if not rows:
            raise copies.CopyRefused(f"the live read models of {self._tools.loop.topic} have no checkpoints")
        position: int = rows[0][1]
        return position

    def _last_goal(self) -> int:
        """Keeps the projector from this partition, to the transaction's end; where the live rows stand."""
        hold_briefly(self._conn)
        rows = self._conn.execute(statements(_SQL)["lock_partition"], self._scope()).fetchall()
        for name, _, copied in rows:
            if copied and name in self._names:
                raise AlreadyFollows
        position: int = rows[0][1]
        if position < self._source.position:
            raise Unsettled("the live read models were sent back meanwhile; begin the rebuild again")
        return position

    def _settle(self) -> None:
        """Both must have left out the same records, or their rows could never be the same."""
        loop = self._tools.loop
        scope = {"read_model": loop.fold.name, "version": loop.fold.version, "topic": loop.topic}
        named = scope | {"partition": self._partition}
        live = [row[0] for row in self._conn.execute(statements(_SQL)["set_aside"], named).fetchall()]
        if live != self._aside or self._discards() != self._discarded:
            raise Unsettled(
                f"{loop.topic}/{self._partition}: the live read models have {len(live)} records set aside, a "
                f"rebuild {len(self._aside)}; redrive or discard what is set aside, then rebuild again"
            )
        records = dict.fromkeys(self._names, self._records)
        copies.follow(self._conn, loop, self._names, self._partition, records)

    def _scope(self) -> dict[str, Any]:
        return self._tools.loop.scope([self._partition])


def hold_briefly(conn: Connection[Any]) -> None:
    """Whoever freezes from here on, while others wait for it, loses the transaction."""
    conn.execute(f"set local idle_in_transaction_session_timeout = '{_FROZEN_SECONDS}s'".encode())


def connect(settings: Settings) -> psycopg.Connection[Any]:
    """A connection for filling: nothing cuts its long transactions."""
    return psycopg.connect(conninfo(settings, "rebuild"), autocommit=True)

"""Applies a batch: checkpoints, states, rows and the word that they are there, in one transaction."""

from collections.abc import Callable, Collection, Hashable, Mapping, MutableMapping, Sequence
from dataclasses import asdict
from typing import Any, Generic, TypeVar

import psycopg
import structlog
from psycopg import Connection

from adapters.clock import Clock
from adapters.dead_letters import DeadLetterNotWritten, DeadLetters
from adapters.dead_letters.thickness import LONGEST_RUN
from adapters.failpoints import FailpointHit, Failpoints
from adapters.subject_keys import KeyTrouble
from projections import checkpoints, operating, set_aside
from projections.aside_limit import AsideLimit, Held
from projections.beside.following import FailsBeside
from projections.checkpoints import Copied, Fenced, Loop
from projections.database import Database
from projections.discards import discards_in
from projections.folding import Folded, Given, Place, fold_batch, touched
from projections.plan import Plan
from projections.rebuild import mirror
from projections.records import Read

_Id = TypeVar("_Id", bound=Hashable)
_State = TypeVar("_State")
_Event = TypeVar("_Event")

_NO_FAULT_OF_A_RECORD = (
    DeadLetterNotWritten,
    FailpointHit,
    FailsBeside,
    Fenced,
    Held,
    KeyTrouble,
    MemoryError,
)

_log = structlog.get_logger(__name__)


class _TooMany(Exception):
    """More than the limit is to be set aside at once: in smaller batches the limit is met in time."""


class Batches(Generic[_Id, _State, _Event]):
    """Applies the batches of one loop, one after the other."""

    def __init__(
        self,
        loop: Loop,
        plan: Plan[_Id, _State, _Event],
        *,
        partitions: int,
        database: Database,
        letters: DeadLetters,
        clock: Clock,
        failpoints: Failpoints,
        limit: AsideLimit,
        applied: Callable[[Folded[_Id, _State, _Event]], None],
    ) -> None:
        """`partitions` is how many the topic has; `limit` and `applied` hear of committed transactions."""
        self._loop = loop
        self._plan = plan
        self._partitions = partitions
        self._database = database
        self._letters = letters
        self._clock = clock
        self._failpoints = failpoints
        self._limit = limit
        self._applied = applied

    def apply(self, batch: Sequence[Read[_Event]], positions: MutableMapping[int, int]) -> None:
        """Applies the batch and moves `positions`, which must be those of the checkpoints.

        Rows that the database refuses are looked for in ever smaller batches, each committed by itself, and
        their record set aside. Raises Fenced when the checkpoints were moved by another, Held once too much
        was set aside, and for an outage psycopg.Error, DeadLetterNotWritten, KeyTrouble: what was committed
        until then stands, and has moved `positions`.
        """
        self._in_parts(batch, lambda part, condemned: self._commit(part, positions, condemned))

    def again(self, batch: Sequence[Read[_Event]], positions: Mapping[int, int]) -> None:
        """Folds records of one key that were set aside, in their order; checkpoints stay where they are.

        What can't be folded now either stays set aside, and so do those after it. Raises as `apply` does.
        """
        self._in_parts(batch, lambda part, condemned: self._commit_again(part, positions, condemned))

    def _in_parts(
        self,
        batch: Sequence[Read[_Event]],
        commit: Callable[[Sequence[Read[_Event]], Mapping[Place, Exception]], None],
    ) -> None:
        try:
            commit(batch, {})
        except Exception as error:
            if not _lies_in_a_record(error):
                raise
            if len(batch) > 1:
                middle = len(batch) // 2
                self._in_parts(batch[:middle], commit)
                self._in_parts(batch[middle:], commit)
            else:
                record = batch[0].record
                commit(batch, {(record.partition, record.offset): error})

    def _commit(
        self,
        batch: Sequence[Read[_Event]],
        positions: MutableMapping[int, int],
        condemned: Mapping[Place, Exception],
    ) -> None:
        self._limit.check()
        moved = {read.record.partition: read.record.offset + 1 for read in batch}
        conn = self._database.connection()
        try:
            with conn.transaction():
                held = {partition: positions[partition] for partition in moved}
                copied = checkpoints.lock(conn, self._loop, held)
                folded = self._fold(conn, batch, condemned, set_aside.standing(conn, self._loop, batch))
                if sum(aside.blocks for aside in folded.set_aside) > LONGEST_RUN:
                    raise _TooMany
                told = self._write(conn, folded, copied)
                late = self._discard(conn, batch)
                began = {partition: positions[partition] for partition in moved}
                checkpoints.advance(conn, self._loop, moved, began, self._plan.changes(folded))
                self._failpoints.hit("projector.before_database_commit")
        finally:
            self._plan.clear.forget()
        self._failpoints.hit("projector.after_database_commit")
        positions.update(moved)
        self._told(conn, folded, told, late=late)

    def _commit_again(
        self,
        batch: Sequence[Read[_Event]],
        positions: Mapping[int, int],
        condemned: Mapping[Place, Exception],
    ) -> None:
        partition = batch[0].record.partition
        conn = self._database.connection()
        try:
            with conn.transaction():
                copied = checkpoints.lock(conn, self._loop, {partition: positions[partition]})
                folded = self._fold(conn, batch, condemned, set_aside.standing_again(conn, self._loop, batch))
                told = self._write(conn, folded, copied)
                set_aside.let_go(conn, self._loop, (read.record for read in batch), folded.set_aside)
                late = self._discard(conn, batch)
                # Rows have changed below positions that were passed long ago: all who remember must look.
                checkpoints.notify(conn, "")
                self._failpoints.hit("projector.before_database_commit")
        finally:
            self._plan.clear.forget()
        self._told(conn, folded, told, late=late)

    def _discard(self, conn: Connection[Any], batch: Sequence[Read[_Event]]) -> bool:
        discards = discards_in(batch, self._loop.topic)
        return bool(discards) and set_aside.discard(conn, self._loop, discards, self._clock)

    def _told(
        self,
        conn: Connection[Any],
        folded: Folded[_Id, _State, _Event],
        told: Collection[Place],
        *,
        late: bool,
    ) -> None:
        self._tell(folded)
        self._limit.count(folded, told)
        self._applied(folded)
        if late:
            # Only where the database was lost since, or a redrive was faster. A replay leaves it out. Who
            # dies here leaves the mark, and the next to open the ground goes by it.
            self._failpoints.hit("projector.before_late_reset")
            operating.make_good(conn, self._loop)

    def _tell(self, folded: Folded[_Id, _State, _Event]) -> None:
        for aside in folded.set_aside:
            if aside.kind != "follows":
                _log.warning(
                    "record.set_aside",
                    topic=self._loop.topic,
                    partition=aside.record.partition,
                    offset=aside.record.offset,
                    kind=aside.kind,
                    code=aside.code,
                    fault=aside.fault and asdict(aside.fault),
                )

    def _fold(
        self,
        conn: Connection[Any],
        batch: Sequence[Read[_Event]],
        condemned: Mapping[Place, Exception],
        standing: set_aside.Standing,
    ) -> Folded[_Id, _State, _Event]:
        given = Given(
            streams=self._plan.streams,
            partitions=self._partitions,
            states=self._plan.states.load(conn, touched(batch, self._plan.streams.id_of_key)),
            blocked=standing.blocked,
            check=self._plan.clear.check,
            condemned=condemned,
            discarded=standing.discarded,
        )
        return fold_batch(batch, given)

    def _write(
        self, conn: Connection[Any], folded: Folded[_Id, _State, _Event], copied: Copied
    ) -> Collection[Place]:
        """Gives the places of the records that have their dead letters by this."""
        told: Collection[Place] = ()
        if folded.set_aside:
            told = set_aside.keep(conn, self._loop, folded.set_aside, self._letters, self._clock)
        self._plan.write(conn, self._loop.topic, folded)
        mirror.write(conn, self._loop, self._plan, folded, copied)
        return told


def _lies_in_a_record(error: Exception) -> bool:
    """Whether a record is to blame: it meets a bug in a fold, or holds what no column takes."""
    if isinstance(error, psycopg.Error):
        return isinstance(error, psycopg.DataError | psycopg.IntegrityError)
    return not isinstance(error, _NO_FAULT_OF_A_RECORD)

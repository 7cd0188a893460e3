"""Applies a batch: checkpoints, states, rows and the word that they are there, in one transaction."""

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

import psycopg
import structlog
from psycopg import Connection

from adapters.clock import Clock
from adapters.dead_letters import DeadLetterNotWritten, DeadLetters
from adapters.failpoints import FailpointHit, Failpoints
from adapters.subject_keys import KeyTrouble
from projections import checkpoints, set_aside
from projections.activity import projection as activity
from projections.assets import projection as assets
from projections.assets.clear import ClearText
from projections.checkpoints import Fenced, Loop
from projections.database import Database
from projections.folding import Folded, Given, fold_batch
from projections.jobs import projection as jobs
from projections.lifecycle import projection as lifecycle
from projections.records import Read
from schemas.decode_errors import DecodeError, UnknownEventType

Place = tuple[int, int]
"""Partition and offset."""

_NO_FAULT_OF_A_RECORD = (
    DeadLetterNotWritten,
    FailpointHit,
    Fenced,
    KeyTrouble,
    MemoryError,
)

_log = structlog.get_logger(__name__)


class Batches:
    """Applies the batches of one loop, one after the other."""

    def __init__(
        self,
        loop: Loop,
        *,
        partitions: int,
        database: Database,
        clear: ClearText,
        letters: DeadLetters,
        clock: Clock,
        failpoints: Failpoints,
        applied: Callable[[Folded], None],
    ) -> None:
        """`partitions` is how many the topic has; `applied` hears of each committed transaction."""
        self._loop = loop
        self._partitions = partitions
        self._database = database
        self._clear = clear
        self._letters = letters
        self._clock = clock
        self._failpoints = failpoints
        self._applied = applied

    def apply(self, batch: Sequence[Read], positions: MutableMapping[int, int]) -> None:
        """Applies the batch and moves `positions`, which must be those of the checkpoints.

        Rows that the database refuses are looked for in ever smaller batches, each committed by itself, and
        their record set aside. Raises Fenced when the checkpoints were moved by another, and for an outage
        (what was committed until then stands, and has moved `positions`): psycopg.Error,
        DeadLetterNotWritten, KeyTrouble.
        """
        try:
            self._commit(batch, positions, {})
        except Exception as error:
            if not _lies_in_a_record(error):
                raise
            if len(batch) > 1:
                middle = len(batch) // 2
                self.apply(batch[:middle], positions)
                self.apply(batch[middle:], positions)
            else:
                record = batch[0].record
                self._commit(batch, positions, {(record.partition, record.offset): error})

    def _commit(
        self,
        batch: Sequence[Read],
        positions: MutableMapping[int, int],
        condemned: Mapping[Place, Exception],
    ) -> None:
        moved = {read.record.partition: read.record.offset + 1 for read in batch}
        conn = self._database.connection()
        try:
            with conn.transaction():
                checkpoints.lock(conn, self._loop, {partition: positions[partition] for partition in moved})
                folded = self._fold(conn, batch, condemned)
                self._write(conn, folded)
                checkpoints.advance(conn, self._loop, moved)
                self._failpoints.hit("projector.before_database_commit")
        finally:
            self._clear.forget()
        self._failpoints.hit("projector.after_database_commit")
        positions.update(moved)
        self._tell(folded)
        self._applied(folded)

    def _tell(self, folded: Folded) -> None:
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
        self, conn: Connection[Any], batch: Sequence[Read], condemned: Mapping[Place, Exception]
    ) -> Folded:
        given = Given(
            partitions=self._partitions,
            states=lifecycle.load(conn, _touched(batch)),
            blocked=set_aside.blocked_keys(conn, self._loop, batch),
            check=self._clear.check,
            condemned=condemned,
        )
        return fold_batch(batch, given)

    def _write(self, conn: Connection[Any], folded: Folded) -> None:
        if folded.set_aside:
            set_aside.keep(conn, self._loop, folded.set_aside, self._letters, self._clock)
        activity.write(conn, self._loop.topic, folded)
        if folded.changed:
            assets.write(conn, folded, self._clear)
            jobs.write(conn, folded)
            lifecycle.write(conn, folded)


def _touched(batch: Sequence[Read]) -> list[UUID]:
    return list(
        {read.event.asset_id for read in batch if not isinstance(read.event, DecodeError | UnknownEventType)}
    )


def _lies_in_a_record(error: Exception) -> bool:
    """Whether a record is to blame: it meets a bug in a fold, or holds what no column takes."""
    if isinstance(error, psycopg.Error):
        return isinstance(error, psycopg.DataError | psycopg.IntegrityError)
    return not isinstance(error, _NO_FAULT_OF_A_RECORD)

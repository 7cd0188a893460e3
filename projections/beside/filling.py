"""Fills a partition of forms that stand beside the served ones, from where they stand to where those do."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import psycopg
from psycopg import Connection

from adapters.clock import SystemClock
from projections import checkpoints, set_aside
from projections.beside.following import Silent
from projections.discards import discards_in
from projections.folding import SetAside
from projections.rebuild.filling import Filling, Progress, Source, Tools, Unsettled, hold_briefly
from projections.records import Read
from projections.statements import statements

_SQL: Final = "beside/forms.sql"
# So long a batch of this release's projector in the partition is waited for.
_WAIT_SECONDS: Final = 20


def fill(
    conn: Connection[Any],
    tools: Tools,
    source: Callable[[int], Source],
    partition: int,
    progress: Progress = lambda _: None,
) -> int:
    """Fills the partition in one transaction, which moves the forms' checkpoints; returns the records.

    `source` gives the partition's records from an offset on; it is asked once, for where these forms stand.
    Nothing of what is served is written or waited for. The projector that keeps these forms leaves the
    partition alone meanwhile, and takes up behind what is filled.

    Raises FailsBeside, which names a record that is in the served forms and can't be folded into these;
    Unsettled where somebody else fills the partition or a record was discarded meanwhile, and Fenced where
    somebody else moved the checkpoints (try again after each); FormsChanged, KeyTrouble, OffsetOutOfRange,
    and what broker and database raise. The partition is then as before.
    """
    try:
        with conn.transaction():
            _hold(conn, tools, partition)
            # Not before: a batch that was at work until then has moved it.
            begin = checkpoints.read_positions(conn, tools.loop, [partition]).get(partition, 0)
            return _Beside(conn, tools, source(begin), partition, progress).run()
    finally:
        tools.plan.clear.forget()


def _hold(conn: Connection[Any], tools: Tools, partition: int) -> None:
    conn.execute(f"set local lock_timeout = '{_WAIT_SECONDS}s'".encode())
    what = checkpoints.filling(tools.loop, partition)
    try:
        conn.execute(statements(_SQL)["fills"], {"what": what})
    except psycopg.errors.LockNotAvailable as error:
        raise Unsettled(f"{tools.loop.topic}/{partition}: somebody else fills it") from error
    conn.execute(b"set local lock_timeout = default")


class _Beside(Filling):
    """Sets aside what the served forms had set aside, and stops at what only these can't fold."""

    def __init__(
        self, conn: Connection[Any], tools: Tools, source: Source, partition: int, progress: Progress
    ) -> None:
        names = tuple(model.name for model in tools.loop.models)
        super().__init__(conn, tools, names, source, partition, progress)
        self._began = source.position
        self._clock = SystemClock()
        if self._began:
            self._blocked = set_aside.blocked(conn, tools.loop, partition)

    def _known(self, ids: Sequence[Any]) -> dict[Any, Any]:
        found = super()._known(ids)
        far = [each for each in ids if each not in found] if self._began else []
        return found | self._tools.plan.states.load(self._conn, far) if far else found

    def _look_at(self, asides: Sequence[SetAside]) -> None:
        if asides:
            set_aside.keep(self._conn, self._tools.loop, asides, Silent(), self._clock)
            self._blocked |= {(each.record.partition, each.record.key) for each in asides if each.blocks}

    def _take(self, batch: Sequence[Read[Any]]) -> None:
        super()._take(batch)
        loop = self._tools.loop
        if self._blocked and (discards := discards_in(batch, loop.topic)):
            set_aside.let_go_of(self._conn, loop, discards, self._clock)

    def _goal(self) -> int:
        return checkpoints.served(self._conn, self._tools.loop.topic).get(self._partition, 0)

    def _last_goal(self) -> int:
        return max(self._goal(), self._source.position)

    def _settle(self) -> None:
        """From the lock on whoever discards a record waits, and then finds how far this form has come."""
        loop, at = self._tools.loop, {self._partition: self._source.position}
        hold_briefly(self._conn)
        checkpoints.lock(self._conn, loop, {self._partition: self._began})
        new = self._discards() - self._discarded
        if any(offset < self._source.position for _, offset in new):
            raise Unsettled(
                f"{loop.topic}/{self._partition}: records were discarded meanwhile; begin the rebuild again"
            )
        checkpoints.advance(self._conn, loop, at, {self._partition: self._began})

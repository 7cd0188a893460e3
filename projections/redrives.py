"""Reads what was set aside again, in order, from its own positions, where somebody asks for it."""

from collections.abc import Callable, MutableMapping, Sequence
from datetime import datetime
from typing import Any, Final

import structlog
from psycopg import Connection

from projections.batches import Batches
from projections.checkpoints import Loop
from projections.database import Database
from projections.records import Reading, Record
from projections.rereading import NotThere
from projections.set_aside import scope_of
from projections.statements import statements

_SQL: Final = "set_aside.sql"
# So many at a time, and the others get their turn in between.
_MOST: Final = 500

Reread = Callable[[int, Sequence[int]], list[Record]]
"""Gives the records of a partition at these offsets."""

_log = structlog.get_logger(__name__)


def ask(conn: Connection[Any], *, topic: str, partition: int, key: bytes, now: datetime) -> None:
    """Has the records of this key that are set aside read again, soon."""
    named = {"topic": topic, "partition": partition, "key": key, "now": now}
    conn.execute(statements(_SQL)["ask"], named)


class Redrives:
    """Folds what one loop has set aside once more. Newer records of a key wait until none of it is left."""

    def __init__(
        self,
        loop: Loop,
        *,
        database: Database,
        reading: Reading[Any],
        batches: Batches[Any, Any, Any],
        reread: Reread,
    ) -> None:
        self._loop = loop
        self._database = database
        self._reading = reading
        self._batches = batches
        self._reread = reread

    def step(self, positions: MutableMapping[int, int]) -> bool:
        """Goes on with the key that has waited longest, in the partitions of `positions`; False without one.

        Killed in between it goes on where it was. Raises as Batches.again does, and what reading raises.
        """
        conn = self._database.connection()
        scope = scope_of(self._loop)
        asked = conn.execute(statements(_SQL)["asked"], scope | {"partitions": list(positions)}).fetchone()
        if asked is None:
            return False
        partition, key = asked
        named = scope | {"partition": partition, "key": key}
        waiting = conn.execute(statements(_SQL)["waiting"], named | {"limit": _MOST}).fetchall()
        offsets = [row[0] for row in waiting]
        if offsets and not self._again(partition, offsets, positions):
            conn.execute(statements(_SQL)["answered"], named)
            return True
        left = conn.execute(statements(_SQL)["waiting"], named | {"limit": 1}).fetchone()
        if left is None or (offsets and left[0] <= offsets[-1]):
            conn.execute(statements(_SQL)["answered"], named)
            _log.info("redrive.ended", partition=partition, key_is_free=left is None)
        return True

    def _again(self, partition: int, offsets: Sequence[int], positions: MutableMapping[int, int]) -> bool:
        try:
            records = self._reread(partition, offsets)
        except NotThere as error:
            _log.error("redrive.impossible", partition=partition, reason=str(error))
            return False
        self._batches.again(self._reading.read_all(records), positions)
        return True

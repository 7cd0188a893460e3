"""That only one process at a time does the housekeeping: a lock in Postgres, held by a connection."""

import contextlib
import threading
from collections.abc import Callable
from typing import Final

import psycopg

from ops.housekeeping.chore import Conn

# "darkhous" in ASCII: any number will do that nobody else locks.
_LOCK: Final = 0x6461726B686F7573


class Lead:
    """The lock, or the wish for it. A process that dies or loses Postgres loses it; safe from any thread."""

    def __init__(self, connect: Callable[[], Conn]) -> None:
        """`connect` opens a connection in autocommit mode."""
        self._connect = connect
        self._conn: Conn | None = None
        self._lock = threading.Lock()

    def held(self) -> bool:
        """Whether this process leads; takes the lead where nobody has it. Raises psycopg.Error."""
        with self._lock:
            try:
                return self._alive() or self._taken()
            except psycopg.Error:
                self._drop()
                raise

    def close(self) -> None:
        """Leaves the lead to others."""
        with self._lock:
            self._drop()

    def _alive(self) -> bool:
        if self._conn is None:
            return False
        self._conn.execute("select 1")
        return True

    def _taken(self) -> bool:
        conn = self._connect()
        row = conn.execute("select pg_try_advisory_lock(%s)", (_LOCK,)).fetchone()
        if row is None or not row[0]:
            conn.close()
            return False
        self._conn = conn
        return True

    def _drop(self) -> None:
        if self._conn is not None:
            with contextlib.suppress(psycopg.Error):
                self._conn.close()
            self._conn = None

"""The projector's one connection to Postgres: opened when needed, dropped when it fails."""

from typing import Any, Final

import psycopg
from psycopg.conninfo import make_conninfo

from adapters.read_store import conninfo
from adapters.settings import Settings

# A projector that is frozen in the middle of a batch holds locks that its successor waits for: Postgres ends
# its transaction after this long. A dead letter has to fit into it, as nothing is said to Postgres meanwhile.
_IDLE_SECONDS: Final = 10
_STATEMENT_SECONDS: Final = 20
_LOCK_SECONDS: Final = 5


class Database:
    """Gives a connection in autocommit mode; transactions are blocks of the caller's."""

    def __init__(self, settings: Settings, component: str = "projector") -> None:
        self._conninfo = make_conninfo(
            conninfo(settings, component),
            options=(
                f"-c idle_in_transaction_session_timeout={_IDLE_SECONDS}s "
                f"-c statement_timeout={_STATEMENT_SECONDS}s -c lock_timeout={_LOCK_SECONDS}s"
            ),
        )
        self._conn: psycopg.Connection[tuple[Any, ...]] | None = None

    def connection(self) -> psycopg.Connection[tuple[Any, ...]]:
        """The connection, made anew where there is none; raises psycopg.OperationalError."""
        if self._conn is None or self._conn.closed:
            self._conn = psycopg.connect(self._conninfo, autocommit=True)
        return self._conn

    def drop(self) -> None:
        """Lets go of the connection; the next use opens another."""
        if self._conn is not None:
            self._conn.close()
            self._conn = None

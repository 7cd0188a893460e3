"""How the infrastructure tables in Postgres come to be; programs that run need nothing of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import yoyo

from adapters.read_store import connect
from adapters.settings import Settings

_MIGRATIONS: Final = Path(__file__).parent / "migrations"
# "darkmigr" in ASCII: any number will do that nobody else locks.
_LOCK: Final = 0x6461726B6D696772


def migrate(settings: Settings) -> tuple[str, ...]:
    """Brings the infrastructure tables up to date; returns the names of the migrations it applied.

    Of several processes that do this at once one does the work and the others wait for it. Raises
    psycopg.OperationalError where the database can't be reached.
    """
    with _alone(settings), _backend(settings) as backend:
        backend.break_lock()  # the row that yoyo locks by outlives a process that dies over it
        with backend.lock():
            waiting = backend.to_apply(yoyo.read_migrations(str(_MIGRATIONS)))
            names = tuple(str(migration.id) for migration in waiting)
            backend.apply_migrations(waiting)
    return names


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Nobody else is in such a block on this database; ends with the process, however that ends.

    yoyo makes the table that it locks by without a lock.
    """
    with connect(settings) as connection:
        connection.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
        yield


@contextmanager
def _backend(settings: Settings) -> Iterator[yoyo.backends.DatabaseBackend]:
    # yoyo picks its driver by the scheme, and "postgresql" alone means psycopg2 to it.
    address = urlsplit(settings.postgres.url.get_secret_value())._replace(scheme="postgresql+psycopg")
    backend = yoyo.get_backend(address.geturl())
    try:
        yield backend
    finally:
        backend.connection.close()

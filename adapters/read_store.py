"""Postgres: where the read models and the soft state live, and how its infrastructure tables come to be."""

import select
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import psycopg
import yoyo
from psycopg.conninfo import make_conninfo
from psycopg_pool import AsyncConnectionPool

from adapters.settings import Settings

_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_MAX_LIFETIME_SECONDS: Final = 30 * 60
# "darkmigr" in ASCII: any number will do that nobody else locks.
_MIGRATION_LOCK: Final = 0x6461726B6D696772

Connection = psycopg.AsyncConnection[tuple[Any, ...]]
Pool = AsyncConnectionPool[Connection]


def conninfo(settings: Settings, component: str) -> str:
    """How libpq reaches the database, password and all; operators see `component` in the list of sessions."""
    return make_conninfo(
        settings.postgres.url.get_secret_value(),
        connect_timeout=max(2, round(settings.postgres.connect_timeout.total_seconds())),
        application_name=f"darkroom {component}",
    )


def connect(settings: Settings, component: str = "ops") -> psycopg.Connection[tuple[Any, ...]]:
    """A connection of one's own, in transactions; raises psycopg.OperationalError where there is none."""
    return psycopg.connect(conninfo(settings, component))


def async_pool(settings: Settings, component: str = "api") -> Pool:
    """Connections for the doors, not yet opened: `async with` it, or `await pool.open()`.

    Each statement is a transaction of its own and bounded in time. A connection that can't be had in time
    raises psycopg_pool.PoolTimeout, one that breaks psycopg.OperationalError. What the
    server ended while it lay idle, as in a restart, is never handed out.
    """

    async def check(connection: Connection) -> None:
        if not _has_news(connection):
            return
        try:
            await Pool.check_connection(connection)
        except psycopg.Error:
            await pool.check()  # the others that lay beside it are as dead
            raise

    milliseconds = round(settings.postgres.statement_timeout.total_seconds() * 1000)
    pool: Pool = AsyncConnectionPool(
        conninfo(settings, component),
        min_size=1,
        max_size=settings.postgres.pool_size,
        open=False,
        timeout=settings.postgres.connect_timeout.total_seconds(),
        max_lifetime=_MAX_LIFETIME_SECONDS,
        kwargs={"autocommit": True, "options": f"-c statement_timeout={milliseconds}"},
        check=check,
    )
    return pool


def _has_news(connection: Connection) -> bool:
    """Whether the server has said something to a connection that asked nothing: mostly that it is over.

    A look at the socket, and so a hundredth of what asking the server would cost.
    """
    poll = select.poll()
    poll.register(connection.pgconn.socket, select.POLLIN)
    return bool(poll.poll(0))


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


def pending_migrations(settings: Settings) -> tuple[str, ...]:
    """The names of the migrations still to be applied; programs wait while there are any."""
    with _alone(settings), _backend(settings) as backend:
        waiting = backend.to_apply(yoyo.read_migrations(str(_MIGRATIONS)))
        return tuple(str(migration.id) for migration in waiting)


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Nobody else is in such a block on this database; ends with the process, however that ends.

    yoyo makes the table that it locks by without a lock, and asking it what is pending makes tables too.
    """
    with connect(settings) as connection:
        connection.execute("select pg_advisory_xact_lock(%s)", (_MIGRATION_LOCK,))
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

"""Postgres: where the read models and the soft state live, and how its infrastructure tables come to be."""

import select
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
    backend = yoyo.get_backend(_yoyo_address(settings.postgres.url.get_secret_value()))
    try:
        with backend.lock():
            waiting = backend.to_apply(yoyo.read_migrations(str(_MIGRATIONS)))
            names = tuple(str(migration.id) for migration in waiting)
            backend.apply_migrations(waiting)
    finally:
        backend.connection.close()
    return names


def pending_migrations(settings: Settings) -> tuple[str, ...]:
    """The names of the migrations still to be applied; programs wait while there are any."""
    backend = yoyo.get_backend(_yoyo_address(settings.postgres.url.get_secret_value()))
    try:
        waiting = backend.to_apply(yoyo.read_migrations(str(_MIGRATIONS)))
        return tuple(str(migration.id) for migration in waiting)
    finally:
        backend.connection.close()


def _yoyo_address(url: str) -> str:
    # yoyo picks its driver by the scheme, and "postgresql" alone means psycopg2 to it.
    return urlsplit(url)._replace(scheme="postgresql+psycopg").geturl()

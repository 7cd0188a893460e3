"""Postgres: where the read models and the soft state live."""

import select
from typing import Any, Final

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg_pool import AsyncConnectionPool

from adapters.settings import Settings

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

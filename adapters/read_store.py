"""Postgres: where the read models and the soft state live, and how its infrastructure tables come to be."""

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

Pool = AsyncConnectionPool[psycopg.AsyncConnection[tuple[Any, ...]]]


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
    raises psycopg_pool.PoolTimeout, a broken one psycopg.OperationalError.
    """
    milliseconds = round(settings.postgres.statement_timeout.total_seconds() * 1000)
    return AsyncConnectionPool(
        conninfo(settings, component),
        min_size=1,
        max_size=settings.postgres.pool_size,
        open=False,
        timeout=settings.postgres.connect_timeout.total_seconds(),
        max_lifetime=_MAX_LIFETIME_SECONDS,
        kwargs={"autocommit": True, "options": f"-c statement_timeout={milliseconds}"},
    )


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

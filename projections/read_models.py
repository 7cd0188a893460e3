"""Which read models there are, their versions, and how their tables come to be and go."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from psycopg import Connection, sql

from projections.statements import statements

_SQL: Final = "read_models.sql"

# Whoever installs or resets holds this lock, so that programs that start together make the tables once.
_INSTALL_LOCK: Final = 0x6461726B


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadModel:
    """One version of a read model: its tables live in a Postgres schema of their own."""

    name: str
    version: int

    @property
    def schema(self) -> str:
        """The Postgres schema of this version."""
        return f"{self.name}_v{self.version}"

    @property
    def tables(self) -> str:
        """The statements that make its tables."""
        return (Path(__file__).parent / self.name / "tables.sql").read_text()


# Bump a version when its tables or its rows change: an old version's rows are never taken for the new one's.
LIFECYCLE: Final = ReadModel(name="lifecycle", version=3)
ASSETS: Final = ReadModel(name="assets", version=2)
JOBS: Final = ReadModel(name="jobs", version=2)
LINKS: Final = ReadModel(name="links", version=1)
ACTIVITY: Final = ReadModel(name="activity", version=3)
STORAGE: Final = ReadModel(name="storage", version=1)
USAGE: Final = ReadModel(name="usage", version=1)

ACCOUNT_STATES: Final = ReadModel(name="account_states", version=3)
ACCOUNTS: Final = ReadModel(name="accounts", version=1)
SESSIONS: Final = ReadModel(name="sessions", version=1)
API_KEYS: Final = ReadModel(name="api_keys", version=1)
ERASURES: Final = ReadModel(name="erasures", version=1)
ACCOUNT_ACTIVITY: Final = ReadModel(name="account_activity", version=3)

OPERATION_STATES: Final = ReadModel(name="operation_states", version=1)
PRESET_SETS: Final = ReadModel(name="preset_sets", version=1)
RUNS: Final = ReadModel(name="runs", version=1)

OF_ASSETS: Final = (ACTIVITY, ASSETS, JOBS, LIFECYCLE, LINKS, STORAGE, USAGE)
"""The read models of the asset log, which one loop folds in one transaction."""

OF_IDENTITY: Final = (ACCOUNT_ACTIVITY, ACCOUNT_STATES, ACCOUNTS, API_KEYS, ERASURES, SESSIONS)
"""Those of the identity log, and its loop's."""

OF_OPERATIONS: Final = (OPERATION_STATES, PRESET_SETS, RUNS)
"""Those of the operations log."""

EVERY: Final = OF_ASSETS + OF_IDENTITY + OF_OPERATIONS


def install(conn: Connection[Any], models: Sequence[ReadModel] = EVERY) -> None:
    """Makes what is missing of the models' tables, and the views in schema `live` that queries read.

    A version becomes active when its read model has no active one yet. Many programs may call this at once.
    """
    with conn.transaction():
        lock_tables(conn)
        conn.execute(statements(_SQL)["schema_of_views"])
        for model in models:
            if conn.execute(statements(_SQL)["installed"], _named(model)).fetchone() is None:
                make_tables(conn, model, model.schema)
                conn.execute(statements(_SQL)["register"], _named(model) | {"schema": model.schema})
        make_views(conn)


def recreate(conn: Connection[Any], models: Sequence[ReadModel]) -> None:
    """Drops the models' tables with all rows and makes them anew, in the caller's transaction.

    These versions become the active ones, and of others nothing is left: rows that nobody keeps up to date
    would hold readers back, and would not hear of erasures.

    The views go first, as readers lock a view before its table: in the other order they could wait for each
    other.
    """
    lock_tables(conn)
    for _, table, _ in conn.execute(statements(_SQL)["live_tables"]).fetchall():
        conn.execute(sql.SQL("drop view if exists {}").format(sql.Identifier("live", table)))
    for model in models:
        _forget_others(conn, model)
        drop_tables(conn, model.schema)
        make_tables(conn, model, model.schema)
        conn.execute(statements(_SQL)["activate"], _named(model))
    make_views(conn)


def lock_tables(conn: Connection[Any]) -> None:
    """Nobody else makes, drops or exchanges tables until the caller's transaction ends."""
    conn.execute(statements(_SQL)["lock"], {"key": _INSTALL_LOCK})


def make_tables(conn: Connection[Any], model: ReadModel, schema_name: str) -> None:
    """Makes the model's tables in a new schema of that name, in the caller's transaction."""
    schema = sql.Identifier(schema_name)
    conn.execute(sql.SQL("create schema {}").format(schema))
    conn.execute(sql.SQL("set local search_path to {}").format(schema))
    conn.execute(model.tables.encode())
    conn.execute("set local search_path to default")


def drop_tables(conn: Connection[Any], schema_name: str) -> None:
    """Drops the schema with all that is in it."""
    conn.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(schema_name)))


def make_views(conn: Connection[Any]) -> None:
    """One view for each table of each active version: a switch is a change of views, seen by all at once."""
    for schema, table, shown in conn.execute(statements(_SQL)["live_tables"]).fetchall():
        if shown == schema:
            continue
        view = sql.Identifier("live", table)
        conn.execute(sql.SQL("drop view if exists {}").format(view))
        conn.execute(
            sql.SQL("create view {} as select * from {}").format(view, sql.Identifier(schema, table))
        )


def _forget_others(conn: Connection[Any], model: ReadModel) -> None:
    """Checkpoints first, as a projector at work holds those before it writes rows."""
    conn.execute(statements(_SQL)["forget_checkpoints"], _named(model))
    dropped = conn.execute(statements(_SQL)["forget"], _named(model)).fetchall()
    dropped += conn.execute(statements(_SQL)["forget_copy"], _named(model)).fetchall()
    for (schema,) in dropped:
        drop_tables(conn, schema)


def _named(model: ReadModel) -> dict[str, Any]:
    return {"name": model.name, "version": model.version}

"""How the tables of read models come to be and go, and the views over them."""

from collections.abc import Sequence
from typing import Any, Final

from psycopg import Connection, sql

from projections.forms import EVERY, VIEWS, ReadModel, every_named, family_of
from projections.statements import statements

_SQL: Final = "read_models.sql"
SERVED: Final = "live"
"""The Postgres schema of the views that show the forms that are served."""

# Whoever installs or resets holds this lock, so that programs that start together make the tables once.
_INSTALL_LOCK: Final = 0x6461726B


def install(conn: Connection[Any], models: Sequence[ReadModel] = EVERY) -> None:
    """Makes what is missing of the models' tables, and the views that queries read.

    The first forms of a log's read models are served at once; later ones stand beside them until a switch.
    Many programs may call this at once.
    """
    with conn.transaction():
        lock_tables(conn)
        for schema in (SERVED, VIEWS):
            conn.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(schema)))
        first = _unserved(conn)
        for model in models:
            if conn.execute(statements(_SQL)["installed"], _named(model)).fetchone() is None:
                make_tables(conn, model, model.schema)
                named = {"schema": model.schema, "active": model.name in first}
                conn.execute(statements(_SQL)["register"], _named(model) | named)
                first.discard(model.name)
        make_views(conn)


def recreate(conn: Connection[Any], models: Sequence[ReadModel]) -> None:
    """Drops the models' tables with all rows and makes them anew, in the caller's transaction.

    These versions become the ones that are served, and of others nothing is left: rows that nobody keeps up
    to date would hold readers back, and would not hear of erasures.
    """
    lock_tables(conn)
    _drop_views(conn)
    for model in models:
        _forget_others(conn, model)
        drop_tables(conn, model.schema)
        make_tables(conn, model, model.schema)
        conn.execute(statements(_SQL)["activate"], _named(model))
    drop_views_of_others(conn)
    make_views(conn)


def empty(conn: Connection[Any], models: Sequence[ReadModel]) -> None:
    """Makes the tables of forms that stand beside those that are served anew, in the caller's transaction."""
    lock_tables(conn)
    _drop_views(conn)
    for model in models:
        drop_tables(conn, model.schema)
        make_tables(conn, model, model.schema)
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
    """One view for each table that is served, and for each of this release's own forms.

    A switch is a change of the first, seen by all at once; programs read the second.
    """
    for views, schema, table, shown in _shown(conn):
        if shown == schema:
            continue
        view = sql.Identifier(views, table)
        conn.execute(sql.SQL("drop view if exists {}").format(view))
        conn.execute(
            sql.SQL("create view {} as select * from {}").format(view, sql.Identifier(schema, table))
        )


def drop_views_of_others(conn: Connection[Any]) -> None:
    """Drops views that only a release reads whose forms are no longer there, in the caller's transaction."""
    named = every_named() | {"views": VIEWS}
    for (schema,) in conn.execute(statements(_SQL)["views_of_others"], named).fetchall():
        drop_tables(conn, schema)


def _shown(conn: Connection[Any]) -> list[tuple[str, str, str, str | None]]:
    """Each table that has a view: the view's schema, the table's, its name, and the schema it shows now."""
    served = conn.execute(statements(_SQL)["served_tables"], {"views": SERVED}).fetchall()
    ours = conn.execute(statements(_SQL)["own_tables"], every_named() | {"views": VIEWS}).fetchall()
    return [(SERVED, *row) for row in served] + [(VIEWS, *row) for row in ours]


def _drop_views(conn: Connection[Any]) -> None:
    """They go first, as readers lock a view before its table: else the two could wait for each other."""
    for views, _, table, _ in _shown(conn):
        conn.execute(sql.SQL("drop view if exists {}").format(sql.Identifier(views, table)))


def _unserved(conn: Connection[Any]) -> set[str]:
    """Read models of those logs none of whose read models is served in any form."""
    rows = conn.execute(statements(_SQL)["versions"]).fetchall()
    served = {model for name, _, active in rows if active for model in family_of(name)}
    return {model.name for model in EVERY if model not in served}


def _forget_others(conn: Connection[Any], model: ReadModel) -> None:
    """Checkpoints first, as a projector at work holds those before it writes rows."""
    conn.execute(statements(_SQL)["forget_checkpoints"], _named(model))
    dropped = conn.execute(statements(_SQL)["forget"], _named(model)).fetchall()
    dropped += conn.execute(statements(_SQL)["forget_copy"], _named(model)).fetchall()
    for (schema,) in dropped:
        drop_tables(conn, schema)


def _named(model: ReadModel) -> dict[str, Any]:
    return {"name": model.name, "version": model.version}

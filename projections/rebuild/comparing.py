"""Compares copies with the live rows: all counts and digests, at one vector of positions, in one snapshot."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from psycopg import Connection, IsolationLevel, sql

from projections import checkpoints
from projections.checkpoints import Loop
from projections.rebuild import copies
from projections.statements import statements

_SQL: Final = "rebuild/copies.sql"
_SHOWN: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One table: rows and digests of both, and the keys of some rows that differ."""

    table: str
    live: tuple[int, str]
    copy: tuple[int, str]
    differing: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether both hold the same rows."""
        return self.live == self.copy


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All tables, as they were at `positions` (next offset by partition)."""

    positions: dict[int, int]
    tables: tuple[Compared, ...]

    @property
    def same(self) -> bool:
        """Whether every table is the same in both."""
        return all(table.same for table in self.tables)


def compare(conn: Connection[Any], loop: Loop, names: Iterable[str]) -> Comparison:
    """Compares the copies of these read models with the live ones; `conn` may not be in a transaction.

    Raises CopyRefused where there is no copy that follows.
    """
    models = [copies.model_named(loop, name) for name in names]
    before, conn.isolation_level = conn.isolation_level, IsolationLevel.REPEATABLE_READ
    try:
        with conn.transaction():
            there = copies.every(conn, loop)
            for model in models:
                if model.name not in there or there[model.name].state not in {"following", "former"}:
                    raise copies.CopyRefused(f"no copy of {model.name} follows the live rows")
            found = checkpoints.read_positions(conn, loop, range(_MOST_PARTITIONS))
            tables = [
                _compared(conn, model.schema, copies.schema_of(model), table)
                for model in models
                for table in _tables(conn, model.schema)
            ]
    finally:
        conn.isolation_level = before
    return Comparison(positions=found, tables=tuple(tables))


_MOST_PARTITIONS: Final = 1_000


def _tables(conn: Connection[Any], schema: str) -> list[str]:
    return [row[0] for row in conn.execute(statements(_SQL)["tables"], {"schema": schema}).fetchall()]


def _compared(conn: Connection[Any], live: str, copy: str, table: str) -> Compared:
    ours, theirs = digest(conn, live, table), digest(conn, copy, table)
    differing = _differing(conn, live, copy, table) if ours != theirs else ()
    return Compared(table=f"{live}.{table}", live=ours, copy=theirs, differing=differing)


def digest(
    conn: Connection[Any], schema: str, table: str, columns: Sequence[str] | None = None
) -> tuple[int, str]:
    """The number of rows, and a sum over two hashes of each (all of it, or these columns), in any order."""
    chosen = sql.SQL("*") if columns is None else sql.SQL(", ").join(map(sql.Identifier, columns))
    query = sql.SQL(
        "select count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)::text || ':' "
        "|| coalesce(sum(hashtextextended(t::text, 1)::numeric), 0)::text from (select {} from {}) t"
    ).format(chosen, sql.Identifier(schema, table))
    row = conn.execute(query).fetchone()
    return (row[0], row[1]) if row else (0, "")


def _differing(conn: Connection[Any], live: str, copy: str, table: str) -> tuple[str, ...]:
    """The keys of some rows that only one of them has; nothing else of a row is shown."""
    named = {"table": sql.Identifier(live, table).as_string(conn)}
    key = [row[0] for row in conn.execute(statements(_SQL)["columns_of_key"], named).fetchall()]
    ours, theirs = sql.Identifier(live, table), sql.Identifier(copy, table)
    columns = sql.SQL(", ").join(map(sql.Identifier, key))
    query = sql.SQL(
        "select distinct ({columns})::text from ("
        "(select * from {ours} except select * from {theirs}) union all "
        "(select * from {theirs} except select * from {ours})) d limit {shown}"
    ).format(columns=columns, ours=ours, theirs=theirs, shown=_SHOWN)
    return tuple(row[0] for row in conn.execute(query).fetchall())

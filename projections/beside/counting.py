"""Counts the rows of forms beside and of those that are served: other forms have no digests in common."""

from dataclasses import dataclass
from typing import Any, Final

from psycopg import Connection, IsolationLevel, sql

from projections.beside import switching
from projections.checkpoints import Loop
from projections.statements import statements

_COPIES: Final = "rebuild/copies.sql"


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedTable:
    """Rows of a table in the form that is served and the one beside it; None where one has no such table."""

    table: str
    served: int | None
    beside: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """All tables in one snapshot; `behind` is how many records those beside had still to take then."""

    tables: tuple[CountedTable, ...]
    behind: int

    @property
    def same(self) -> bool:
        """Whether nothing speaks against a switch: as many rows in both, as far as both have them."""
        both = [one for one in self.tables if one.served is not None and one.beside is not None]
        return self.behind > 0 or all(one.served == one.beside for one in both)


def count(conn: Connection[Any], loop: Loop) -> Counted:
    """Counts; `conn` may not be in a transaction."""
    before, conn.isolation_level = conn.isolation_level, IsolationLevel.REPEATABLE_READ
    try:
        with conn.transaction():
            there = switching.forms(conn, loop)
            apart = {form.name: form.schema for form in there if form.ours and not form.served}
            served = {form.name: form.schema for form in there if form.served and form.name in apart}
            tables = [one for name in sorted(apart) for one in _counted(conn, apart[name], served.get(name))]
            return Counted(tables=tuple(tables), behind=switching.missing(conn, loop))
    finally:
        conn.isolation_level = before


def _counted(conn: Connection[Any], beside: str, served: str | None) -> list[CountedTable]:
    ours, theirs = _rows(conn, beside), _rows(conn, served) if served else {}
    return [
        CountedTable(table=f"{beside}.{table}", served=theirs.get(table), beside=ours.get(table))
        for table in sorted(ours.keys() | theirs.keys())
    ]


def _rows(conn: Connection[Any], schema: str) -> dict[str, int]:
    names = [row[0] for row in conn.execute(statements(_COPIES)["tables"], {"schema": schema}).fetchall()]
    query = sql.SQL("select count(*) from {}")
    found = {}
    for name in names:
        row = conn.execute(query.format(sql.Identifier(schema, name))).fetchone()
        found[name] = row[0] if row else 0
    return found

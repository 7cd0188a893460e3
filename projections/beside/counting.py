"""Compares forms beside with those that are served: rows by their number, and the columns that both have."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from psycopg import Connection, IsolationLevel

from projections import checkpoints
from projections.beside import switching
from projections.beside.switching import FormsRefused
from projections.checkpoints import Loop
from projections.rebuild.comparing import digest
from projections.rebuild.filling import NEAR, hold_briefly
from projections.set_aside import scope_of
from projections.statements import statements

_COPIES: Final = "rebuild/copies.sql"
_SQL: Final = "beside/forms.sql"


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedTable:
    """Rows of a table in the form that is served and the one beside it; None where one has no such table.

    `alike` says whether the columns that both have hold the same; a form may differ there on purpose.
    """

    table: str
    served: int | None
    beside: int | None
    alike: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """All tables in one snapshot; `behind` is how many records those beside had still to take then.

    `positions` is how far the served forms had come: the next offset by partition. `only_beside` counts the
    records that only the forms beside have set aside.
    """

    positions: dict[int, int]
    tables: tuple[CountedTable, ...]
    behind: int
    only_beside: int

    @property
    def same(self) -> bool:
        """Whether nothing speaks against a switch: as many rows in both, as far as both have them."""
        both = [one for one in self.tables if one.served is not None and one.beside is not None]
        return not self.only_beside and (self.behind > 0 or all(one.served == one.beside for one in both))


def count(conn: Connection[Any], holder: Connection[Any], loop: Loop) -> Counted:
    """Compares all in one snapshot; neither connection may be in a transaction.

    With `holder` the served forms are held where they stand, for as long as those beside need to come there
    and the snapshot to be taken: it has both at one vector of positions. Where they are far behind, or do not
    come in time, the snapshot is taken all the same, and `behind` says so. Raises psycopg.Error.
    """
    before, conn.isolation_level = conn.isolation_level, IsolationLevel.REPEATABLE_READ
    try:
        far = switching.missing(conn, loop) > NEAR
        with conn.transaction():
            with holder.transaction():
                hold_briefly(holder)
                if not far:
                    with suppress(FormsRefused):
                        switching.reached(holder, loop)
                behind = switching.missing(conn, loop)  # the first to be asked: of now is the snapshot
            return _counted_all(conn, loop, behind)
    finally:
        conn.isolation_level = before


def _counted_all(conn: Connection[Any], loop: Loop, behind: int) -> Counted:
    there = switching.forms(conn, loop)
    apart = {form.name: form.schema for form in there if form.ours and not form.served}
    served = {form.name: form.schema for form in there if form.served and form.name in apart}
    tables = [one for name in sorted(apart) for one in _counted(conn, apart[name], served.get(name))]
    row = conn.execute(statements(_SQL)["only_beside"], scope_of(loop)).fetchone()
    return Counted(
        positions=checkpoints.served(conn, loop.topic),
        tables=tuple(tables),
        behind=behind,
        only_beside=row[0] if row else 0,
    )


def _counted(conn: Connection[Any], beside: str, served: str | None) -> list[CountedTable]:
    ours, theirs = _columns(conn, beside), _columns(conn, served) if served else {}
    return [
        _table(conn, (served, beside), table, theirs.get(table), ours.get(table))
        for table in sorted(ours.keys() | theirs.keys())
    ]


def _table(
    conn: Connection[Any],
    schemas: tuple[str | None, str],
    table: str,
    theirs: list[str] | None,
    ours: list[str] | None,
) -> CountedTable:
    """One table, by the columns of each form; None where a form has no such table."""
    both = [column for column in theirs or [] if column in (ours or [])]
    there = digest(conn, schemas[0], table, both) if schemas[0] and theirs is not None else None
    here = digest(conn, schemas[1], table, both) if ours is not None else None
    return CountedTable(
        table=f"{schemas[1]}.{table}",
        served=there[0] if there else None,
        beside=here[0] if here else None,
        alike=there == here if there and here and both else None,
    )


def _columns(conn: Connection[Any], schema: str) -> dict[str, list[str]]:
    """The columns of each table of the schema."""
    named = {"schema": schema}
    tables = [row[0] for row in conn.execute(statements(_COPIES)["tables"], named).fetchall()]
    found: dict[str, list[str]] = {table: [] for table in tables}
    for table, column in conn.execute(statements(_SQL)["columns"], named).fetchall():
        if table in found:
            found[table].append(column)
    return found

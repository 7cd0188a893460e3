"""Writes rows in sets: one statement to take the old ones away, one COPY to put the new ones in."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from psycopg import Connection, sql

from projections.forms import ReadModel
from projections.packing import copy_rows

_STAND_INS: Final[ContextVar[Mapping[str, str]]] = ContextVar("stand_ins", default=MappingProxyType({}))


@contextmanager
def standing_in(schemas: Mapping[str, str]) -> Iterator[None]:
    """Meanwhile and in this thread, tables of the schemas that are keys are those of the schemas beside them.

    So a read model's writer, which knows its own tables only, writes to a copy of them.
    """
    token = _STAND_INS.set(schemas)
    try:
        yield
    finally:
        _STAND_INS.reset(token)


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of a read model; `columns` gives for each the Postgres type that binary COPY writes.

    `key` is the column by whose values rows are replaced.
    """

    model: ReadModel
    name: str
    key: str
    columns: Mapping[str, str]

    def append(self, conn: Connection[Any], rows: Iterable[Sequence[Any]]) -> None:
        """Adds the rows, values in the order of `columns`; raises what `copy_rows` raises."""
        copy_rows(conn, self._copy, tuple(self.columns.values()), rows)

    def replace(self, conn: Connection[Any], keys: Sequence[Any], rows: Iterable[Sequence[Any]]) -> None:
        """`rows` come in the place of all rows that have these keys."""
        self.remove(conn, keys)
        self.append(conn, rows)

    def remove(self, conn: Connection[Any], keys: Sequence[Any]) -> None:
        """Takes all rows that have these keys away."""
        if keys:
            conn.execute(self._delete, (list(keys),), binary=True)

    @property
    def identifier(self) -> sql.Identifier:
        """The table's full name, or that of the one that stands in for it."""
        return sql.Identifier(*self._place)

    @property
    def _place(self) -> tuple[str, str]:
        schema = self.model.schema
        return _STAND_INS.get().get(schema, schema), self.name

    @property
    def _copy(self) -> sql.Composed:
        return _copied(self._place, tuple(self.columns))

    @property
    def _delete(self) -> sql.Composed:
        return _deleted(self._place, self.key)


@cache
def _copied(place: tuple[str, str], columns: tuple[str, ...]) -> sql.Composed:
    named = sql.SQL(", ").join(map(sql.Identifier, columns))
    return sql.SQL("copy {} ({}) from stdin (format binary)").format(sql.Identifier(*place), named)


@cache
def _deleted(place: tuple[str, str], key: str) -> sql.Composed:
    return sql.SQL("delete from {} where {} = any(%b)").format(sql.Identifier(*place), sql.Identifier(key))

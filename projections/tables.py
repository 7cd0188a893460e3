"""Writes rows in sets: one statement to take the old ones away, one COPY to put the new ones in."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from psycopg import Connection, sql

from projections.read_models import ReadModel


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
        """Adds the rows, values in the order of `columns`."""
        with conn.cursor() as cursor, cursor.copy(self._copy) as copy:
            copy.set_types(list(self.columns.values()))
            for row in rows:
                copy.write_row(row)

    def replace(self, conn: Connection[Any], keys: Sequence[Any], rows: Iterable[Sequence[Any]]) -> None:
        """`rows` come in the place of all rows that have these keys."""
        self.remove(conn, keys)
        self.append(conn, rows)

    def remove(self, conn: Connection[Any], keys: Sequence[Any]) -> None:
        """Takes all rows that have these keys away."""
        if keys:
            conn.execute(self._delete, (list(keys),), binary=True)

    @cached_property
    def identifier(self) -> sql.Identifier:
        """The table's full name."""
        return sql.Identifier(self.model.schema, self.name)

    @cached_property
    def _copy(self) -> sql.Composed:
        columns = sql.SQL(", ").join(map(sql.Identifier, self.columns))
        return sql.SQL("copy {} ({}) from stdin (format binary)").format(self.identifier, columns)

    @cached_property
    def _delete(self) -> sql.Composed:
        return sql.SQL("delete from {} where {} = any(%b)").format(self.identifier, sql.Identifier(self.key))

"""Keeps the folded state of each stream of a topic, so that the next batch can go on from it."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from psycopg import Connection, sql

from projections.folding import Folded
from projections.tables import Table
from schemas.state_codec import decode_state, encode_state

_Id = TypeVar("_Id", bound=Hashable)
_State = TypeVar("_State")

_FEW: Final = 100


@dataclass(frozen=True, kw_only=True)
class States(Generic[_Id, _State]):
    """A table of two columns, the stream's id and its state as bytes."""

    table: Table
    cls: type[_State]

    def load(self, conn: Connection[Any], ids: Sequence[_Id]) -> dict[_Id, _State]:
        """The states of those streams that have one."""
        with conn.cursor(binary=True) as cursor:
            cursor.execute(self._load, (list(ids),))
            return {stream_id: decode_state(self.cls, state) for stream_id, state in cursor}

    def write(self, conn: Connection[Any], folded: Folded[_Id, _State, Any]) -> None:
        """Replaces the states of the streams that the batch changed."""
        rows = ((stream_id, encode_state(changed.state)) for stream_id, changed in folded.changed.items())
        if len(folded.changed) > _FEW:
            self.table.replace(conn, folded.replaced(), rows)
        elif written := list(rows):
            conn.execute(self._upsert, [list(column) for column in zip(*written, strict=True)], binary=True)

    @property
    def _upsert(self) -> sql.Composed:
        """Both steps of a replacement in one round trip; beyond some rows COPY is the faster."""
        return sql.SQL(
            "insert into {table} ({key}, state) select * from unnest(%b::{type}[], %b::bytea[]) "
            "on conflict ({key}) do update set state = excluded.state"
        ).format(
            table=self.table.identifier,
            key=sql.Identifier(self.table.key),
            type=sql.SQL(self.table.columns[self.table.key]),
        )

    @property
    def _load(self) -> sql.Composed:
        key = sql.Identifier(self.table.key)
        return sql.SQL("select {}, state from {} where {} = any(%b)").format(key, self.table.identifier, key)

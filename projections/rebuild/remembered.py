"""The states of a partition's streams while it is filled: the last ones in memory, the others in Postgres."""

from collections.abc import Hashable, Iterable, Mapping
from itertools import islice
from typing import Any, Final, Generic, TypeVar

from psycopg import Connection, sql

from projections.folding import Change
from projections.packing import copy_rows
from projections.shortcuts import Whole
from projections.states import States
from schemas.state_codec import decode_state, encode_state

_Id = TypeVar("_Id", bound=Hashable)
_State = TypeVar("_State")

_MOST: Final = 50_000
_TABLE: Final = sql.Identifier("pg_temp", "remembered")


class Remembered(Generic[_Id, _State]):
    """States by stream, for the length of one transaction of `conn`."""

    def __init__(self, conn: Connection[Any], states: States[_Id, _State], *, most: int = _MOST) -> None:
        """`most` is how many are kept in memory."""
        self._conn = conn
        self._cls = states.cls
        self._type = states.table.columns[states.table.key]
        self._most = most
        self._near: dict[_Id, _State | Whole[_State]] = {}
        self._spilled = False

    def load(self, ids: Iterable[_Id]) -> dict[_Id, _State]:
        """The states of those streams that have one."""
        found, far = {}, []
        for stream_id in ids:
            state = self._near.get(stream_id)
            if state is not None:
                found[stream_id] = _made(state)
            else:
                far.append(stream_id)
        return found | self._fetched(far) if far and self._spilled else found

    def keep(self, changed: Mapping[_Id, Change[_State]]) -> None:
        """Takes the states after a batch in."""
        for stream_id, one in changed.items():
            self._near.pop(stream_id, None)
            # The dictionary's order is that of the last change. Who is whole is seldom asked for a state.
            self._near[stream_id] = one if isinstance(one, Whole) else one.state
        if len(self._near) > self._most:
            self._spill(list(islice(self._near, len(self._near) - self._most // 2)))

    def _fetched(self, ids: list[_Id]) -> dict[_Id, _State]:
        query = sql.SQL("select id, state from {} where id = any(%b)").format(_TABLE)
        with self._conn.cursor(binary=True) as cursor:
            cursor.execute(query, (ids,))
            return {stream_id: decode_state(self._cls, state) for stream_id, state in cursor}

    def _spill(self, ids: list[_Id]) -> None:
        if not self._spilled:
            self._conn.execute(
                sql.SQL(
                    "create temp table remembered (id {} primary key, state bytea) on commit drop"
                ).format(sql.SQL(self._type))
            )
            self._spilled = True
        self._conn.execute(sql.SQL("delete from {} where id = any(%b)").format(_TABLE), (ids,), binary=True)
        statement = sql.SQL("copy {} (id, state) from stdin (format binary)").format(_TABLE)
        rows = ((stream_id, encode_state(_made(self._near.pop(stream_id)))) for stream_id in ids)
        copy_rows(self._conn, statement, (self._type, "bytea"), rows)


def _made(one: _State | Whole[_State]) -> _State:
    return one.state if isinstance(one, Whole) else one

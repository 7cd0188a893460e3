"""What the read models say of erasures: which are under way, and what belongs to whom."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from psycopg import Connection, sql
from psycopg.rows import class_row

from projections.erasures.queries import ErasureRow
from projections.lifecycle.projection import STATES
from projections.statements import statements

SQL: Final = str(Path(__file__).with_name("queries.sql"))
"""The statements, for projections.statements."""

_CHECKPOINTS: Final = "checkpoints.sql"

Conn = Connection[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Owned:
    """An asset that the log told of, and whether its purge stands in the log, too."""

    asset_id: UUID
    owner_id: UUID
    purged: bool


def under_way(conn: Conn) -> list[ErasureRow]:
    """The erasures that are not completed, oldest first."""
    return _erasures(conn, "under_way", {})


def completed(conn: Conn) -> list[ErasureRow]:
    """The erasures that are completed, oldest first."""
    return _erasures(conn, "completed", {})


def every(conn: Conn, limit: int) -> list[ErasureRow]:
    """The newest `limit` of all erasures, newest first."""
    return _erasures(conn, "every", {"limit": limit})


def one(conn: Conn, erasure_id: UUID) -> ErasureRow | None:
    """The erasure of that id."""
    return next(iter(_erasures(conn, "one", {"erasure_id": erasure_id})), None)


def of_user(conn: Conn, user_id: UUID) -> list[ErasureRow]:
    """The erasures that were to erase this person."""
    return _erasures(conn, "of_user", {"user_id": user_id})


def assets(conn: Conn, owners: Sequence[UUID]) -> list[Owned]:
    """Every asset that these owners ever had."""
    with conn.cursor(row_factory=class_row(Owned)) as cursor:
        return cursor.execute(statements(SQL)["assets"], {"owners": list(owners)}).fetchall()


def incoming_keys(conn: Conn, asset_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Where the uploads of these assets were awaited; an asset that no state is known of has none."""
    states = STATES.load(conn, list(asset_ids)) if asset_ids else {}
    return {asset_id: state.upload.object_key for asset_id, state in states.items()}


def purge_ends(conn: Conn, owners: Sequence[UUID]) -> dict[int, int]:
    """For each partition the offset behind the last purge of these owners."""
    return dict(conn.execute(statements(SQL)["purge_ends"], {"owners": list(owners)}).fetchall())


def reached(conn: Conn, topic: str, goal: Mapping[int, int]) -> bool:
    """Whether all read models of the topic have applied everything before `goal`."""
    at = dict(conn.execute(statements(_CHECKPOINTS)["positions"], {"topic": topic}).fetchall())
    return all(at.get(partition, 0) >= offset for partition, offset in goal.items())


def soft_state(conn: Conn, users: Sequence[UUID], *, forget: bool) -> int:
    """How many rows of the doors' soft state name one of these users; `forget` deletes them."""
    count = 0
    for table, column in conn.execute(statements(SQL)["soft_state"]).fetchall():
        place = {"table": sql.Identifier("api", table), "column": sql.Identifier(column)}
        what = "delete from {table}" if forget else "select 1 from {table}"
        query = sql.SQL(what + " where {column} = any(%s)").format(**place)
        count += conn.execute(query, (list(users),)).rowcount
    return count


def _erasures(conn: Conn, name: str, parameters: Mapping[str, object]) -> list[ErasureRow]:
    with conn.cursor(row_factory=class_row(ErasureRow)) as cursor:
        return cursor.execute(statements(SQL)[name], parameters).fetchall()

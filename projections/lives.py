"""What became of the parts of people's lives in a batch: their sessions, their API keys."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from uuid import UUID

from psycopg import Connection, sql

from projections.of_identity import Folded
from projections.tables import Table
from schemas.account_state import Life

_Part = TypeVar("_Part")


@dataclass(slots=True, kw_only=True)
class Parts(Generic[_Part]):
    """By account: those whose life ended lose all rows, `changed` parts come in the place of their own."""

    ended: set[str] = field(default_factory=set)
    users: dict[str, UUID] = field(default_factory=dict)
    changed: dict[str, dict[UUID, _Part]] = field(default_factory=dict)

    def each(self) -> Iterator[tuple[str, UUID, UUID, _Part]]:
        """Account key, user id, the part's id, the part."""
        for account_key, parts in self.changed.items():
            for part_id, part in parts.items():
                yield account_key, self.users[account_key], part_id, part


def changed_parts(
    folded: Folded, parts_of: Callable[[Life], Sequence[_Part]], id_of: Callable[[_Part], UUID]
) -> Parts[_Part]:
    """What the batch did to the parts, event by event.

    Not merely before against after: a part that was begun and left out again within one batch has a row too,
    or rows would depend on where batches are cut.
    """
    found: Parts[_Part] = Parts()
    lives = {key: one.before.life if one.before else None for key, one in folded.changed.items()}
    for applied in folded.applied:
        account_key = applied.event.account_key
        before, after = lives.get(account_key), applied.state.life if applied.state else None
        if not applied.accepted or after is before:
            continue
        lives[account_key] = after
        if before is not None and (after is None or after.user_id != before.user_id):
            found.ended.add(account_key)
            found.changed.pop(account_key, None)
        if after is not None:
            found.users[account_key] = after.user_id
            known = {id(part) for part in parts_of(before)} if before is not None else set()
            new = {id_of(part): part for part in parts_of(after) if id(part) not in known}
            if new:
                found.changed.setdefault(account_key, {}).update(new)
    return found


def write_parts(
    conn: Connection[Any],
    table: Table,
    part_key: str,
    parts: Parts[_Part],
    row: Callable[[str, UUID, _Part], Sequence[Any]],
) -> None:
    """Brings the table up to date: `part_key` is its column of the part's id, `row` makes a part's row."""
    table.remove(conn, list(parts.ended))
    each = list(parts.each())
    if each:
        keys, ids = [one[0] for one in each], [one[2] for one in each]
        conn.execute(_delete(table, part_key), (keys, ids), binary=True)
        table.append(conn, (row(account_key, user_id, part) for account_key, user_id, _, part in each))


def _delete(table: Table, part_key: str) -> sql.Composed:
    return sql.SQL(
        "delete from {} t using unnest(%b::text[], %b::uuid[]) gone (account_key, part_id) "
        "where t.account_key = gone.account_key and t.{} = gone.part_id"
    ).format(table.identifier, sql.Identifier(part_key))

"""Finds the records that made assets what they were, and folds them again."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection

from adapters.sealing import Seals
from projections.assets import projection as assets
from projections.assets.clear import ClearText
from projections.assets.queries import COLUMNS, AssetRow, VariantRow
from projections.of_assets import Changed, Folded
from projections.records import Record
from projections.statements import statements
from projections.storage.projection import held
from projections.storage.queries import StorageRow
from schemas.asset_state import AssetState
from schemas.codec import Codec
from schemas.events import AssetEvent
from schemas.lifecycle import fold

_SQL: Final = "past/queries.sql"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Up to this time of the log; in one partition, where a record is named, up to that record."""

    log_time: datetime
    partition: int | None = None
    offset: int | None = None


class Spot(NamedTuple):
    """Where a record of an asset stands."""

    asset_id: UUID
    partition: int
    offset: int


class Begun(NamedTuple):
    """An asset that was asked for, and where; also what a next page begins after."""

    asset_id: UUID
    log_time: datetime
    partition: int
    offset: int


async def logged_at(
    conn: AsyncConnection[Any], *, topic: str, partition: int, offset: int
) -> datetime | None:
    """When the log took the record; None where the feed has no such one."""
    named = {"topic": topic, "partition": partition, "offset": offset}
    row = await (await conn.execute(statements(_SQL)["logged_at"], named)).fetchone()
    return row[0] if row else None


async def beginning(conn: AsyncConnection[Any]) -> datetime | None:
    """When the log took its first record; None while there is none."""
    row = await (await conn.execute(statements(_SQL)["beginning"])).fetchone()
    return row[0] if row else None


async def spots(
    conn: AsyncConnection[Any],
    *,
    topic: str,
    owner_id: UUID | None,
    asset_ids: Sequence[UUID] | None,
    moment: Moment,
    limit: int,
) -> list[Spot]:
    """The records that counted, of these assets or of all, in the order of their partitions; None is any."""
    named = {
        "topic": topic,
        "owner_id": owner_id,
        "asset_ids": None if asset_ids is None else list(asset_ids),
        "limit": limit,
    }
    found = await conn.execute(statements(_SQL)["spots"], named | _of(moment))
    return [Spot(*row) for row in await found.fetchall()]


async def begun(
    conn: AsyncConnection[Any],
    *,
    topic: str,
    owner_id: UUID,
    moment: Moment,
    before: Begun | None,
    limit: int,
) -> list[Begun]:
    """The assets that an owner had asked for, newest first, after the one that `before` names."""
    named = {
        "topic": topic,
        "owner_id": owner_id,
        "limit": limit,
        "before_time": before.log_time if before else None,
        "before_partition": before.partition if before else None,
        "before_offset": before.offset if before else None,
    }
    found = await conn.execute(statements(_SQL)["begun"], named | _of(moment))
    return [Begun(*row) for row in await found.fetchall()]


def states(records: Iterable[Record], codec: Codec) -> dict[UUID, Changed]:
    """What the records, in their partitions' order, make of their assets; raises DecodeError."""
    found: dict[UUID, Changed] = {}
    for record in records:
        event: AssetEvent = codec.decode(record.value)  # type: ignore[assignment]  # as the feed has it
        known = found.get(event.asset_id)
        state = fold(known.state if known else None, event).state
        if state is not None and (known is None or state is not known.state):
            found[event.asset_id] = Changed(state, record.partition, record.offset, None)
    return found


def rows(changed: Mapping[UUID, Changed], keys: Seals) -> dict[UUID, AssetRow]:
    """The rows that those assets had; none of a purged one. Raises KeyTrouble, SealBroken.

    Words of somebody who was erased since are null: no past brings them back.
    """
    clear = ClearText(keys)
    folded: Folded = Folded(changed=dict(changed))
    made = (dict(zip(assets.TABLE.columns, row, strict=True)) for row in assets.rows(folded, clear))
    return {row["asset_id"]: _row(row) for row in made}


def storage(found: Iterable[AssetState]) -> list[StorageRow]:
    """What those assets held."""
    counted: dict[tuple[str, str, bool, str], tuple[int, int]] = {}
    for state in found:
        for heap, size in held(state, 0):
            key = (heap.kind, heap.status, heap.trashed, heap.format)
            files, taken = counted.get(key, (0, 0))
            counted[key] = (files + 1, taken + size)
    return [
        StorageRow(kind=kind, status=status, trashed=trashed, format=format_, files=files, bytes=taken)
        for (kind, status, trashed, format_), (files, taken) in sorted(counted.items())
    ]


_NAMES: Final = tuple(COLUMNS.decode().split(", "))


def _row(found: dict[str, Any]) -> AssetRow:
    values = {name: found[name] for name in _NAMES}
    variants = tuple(VariantRow(**one) for one in json.loads(found["variants"]))
    values |= {"tags": tuple(found["tags"]), "variants": variants}
    return AssetRow(**values)


def _of(moment: Moment) -> dict[str, Any]:
    return {"log_time": moment.log_time, "partition": moment.partition, "offset": moment.offset}

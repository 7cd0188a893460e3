"""Counts the files and bytes of each owner, by what a batch changed of them."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg import Connection, sql

from projections.forms import STORAGE
from projections.of_assets import Folded
from projections.tables import Table
from schemas.asset_state import AssetState

TABLE: Final = Table(
    model=STORAGE,
    name="storage",
    key="owner_id",
    columns={
        "partition": "int4",
        "owner_id": "uuid",
        "kind": "text",
        "status": "text",
        "trashed": "bool",
        "format": "text",
        "files": "int8",
        "bytes": "int8",
    },
)


class Heap(NamedTuple):
    """What files are counted by; the order is that of the table's key."""

    partition: int
    owner_id: UUID
    kind: str
    status: str
    trashed: bool
    format: str


def write(conn: Connection[Any], folded: Folded) -> None:
    """Adds what the batch's assets hold now and takes off what they held before; no empty row stays."""
    files, sizes = changes(folded)
    heaps = sorted(heap for heap in files.keys() | sizes.keys() if files[heap] or sizes[heap])
    if not heaps:
        return
    columns = [list(column) for column in zip(*heaps, strict=True)]
    counts = [[files[heap] for heap in heaps], [sizes[heap] for heap in heaps]]
    table = TABLE.identifier
    conn.execute(_ADD.format(table=table), [*columns, *counts], binary=True)
    if any(files[heap] < 0 for heap in heaps):
        conn.execute(_SWEEP.format(table=table), (list({heap.owner_id for heap in heaps}),), binary=True)


def changes(folded: Folded) -> tuple[Counter[Heap], Counter[Heap]]:
    """Files and bytes that came to each heap in a batch; below zero where some went."""
    files: Counter[Heap] = Counter()
    sizes: Counter[Heap] = Counter()
    for changed in folded.changed.values():
        for state, sign in ((changed.before, -1), (changed.state, 1)):
            if state is not None:
                for heap, size in held(state, changed.partition):
                    files[heap] += sign
                    sizes[heap] += sign * size
    return files, sizes


def held(state: AssetState, partition: int) -> Iterator[tuple[Heap, int]]:
    """Each file of an asset, with its bytes: its original and the variants of every set that stands.

    What lies in the trash counts, what was purged does not.
    """
    if state.original is None:  # as that of a purged one is
        return
    status, trashed = state.status, state.deleted_at is not None
    format_ = _format(state.original.content_type)
    yield Heap(partition, state.owner_id, "original", status, trashed, format_), state.original.size
    variants = {variant.object_key: variant for one in state.sets for variant in one.variants}
    for variant in variants.values():
        format_ = _format(variant.content_type)
        yield Heap(partition, state.owner_id, "variant", status, trashed, format_), variant.size


def _format(content_type: str) -> str:
    return content_type.rpartition("/")[2]


_ADD: Final = sql.SQL(
    "insert into {table} as s (partition, owner_id, kind, status, trashed, format, files, bytes) "
    "select * from unnest(%b::int4[], %b::uuid[], %b::text[], %b::text[], %b::bool[], %b::text[], "
    "%b::int8[], %b::int8[]) "
    "on conflict (partition, owner_id, kind, status, trashed, format) "
    "do update set files = s.files + excluded.files, bytes = s.bytes + excluded.bytes"
)
_SWEEP: Final = sql.SQL("delete from {table} where owner_id = any(%b) and files = 0")

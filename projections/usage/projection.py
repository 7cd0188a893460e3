"""Writes down what each result in a batch has cost."""

from collections.abc import Iterator
from datetime import UTC
from typing import Any, Final

from psycopg import Connection

from projections.forms import USAGE
from projections.of_assets import Folded
from projections.tables import Table
from schemas.events import VariantsReady

TABLE: Final = Table(
    model=USAGE,
    name="usage",
    key="asset_id",
    columns={
        "partition": "int4",
        "offset": "int8",
        "owner_id": "uuid",
        "asset_id": "uuid",
        "job_id": "uuid",
        "preset_set": "text",
        "day": "date",
        "cpu_ms": "int8",
        "wall_ms": "int8",
        "bytes_read": "int8",
        "bytes_written": "int8",
    },
)

Row = tuple[Any, ...]


def write(conn: Connection[Any], folded: Folded) -> None:
    """Adds the batch's lines."""
    if added := list(rows(folded)):
        TABLE.append(conn, added)


def rows(folded: Folded) -> Iterator[Row]:
    """One line for each result that was accepted, values in the order of TABLE's columns.

    A result that comes again is not accepted, and what a cut attempt took is in nobody's books.
    """
    for record, event, _, accepted in folded.applied:
        if accepted and isinstance(event, VariantsReady):
            yield (
                record.partition,
                record.offset,
                event.owner_id,
                event.asset_id,
                event.job_id,
                event.preset_set,
                event.occurred_at.astimezone(UTC).date(),
                event.cost.cpu_ms,
                event.cost.wall_ms,
                event.cost.bytes_read,
                event.cost.bytes_written,
            )

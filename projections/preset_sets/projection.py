"""Folds each preset set that a batch changed into its one row."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Final

from psycopg import Connection
from psycopg.types.json import Jsonb

from projections.forms import PRESET_SETS
from projections.of_operations import Folded
from projections.tables import Table

TABLE: Final = Table(
    model=PRESET_SETS,
    name="preset_sets",
    key="preset_set",
    columns={
        "preset_set": "text",
        "presets": "jsonb",
        "defined_at": "timestamptz",
        "activated_at": "timestamptz",
        "activated_offset": "int8",
    },
)

Row = tuple[Any, ...]


def write(conn: Connection[Any], folded: Folded) -> None:
    """Replaces the rows of the preset sets that the batch changed."""
    changed = list(rows(folded))
    if changed:
        TABLE.replace(conn, [row[0] for row in changed], changed)


def rows(folded: Folded) -> Iterator[Row]:
    """One row for each changed set, values in the order of TABLE's columns.

    Once a set is defined nothing but an activation changes it, so where the last change stands is where it
    became the active one last.
    """
    for changed in folded.changed.values():
        if (state := changed.state.preset_set) is not None:
            yield (
                state.preset_set,
                Jsonb([asdict(preset) for preset in state.presets]),
                state.defined_at,
                state.activated_at,
                None if state.activated_at is None else changed.offset,
            )

"""Folds each run that a batch changed into its one row."""

from collections.abc import Iterator
from typing import Any, Final

from psycopg import Connection
from psycopg.types.json import Jsonb

from projections.forms import RUNS
from projections.of_operations import Folded
from projections.tables import Table
from schemas.events import RunCounts

TABLE: Final = Table(
    model=RUNS,
    name="runs",
    key="run_id",
    columns={
        "run_id": "uuid",
        "kind": "text",
        "filter": "text",
        "preset_set": "text",
        "owner_id": "uuid",
        "actor_id": "uuid",
        "status": "text",
        "version": "int8",
        "started_at": "timestamptz",
        "paused_at": "timestamptz",
        "ended_at": "timestamptz",
        "counts": "jsonb",
        "steered": "uuid[]",
    },
)

Row = tuple[Any, ...]


def write(conn: Connection[Any], folded: Folded) -> None:
    """Replaces the rows of the runs that the batch changed."""
    changed = list(rows(folded))
    if changed:
        TABLE.replace(conn, [row[0] for row in changed], changed)


def rows(folded: Folded) -> Iterator[Row]:
    """One row for each changed run, values in the order of TABLE's columns."""
    for changed in folded.changed.values():
        if (run := changed.state.run) is not None:
            yield (
                run.run_id,
                run.kind,
                run.filter,
                run.preset_set,
                run.owner_id,
                run.actor_id,
                run.status,
                run.version,
                run.started_at,
                run.paused_at,
                run.ended_at,
                None if run.counts is None else Jsonb(_counts(run.counts)),
                list(run.steered),
            )


def _counts(counts: RunCounts) -> dict[str, int]:
    return {
        "requested": counts.requested,
        "completed": counts.completed,
        "failed": counts.failed,
        "skipped": counts.skipped,
    }

"""Folds each job of the assets that a batch changed into its one row."""

from collections.abc import Iterator
from typing import Any, Final

from psycopg import Connection
from psycopg.types.json import Jsonb

from projections.forms import JOBS
from projections.of_assets import Folded
from projections.tables import Table
from schemas.events import Cost

TABLE: Final = Table(
    model=JOBS,
    name="jobs",
    key="asset_id",
    columns={
        "asset_id": "uuid",
        "job_id": "uuid",
        "owner_id": "uuid",
        "nth": "int8",
        "kind": "text",
        "lane": "text",
        "state": "text",
        "attempts": "int8",
        "error_kind": "text",
        "error_code": "text",
        "queued_at": "timestamptz",
        "started_at": "timestamptz",
        "finished_at": "timestamptz",
        "worker": "text",
        "cost": "jsonb",
        "run_id": "uuid",
    },
)

Row = tuple[Any, ...]


def write(conn: Connection[Any], folded: Folded) -> None:
    """Replaces the jobs of the assets that the batch changed."""
    TABLE.replace(conn, folded.replaced(), rows(folded))


def rows(folded: Folded) -> Iterator[Row]:
    """All jobs of the changed assets, values in the order of TABLE's columns."""
    for changed in folded.changed.values():
        state = changed.state
        for job in state.jobs:
            yield (
                state.asset_id,
                job.job_id,
                state.owner_id,
                job.order,
                job.kind,
                job.lane,
                job.state,
                job.attempts,
                job.error_kind,
                job.error_code,
                job.queued_at,
                job.started_at,
                job.finished_at,
                job.worker,
                None if job.cost is None else Jsonb(_cost(job.cost)),
                job.run_id,
            )


def _cost(cost: Cost) -> dict[str, int]:
    """As asdict gives it, without the deep copies."""
    return {
        "cpu_ms": cost.cpu_ms,
        "wall_ms": cost.wall_ms,
        "peak_rss_kib": cost.peak_rss_kib,
        "bytes_read": cost.bytes_read,
        "bytes_written": cost.bytes_written,
    }

"""A job as an operator reads it: within 80 columns, every attempt with what is known of it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from rich.filesize import decimal

from api.job_shapes import Attempt, JobDetail, Lane
from api.representations import JobCost
from projections.jobs.queries import JobRow


def detail_lines(detail: JobDetail) -> Iterator[str]:
    """The job, then every attempt at it, the first one first."""
    shown = detail.model_dump(
        include={"id", "asset_id", "kind", "lane", "state", "attempts", "worker", "queued_at"}
    )
    for name, value in shown.items():
        yield f"{name}: {_moment(value) if isinstance(value, datetime) else _or_dash(value)}"
    if detail.last_error is not None:
        yield f"last_error: {detail.last_error.kind}/{detail.last_error.code}"
    for one in detail.history:
        yield from _attempt_lines(one)


def lane_lines(lane: Lane) -> Iterator[str]:
    """How the work of one lane goes."""
    states = ", ".join(f"{count} {state}" for state, count in sorted(lane.states.items()))
    yield f"{lane.lane}: {states}"
    if lane.oldest_waiting is not None:
        yield f"  the oldest waits since {_moment(lane.oldest_waiting)}"
    yield f"  last hour: {lane.ended_last_hour} ended"
    for name, seconds in (("waited", lane.waiting), ("took", lane.work)):
        if seconds.p50 is not None and seconds.p95 is not None:
            yield f"    {name} {seconds.p50:.3f} s (p50), {seconds.p95:.3f} s (p95)"


def plain(row: JobRow) -> dict[str, Any]:
    """A row of the list, for programs."""
    return {
        "job_id": str(row.job_id),
        "asset_id": str(row.asset_id),
        "owner_id": str(row.owner_id),
        "run_id": None if row.run_id is None else str(row.run_id),
        "kind": row.kind,
        "lane": row.lane,
        "state": row.state,
        "attempts": row.attempts,
        "error_kind": row.error_kind,
        "error_code": row.error_code,
        "queued_at": row.queued_at.isoformat(),
    }


def _attempt_lines(one: Attempt) -> Iterator[str]:
    error = "" if one.error is None else f" ({one.error.kind}/{one.error.code})"
    yield f"attempt {one.number}: {one.outcome}{error}, {one.worker or 'by a worker that nobody named'}"
    yield f"  {_span(one.started_at, one.ended_at)}"
    if one.cost is not None:
        yield f"  {_cost(one.cost)}"


def _span(began: datetime | None, ended: datetime | None) -> str:
    if began is None or ended is None:
        return f"began {_moment(began)}, ended {_moment(ended)}"
    return f"{_moment(began)} – {_moment(ended)}, {(ended - began).total_seconds():.3f} s"


def _cost(cost: JobCost) -> str:
    read, written = decimal(cost.bytes_read), decimal(cost.bytes_written)
    memory = decimal(cost.peak_rss_kib * 1024)
    return f"CPU {cost.cpu_ms:,} ms, wall {cost.wall_ms:,} ms, memory {memory}, read {read}, wrote {written}"


def _moment(moment: datetime | None) -> str:
    if moment is None:
        return "–"
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _or_dash(value: object) -> object:
    return "–" if value is None else value

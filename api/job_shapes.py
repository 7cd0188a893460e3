"""How jobs look in detail and as a whole."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from api.representations import Failure, Job, JobCost, LaneWord, Shape, job_shape
from projections.jobs import queries
from projections.jobs.queries import JobRow
from projections.jobs.stats import LaneStats


class JobPage(Shape):
    """Some jobs, newest first."""

    items: tuple[Job, ...]
    next_cursor: Annotated[str | None, Field(description="For ?cursor= ; null on the last page.")]


class Attempt(Shape):
    """One try at a job."""

    number: int
    worker: Annotated[str | None, Field(examples=["variants-0"])]
    outcome: Annotated[
        str,
        Field(
            description="lost: its worker ended without a word.",
            json_schema_extra={"enum": ["active", "completed", "failed", "interrupted", "lost"]},
            examples=["completed"],
        ),
    ]
    error: Failure | None
    started_at: datetime | None
    ended_at: datetime | None
    cost: JobCost | None


class JobDetail(Job):
    """A piece of work on an asset, with every attempt at it."""

    history: Annotated[tuple[Attempt, ...], Field(description="Every attempt, the first one first.")]


class Quantiles(Shape):
    """Seconds; null where nothing was done in the last hour."""

    p50: Annotated[float | None, Field(examples=[0.12])]
    p95: Annotated[float | None, Field(examples=[0.61])]


class Lane(Shape):
    """One lane."""

    lane: LaneWord
    states: Annotated[
        dict[str, int], Field(description="How many jobs are in each state.", examples=[{"completed": 410}])
    ]
    oldest_waiting: Annotated[datetime | None, Field(description="Since then the oldest job waits.")]
    ended_last_hour: int
    waiting: Annotated[Quantiles, Field(description="From the asking to the start, in the last hour.")]
    work: Annotated[Quantiles, Field(description="From the start to the end, in the last hour.")]


class JobStats(Shape):
    """How the work goes."""

    lanes: tuple[Lane, ...]


class JobAsked(Shape):
    """Another job was asked for."""

    asset_id: UUID
    job_id: Annotated[UUID, Field(description="The new job.")]
    job_url: Annotated[
        str, Field(examples=["/v1/jobs/0199a8e4-7c1d-7b6e-9f00-2f5a6f1f8e11?after=ZGFya3Jvb20"])
    ]
    status_url: Annotated[
        str, Field(examples=["/v1/assets/0199a8e4-7c1d-7b6e-9f00-2f5a6f1f8e11/status?after=ZGFya3Jvb20"])
    ]


def detail_shape(row: JobRow, attempts: list[queries.Attempt]) -> JobDetail:
    """A job with its attempts."""
    return JobDetail(**dict(job_shape(row)), history=tuple(_attempt(one) for one in attempts))


def stats_shape(lanes: list[LaneStats]) -> JobStats:
    """The numbers of all lanes."""
    return JobStats(lanes=tuple(_lane(lane) for lane in lanes))


def _attempt(one: queries.Attempt) -> Attempt:
    error = None
    if one.error_kind is not None and one.error_code is not None:
        error = Failure(kind=one.error_kind, code=one.error_code)
    return Attempt(
        number=one.number,
        worker=one.worker,
        outcome=one.outcome,
        error=error,
        started_at=one.started_at,
        ended_at=one.ended_at,
        cost=JobCost(**one.cost) if one.cost else None,
    )


def _lane(lane: LaneStats) -> Lane:
    return Lane(
        lane=lane.lane,
        states=lane.states,
        oldest_waiting=lane.oldest_waiting,
        ended_last_hour=lane.done,
        waiting=Quantiles(p50=lane.waiting_p50, p95=lane.waiting_p95),
        work=Quantiles(p50=lane.work_p50, p95=lane.work_p95),
    )

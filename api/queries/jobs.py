"""Reads jobs: in lists, one with all its attempts, and how the work goes as a whole."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response

from api.access import catching_up, caught_up
from api.caller import Caller
from api.job_shapes import JobDetail, JobPage, JobStats, detail_shape, stats_shape
from api.openapi import problems
from api.parts import Parts
from api.problems import NotFound
from api.queries.cursors import cursor_for, mark_of
from api.queries.listing import Cursor, Limit, cut, listed
from api.representations import job_shape
from projections.jobs.queries import JobFilter, JobMark, JobRow
from schemas.asset_state import JobStatus

JOBS: Final = "/v1/jobs"

router = APIRouter(tags=["jobs"])


@router.get(
    JOBS,
    response_model=JobPage,
    summary="List jobs",
    responses=problems(401, 403, 422, 503),
    openapi_extra=catching_up("assets:read"),
)
async def list_jobs(
    request: Request,
    state: Annotated[JobStatus | None, Query(description="Only jobs in this state.")] = None,
    asset: Annotated[UUID | None, Query(description="Only this asset's.")] = None,
    kind: Annotated[
        str | None, Query(max_length=50, pattern="^[a-z]+$", description="upload, retry, redrive, …")
    ] = None,
    run: Annotated[UUID | None, Query(description="Only those that this run asked for.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Yours, newest first; administrators see everybody's."""
    parts, caller = await caught_up(request, "assets:read")
    owner_id = None if caller.admin else caller.user_id
    wanted = JobFilter(owner_id=owner_id, asset_id=asset, state=state, kind=kind, run_id=run)
    bound_to = f"{JOBS} {caller.user_id} {wanted}"
    after = JobMark(*mark_of(parts.signer, cursor, bound_to=bound_to)) if cursor is not None else None
    rows = await parts.work.jobs_page(wanted, limit=limit + 1, after=after)
    page, last = cut(rows, limit)
    following = None
    if last is not None:
        following = cursor_for(parts.signer, (last.queued_at, last.job_id), bound_to=bound_to)
    body = JobPage(items=tuple(job_shape(row) for row in page), next_cursor=following)
    query = {"state": state, "asset": asset, "kind": kind, "run": run, "limit": limit}
    return listed(body, JOBS, query, following)


@router.get(
    JOBS + "/stats",
    summary="How the work goes",
    responses=problems(401, 403, 422, 503),
    openapi_extra=catching_up("admin"),
)
async def job_stats(request: Request) -> JobStats:
    """For administrators: what waits, what was done in the last hour, and how long both took."""
    parts, _ = await caught_up(request, "admin")
    return stats_shape(await parts.work.job_stats(parts.clock.now()))


@router.get(
    JOBS + "/{job_id}",
    summary="Read a job",
    responses=problems(401, 403, 404, 422, 503),
    openapi_extra=catching_up("assets:read"),
)
async def read_job(
    request: Request, job_id: Annotated[UUID, Path(description="A job of yours.")]
) -> JobDetail:
    """How a piece of work went, every attempt, and what it took; administrators see everybody's."""
    parts, caller = await caught_up(request, "assets:read")
    row = await own_job(parts, caller, job_id)
    return detail_shape(row, await parts.work.attempts(row))


async def own_job(parts: Parts, caller: Caller, job_id: UUID) -> JobRow:
    """The job, if it is the caller's or the caller is an administrator; raises NotFound."""
    row = await parts.reads.job(owner_id=None if caller.admin else caller.user_id, job_id=job_id)
    if row is None:
        raise NotFound
    return row

"""Reads runs: one's own, and for administrators everybody's."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response

from api.access import catching_up, caught_up
from api.caller import Caller
from api.openapi import problems
from api.parts import Parts
from api.problems import NotFound
from api.queries.cursors import cursor_for, mark_of
from api.queries.listing import Cursor, Limit, cut, listed
from api.representations import PRIVATE
from api.run_shapes import Run, RunPage, run_shape
from projections.runs.queries import RunRow

RUNS: Final = "/v1/runs"

RunId = Annotated[UUID, Path(description="A run of yours.")]

router = APIRouter(tags=["runs"])


@router.get(
    RUNS,
    response_model=RunPage,
    summary="List runs",
    responses=problems(401, 403, 422, 503),
    openapi_extra=catching_up("assets:read"),
)
async def list_runs(request: Request, limit: Limit = 20, cursor: Cursor = None) -> Response:
    """Runs over your assets, newest first; administrators see all there are."""
    parts, caller = await caught_up(request, "assets:read")
    bound_to = f"runs {caller.user_id} {caller.admin}"
    before = mark_of(parts.signer, cursor, bound_to=bound_to) if cursor is not None else None
    owner_id = None if caller.admin else caller.user_id
    rows = await parts.runs.page(owner_id=owner_id, limit=limit + 1, before=before)
    page, last = cut(rows, limit)
    following = None
    if last is not None:
        following = cursor_for(parts.signer, (last.started_at, last.run_id), bound_to=bound_to)
    jobs = await parts.runs.jobs([row.run_id for row in page]) if page else {}
    items = tuple(run_shape(row, jobs=jobs.get(row.run_id, {}), waiting=None) for row in page)
    body = RunPage(items=items, next_cursor=following)
    return listed(body, RUNS, {"limit": limit}, following)


@router.get(
    RUNS + "/{run_id}",
    summary="Read a run",
    responses=problems(401, 403, 404, 422, 503),
    openapi_extra=catching_up("assets:read"),
)
async def read_run(request: Request, response: Response, run_id: RunId) -> Run:
    """How far it is; `waiting` is counted now."""
    parts, caller = await caught_up(request, "assets:read")
    row = await own_run(parts, caller, run_id)
    response.headers.update(PRIVATE)
    return await shown(parts, row)


async def own_run(parts: Parts, caller: Caller, run_id: UUID) -> RunRow:
    """The run, if it is over the caller's assets or the caller is an administrator; raises NotFound."""
    row = await parts.runs.run(run_id)
    if row is None or not (caller.admin or row.owner_id == caller.user_id):
        raise NotFound
    return row


async def shown(parts: Parts, row: RunRow) -> Run:
    """The run with its progress."""
    jobs = await parts.runs.jobs([row.run_id])
    waiting = await parts.runs.waiting(row) if row.ended_at is None else 0
    return run_shape(row, jobs=jobs.get(row.run_id, {}), waiting=waiting)

"""Reads jobs: one, by its owner or an admin."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request

from api.access import catching_up, caught_up
from api.openapi import problems
from api.problems import NotFound
from api.representations import Job, job_shape

router = APIRouter(tags=["jobs"])


@router.get(
    "/v1/jobs/{job_id}",
    summary="Read a job",
    responses=problems(401, 403, 404, 422, 503),
    openapi_extra=catching_up("assets:read"),
)
async def read_job(request: Request, job_id: Annotated[UUID, Path(description="A job of yours.")]) -> Job:
    """How a piece of work went, and what it took; admins see everybody's."""
    parts, caller = await caught_up(request, "assets:read")
    owner_id = None if caller.admin else caller.user_id
    row = await parts.reads.job(owner_id=owner_id, job_id=job_id)
    if row is None:
        raise NotFound
    return job_shape(row)

"""Reads jobs: one, by its owner or an admin."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path

from api.access import Authenticated, CaughtUp, PartsHere
from api.openapi import problems
from api.problems import NotFound
from api.representations import Job, job_shape

router = APIRouter(tags=["jobs"], dependencies=[CaughtUp])


@router.get("/v1/jobs/{job_id}", summary="Read a job", responses=problems(401, 404, 422, 503))
async def read_job(
    parts: PartsHere, caller: Authenticated, job_id: Annotated[UUID, Path(description="A job of yours.")]
) -> Job:
    """How a piece of work went, and what it took; admins see everybody's."""
    owner_id = None if caller.admin else caller.user_id
    row = await parts.reads.job(owner_id=owner_id, job_id=job_id)
    if row is None:
        raise NotFound
    return job_shape(row)

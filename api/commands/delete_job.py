"""DeleteJob: a job that waits, or that failed, is taken away; its asset keeps what it has."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response

from api.access import entered, entering
from api.commands.answers import no_content
from api.commands.changing import Decide, heading, settled
from api.commands.verdicts import key_or_fresh
from api.intent import IdempotencyKey, Intent, begin
from api.job_problems import JobUnderWay
from api.openapi import problems
from api.parts import Parts
from api.problems import NotFound
from api.queries.jobs import own_job
from projections.assets.queries import AssetRow
from schemas.asset_state import DELETABLE
from schemas.events import JobDeleted

ROUTE: Final = "/v1/jobs/{job_id}"
router = APIRouter()


@router.delete(
    ROUTE,
    status_code=204,
    summary="Delete a job",
    response_description="Nobody will work on it.",
    tags=["jobs"],
    responses=problems(401, 403, 404, 409, 422, 503),
    openapi_extra=entering("assets:write"),
)
async def delete_job(
    request: Request,
    job_id: Annotated[UUID, Path(description="A job of yours that waits or that failed.")],
    key: IdempotencyKey = None,
) -> Response:
    """Workers pass over it. Without any variants its asset is failed (job_deleted). Administrators may for
    everybody. 409: a worker has it, or has done it.
    """
    parts, caller = await entered(request, "assets:write")
    row = await own_job(parts, caller, job_id)
    key = key_or_fresh(key)
    intent = await begin(parts, caller, route=ROUTE, key=key, said=b"", target=str(job_id))

    position = await settled(
        parts,
        intent,
        key=key,
        what="job-deleted",
        asset_id=row.asset_id,
        owner_id=row.owner_id,
        causation_id=await parts.work.last_said(row),
        decide=_decision(parts, intent, job_id),
    )
    return no_content(position)


def _decision(parts: Parts, intent: Intent, job_id: UUID) -> Decide:
    async def decide(event_id: UUID, asset: AssetRow) -> JobDeleted | None:
        job = await parts.reads.job(owner_id=None, job_id=job_id)
        if job is None:
            raise NotFound
        if job.state == "deleted":
            return None
        if job.state not in DELETABLE:
            raise JobUnderWay
        return JobDeleted(**heading(intent, event_id, asset), job_id=job_id)

    return decide

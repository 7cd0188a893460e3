"""RetryJob: a job that failed or was deleted is asked for again, as another job."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response

from api.access import entered, entering
from api.asset_problems import StillWorking
from api.commands.answers import job_asked
from api.commands.asked_again import Asking, asked_again
from api.commands.changing import Decide, settled
from api.commands.completion import active_preset_set
from api.commands.verdicts import key_or_fresh
from api.intent import IdempotencyKey, Intent, begin
from api.job_problems import JobNotEnded
from api.job_shapes import JobAsked
from api.openapi import problems
from api.parts import Parts
from api.problems import NotFound
from api.queries.jobs import own_job
from projections.assets.queries import AssetRow
from projections.jobs.queries import JobRow
from schemas.asset_state import UNDER_WAY
from schemas.codes import Reason
from schemas.events import VariantsRequested
from schemas.positions import Position

ROUTE: Final = "/v1/jobs/{job_id}/retry"
ENDED: Final = frozenset({"failed", "deleted"})
router = APIRouter()


@router.post(
    ROUTE,
    status_code=202,
    summary="Try a job again",
    response_description="Another job was asked for.",
    tags=["jobs"],
    responses=problems(401, 403, 404, 409, 422, 503),
    openapi_extra=entering("assets:write"),
)
async def retry_job(
    request: Request,
    response: Response,
    job_id: Annotated[UUID, Path(description="A job of yours that failed or was deleted.")],
    key: IdempotencyKey = None,
) -> JobAsked:
    """The old job stays as it is; the new one names it as its cause. Administrators may for everybody.

    409: the job has not failed, or the asset lies in the trash, or another job of it is under way.
    """
    parts, caller = await entered(request, "assets:write")
    row = await own_job(parts, caller, job_id)
    key = key_or_fresh(key)
    intent = await begin(parts, caller, route=ROUTE, key=key, said=b"", target=str(job_id))
    position = await ask_again(parts, intent, row, key=key, reason="retry")
    return job_asked(response, row.asset_id, intent.new_id("job"), position)


async def ask_again(parts: Parts, intent: Intent, row: JobRow, *, key: str, reason: Reason) -> Position:
    """Has the variants of a job's asset asked for again, as the job `intent.new_id("job")`.

    Raises JobNotEnded, StillWorking, NotFound, and what having an event accepted raises.
    """
    return await settled(
        parts,
        intent,
        key=key,
        what=reason,
        asset_id=row.asset_id,
        owner_id=row.owner_id,
        causation_id=await parts.work.last_said(row),
        decide=_decision(parts, intent, row.job_id, reason),
    )


def _decision(parts: Parts, intent: Intent, job_id: UUID, reason: Reason) -> Decide:
    async def decide(event_id: UUID, row: AssetRow) -> VariantsRequested:
        job = await parts.reads.job(owner_id=None, job_id=job_id)
        if job is None:
            raise NotFound
        if job.state not in ENDED:
            raise JobNotEnded
        newest = await parts.reads.job(owner_id=None, job_id=row.job_id) if row.job_id is not None else None
        if newest is not None and newest.state in UNDER_WAY:
            raise StillWorking
        original = await parts.work.original(row.asset_id)
        if original is None:
            raise NotFound
        asking = Asking(
            reason=reason,
            lane="bulk" if job.lane == "bulk" else "live",
            preset_set=active_preset_set(parts),
            now=intent.asked_at,
            actor_id=intent.caller.user_id,
            expected_version=row.version,
            request_hash=intent.request_hash,
        )
        return asked_again(original, asking, event_id=event_id, job_id=intent.new_id("job"))

    return decide

"""ReprocessAsset: an owner has a picture's variants made once more."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response

from api.access import entered, entering
from api.asset_problems import InTrash, NotUploaded, StillWorking
from api.commands.answers import job_asked
from api.commands.asked_again import Asking, asked_again
from api.commands.changing import settled
from api.commands.completion import active_preset_set
from api.commands.verdicts import key_or_fresh
from api.etags import IfMatch
from api.intent import IdempotencyKey, Intent, begin
from api.job_shapes import JobAsked
from api.openapi import problems
from api.parts import Parts
from projections.assets.queries import AssetRow
from schemas.asset_state import UNDER_WAY
from schemas.events import VariantsRequested

ROUTE: Final = "/v1/assets/{asset_id}/reprocess"
router = APIRouter()


@router.post(
    ROUTE,
    status_code=202,
    response_model=JobAsked,
    summary="Make an asset's variants again",
    response_description="A job was asked for.",
    tags=["assets"],
    responses=problems(401, 403, 404, 409, 412, 422, 503),
    openapi_extra=entering("assets:write"),
)
async def reprocess_asset(
    request: Request,
    response: Response,
    asset_id: Annotated[UUID, Path(description="An asset of yours.")],
    key: IdempotencyKey = None,
    if_match: IfMatch = None,
) -> JobAsked:
    """By the presets of today. The variants that are there are served until the new ones take their place.

    409: nothing was uploaded, it lies in the trash, or a job of it is under way.
    """
    parts, caller = await entered(request, "assets:write")
    key = key_or_fresh(key)
    intent = await begin(parts, caller, route=ROUTE, key=key, said=b"reprocess", target=str(asset_id))

    async def decide(event_id: UUID, row: AssetRow) -> VariantsRequested:
        return await _decide(parts, intent, event_id, row)

    position = await settled(
        parts, intent, key=key, what="reprocess", asset_id=asset_id, if_match=if_match, decide=decide
    )
    return job_asked(response, asset_id, intent.new_id("job"), position)


async def _decide(parts: Parts, intent: Intent, event_id: UUID, row: AssetRow) -> VariantsRequested:
    """One job at a time: whoever asks again and again gets no more of the machine than others."""
    if row.deleted_at is not None:
        raise InTrash
    original = await parts.work.original(row.asset_id)
    if row.original_key is None or original is None:
        raise NotUploaded
    job = await parts.reads.job(owner_id=row.owner_id, job_id=row.job_id) if row.job_id is not None else None
    if job is not None and job.state in UNDER_WAY:
        raise StillWorking
    asking = Asking(
        reason="regenerate",
        lane="live",
        preset_set=active_preset_set(parts),
        now=intent.asked_at,
        actor_id=intent.caller.user_id,
        expected_version=row.version,
        request_hash=intent.request_hash,
    )
    return asked_again(original, asking, event_id=event_id, job_id=intent.new_id("job"))

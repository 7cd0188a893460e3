"""RestoreAsset: back out of the trash."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response

from api.access import entered, entering
from api.asset_problems import TimeIsOver
from api.commands.answers import say_position
from api.commands.changing import own_asset, settled
from api.commands.verdicts import key_or_fresh
from api.etags import IfMatch
from api.intent import IdempotencyKey, begin
from api.openapi import problems
from api.representations import Asset, asset_answer
from projections.assets.queries import AssetRow
from schemas.events import AssetRestored

ROUTE: Final = "/v1/assets/{asset_id}/restore"
router = APIRouter()


@router.post(
    ROUTE,
    response_model=Asset,
    summary="Restore an asset from the trash",
    response_description="The asset as it is now.",
    tags=["assets"],
    responses=problems(401, 403, 404, 409, 412, 422, 503),
    openapi_extra=entering("assets:write"),
)
async def restore_asset(
    request: Request,
    asset_id: Annotated[UUID, Path(description="An asset of yours.")],
    key: IdempotencyKey = None,
    if_match: IfMatch = None,
) -> Response:
    """It is as it was before it was deleted. What is not in the trash stays as it is."""
    parts, caller = await entered(request, "assets:write")
    key = key_or_fresh(key)
    intent = await begin(parts, caller, route=ROUTE, key=key, said=b"restore", target=str(asset_id))

    async def decide(event_id: UUID, row: AssetRow) -> AssetRestored | None:
        if row.deleted_at is None:
            return None
        if row.doomed:
            raise TimeIsOver
        return AssetRestored(
            event_id=event_id,
            occurred_at=intent.asked_at,
            asset_id=row.asset_id,
            owner_id=row.owner_id,
            actor_id=caller.user_id,
            expected_version=row.version,
            request_hash=intent.request_hash,
            code="user",
        )

    position = await settled(
        parts, intent, key=key, what="restored", asset_id=asset_id, if_match=if_match, decide=decide
    )
    row = await own_asset(parts, intent, asset_id)
    response = asset_answer(row, addresses=parts.addresses, now=parts.clock.now())
    say_position(response, position)
    return response

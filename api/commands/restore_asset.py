"""RestoreAsset: back out of the trash."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response

from api.access import entered, entering
from api.asset_problems import TimeIsOver
from api.commands.changing import heading, settled, shown
from api.commands.verdicts import key_or_fresh
from api.etags import IfMatch
from api.intent import IdempotencyKey, begin
from api.openapi import problems
from api.representations import Asset
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
        return AssetRestored(**heading(intent, event_id, row), code="user")

    position = await settled(
        parts, intent, key=key, what="restored", asset_id=asset_id, if_match=if_match, decide=decide
    )
    return await shown(parts, intent, asset_id, position)

"""DeleteAsset: into the trash, or gone for good."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response

from api.access import entered, entering
from api.commands.answers import no_content, position_of
from api.commands.changing import heading, own_asset, settled
from api.commands.verdicts import heard, key_or_fresh
from api.etags import IfMatch
from api.intent import IdempotencyKey, Intent, applied, begin
from api.openapi import problems
from api.parts import Parts
from projections.assets.queries import AssetRow
from schemas.events import AssetDeleted, AssetPurged
from schemas.positions import Position

ROUTE: Final = "/v1/assets/{asset_id}"
router = APIRouter()


@router.delete(
    ROUTE,
    status_code=204,
    summary="Delete an asset",
    response_description="It is in the trash, or gone.",
    tags=["assets"],
    responses=problems(401, 403, 404, 409, 412, 422, 503),
    openapi_extra=entering("assets:write"),
)
async def delete_asset(
    request: Request,
    asset_id: Annotated[UUID, Path(description="An asset of yours.")],
    permanent: Annotated[
        bool, Query(description="true removes it for good, from the trash or at once; nothing undoes that.")
    ] = False,
    key: IdempotencyKey = None,
    if_match: IfMatch = None,
) -> Response:
    """It can be restored for 30 days (`TRASH_KEEP`), then it is removed for good.

    What is gone for good is gone from every answer at once; its objects leave the store within seconds.
    """
    parts, caller = await entered(request, "assets:write")
    key = key_or_fresh(key)
    said = b"permanent" if permanent else b"trash"
    intent = await begin(parts, caller, route=f"DELETE {ROUTE}", key=key, said=said, target=str(asset_id))
    if permanent:
        position = await _purged(parts, intent, key, asset_id, if_match)
    else:
        position = await _trashed(parts, intent, key, asset_id, if_match)
    return no_content(position)


async def _trashed(parts: Parts, intent: Intent, key: str, asset_id: UUID, if_match: str | None) -> Position:
    async def decide(event_id: UUID, row: AssetRow) -> AssetDeleted | None:
        if row.deleted_at is not None:
            return None
        return AssetDeleted(**heading(intent, event_id, row), code="user")

    return await settled(
        parts, intent, key=key, what="deleted", asset_id=asset_id, if_match=if_match, decide=decide
    )


async def _purged(parts: Parts, intent: Intent, key: str, asset_id: UUID, if_match: str | None) -> Position:
    """A purge holds on any version; a version that was named is made sure of by deleting on it first."""
    event_id = intent.new_id("purged")
    if (found := await applied(parts, intent, event_id)) is not None:
        return position_of(found)
    if if_match is not None:
        await _trashed(parts, intent, key, asset_id, if_match)
    row = await own_asset(parts, intent, asset_id)
    event = AssetPurged(
        event_id=event_id,
        occurred_at=intent.asked_at,
        asset_id=row.asset_id,
        owner_id=row.owner_id,
        actor_id=intent.caller.user_id,
        request_hash=intent.request_hash,
        code="permanent",
        incoming_key=row.incoming_key,
    )
    return await heard(parts, event, key)

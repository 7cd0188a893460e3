"""RevokeLink: a shared link opens nothing any more."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response

from api.access import entered, entering
from api.commands.answers import no_content
from api.commands.changing import heading, settled
from api.commands.verdicts import key_or_fresh
from api.intent import IdempotencyKey, begin
from api.openapi import problems
from api.problems import NotFound
from projections.assets.queries import AssetRow
from schemas.events import LinkRevoked

ROUTE: Final = "/v1/assets/{asset_id}/links/{link_id}"
router = APIRouter()


@router.delete(
    ROUTE,
    status_code=204,
    summary="Revoke a shared link",
    response_description="It opens nothing any more.",
    tags=["assets"],
    responses=problems(401, 403, 404, 409, 422, 503),
    openapi_extra=entering("assets:write"),
)
async def revoke_link(
    request: Request,
    asset_id: Annotated[UUID, Path(description="An asset of yours.")],
    link_id: Annotated[UUID, Path(description="A link of it.")],
    key: IdempotencyKey = None,
) -> Response:
    """It is the same however often it is asked. Whoever was led on in the last two minutes can still look."""
    parts, caller = await entered(request, "assets:write")
    link = await parts.reads.link(link_id=link_id)
    if link is None or (link.asset_id, link.owner_id) != (asset_id, caller.user_id):
        raise NotFound
    key = key_or_fresh(key)
    intent = await begin(parts, caller, route=ROUTE, key=key, said=b"revoke", target=f"{asset_id} {link_id}")
    revoked = link.revoked_at is not None

    async def decide(event_id: UUID, row: AssetRow) -> LinkRevoked | None:
        if revoked:
            return None
        return LinkRevoked(**heading(intent, event_id, row), link_id=link_id)

    position = await settled(parts, intent, key=key, what="revoked", asset_id=asset_id, decide=decide)
    return no_content(position)

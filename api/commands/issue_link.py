"""IssueLink: an owner lets others see a picture, by a link."""

import json
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.access import entered
from api.asset_problems import InTrash, TooManyLinks
from api.bodies import read_json
from api.commands.answers import say_position
from api.commands.changing import heading, settled
from api.commands.verdicts import key_or_fresh
from api.intent import IdempotencyKey, begin
from api.links import MOST_LINKS, VARIANT_NAME, SharedLink, link_shape
from api.moments import Moment
from api.openapi import json_request, problems
from api.parts import Parts
from api.problems import NotFound, invalid
from api.variants import ORIGINAL
from projections.assets.queries import AssetRow
from schemas.events import LinkIssued

ROUTE: Final = "/v1/assets/{asset_id}/links"
router = APIRouter()


class IssueLink(BaseModel):
    """What the link shows, and until when."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    variant: Annotated[
        str | None,
        Field(
            pattern=VARIANT_NAME,
            description="Show this variant alone, or the `original`; without it any but the original.",
            examples=["small"],
        ),
    ] = None
    expires_at: Annotated[Moment | None, Field(examples=["2030-01-01T00:00:00Z"])] = None


@router.post(
    ROUTE,
    status_code=201,
    response_model=SharedLink,
    summary="Share an asset by a link",
    response_description="The link.",
    tags=["assets"],
    responses=problems(401, 403, 404, 408, 409, 413, 415, 422, 503),
    openapi_extra=json_request(IssueLink, "assets:write"),
)
async def issue_link(
    request: Request,
    response: Response,
    asset_id: Annotated[UUID, Path(description="An asset of yours.")],
    key: IdempotencyKey = None,
) -> SharedLink:
    """Whoever has it sees the picture without an account, until it expires or you revoke it."""
    parts, caller = await entered(request, "assets:write")
    body = await read_json(request, IssueLink)
    key = key_or_fresh(key)
    intent = await begin(parts, caller, route=ROUTE, key=key, said=_said(body), target=str(asset_id))
    link_id = intent.new_id("link")
    if await parts.reads.link(link_id=link_id) is None:  # which a repeated request finds, whatever came since
        await _check(parts, caller.user_id, asset_id, body)

    async def decide(event_id: UUID, row: AssetRow) -> LinkIssued:
        if row.deleted_at is not None:
            raise InTrash
        names = {variant.name for variant in row.variants} | {ORIGINAL}
        if row.variants and body.variant is not None and body.variant not in names:
            raise invalid("body.variant", "is no variant of this asset")
        return LinkIssued(
            **heading(intent, event_id, row),
            link_id=link_id,
            variant=body.variant,
            expires_at=body.expires_at,
        )

    position = await settled(parts, intent, key=key, what="link", asset_id=asset_id, decide=decide)
    link = await parts.reads.link(link_id=link_id)
    if link is None:
        raise NotFound  # purged in this very moment
    say_position(response, position)
    return link_shape(parts, link)


async def _check(parts: Parts, owner_id: UUID, asset_id: UUID, body: IssueLink) -> None:
    if body.expires_at is not None and body.expires_at <= parts.clock.now():
        raise invalid("body.expires_at", "must lie in the future")
    if len(await parts.reads.links_of(owner_id=owner_id, asset_id=asset_id)) >= MOST_LINKS:
        raise TooManyLinks


def _said(body: IssueLink) -> bytes:
    return json.dumps(body.model_dump(mode="json"), sort_keys=True).encode()

"""Reads shared links: their maker's list, and the way from a link to its picture."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import RedirectResponse

from api.access import catching_up, caught_up
from api.limits.doors import admit_stranger
from api.links import SHARED, VARIANT_NAME, SharedLinks, link_id_of, link_shape
from api.openapi import problems
from api.parts import Parts, parts_of
from api.problems import NotFound
from api.representations import private_json
from api.variants import ORIGINAL, find_variant, largest, variant_address
from projections.links.queries import LinkRow

# No link of ours is longer.
_TOKEN_LENGTH: Final = 200

router = APIRouter(tags=["assets"])


@router.get(
    "/v1/assets/{asset_id}/links",
    response_model=SharedLinks,
    summary="List an asset's shared links",
    responses=problems(401, 403, 404, 422, 503),
    openapi_extra=catching_up("assets:read"),
)
async def list_links(
    request: Request, asset_id: Annotated[UUID, Path(description="An asset of yours.")]
) -> Response:
    """Those that were not revoked, newest first; one whose time is over opens nothing."""
    parts, caller = await caught_up(request, "assets:read")
    if await parts.reads.asset(owner_id=caller.user_id, asset_id=asset_id) is None:
        raise NotFound
    rows = await parts.reads.links_of(owner_id=caller.user_id, asset_id=asset_id)
    body = SharedLinks(items=tuple(link_shape(parts, row) for row in rows))
    return private_json(body)


@router.get(
    SHARED + "{token}",
    status_code=307,
    response_class=RedirectResponse,
    summary="Open a shared link",
    responses=problems(404, 422, 503),
)
async def open_link(
    request: Request,
    token: Annotated[str, Path(max_length=_TOKEN_LENGTH)],
    variant: Annotated[
        str | None, Query(pattern=VARIANT_NAME, description="Which one, where the link shows any.")
    ] = None,
) -> RedirectResponse:
    """For whoever has the link. Expired, revoked, made up, in the trash or gone: all are the same 404.

    The address that it leads to holds for two minutes at most, so that a link that was revoked is soon blind.
    """
    parts = parts_of(request)
    if "authorization" in request.headers:  # without one the front has counted it
        await admit_stranger(parts, request.scope)
    link_id = link_id_of(parts.signer, token)
    link = await parts.reads.link(link_id=link_id) if link_id is not None else None
    if link is None or not _opens(parts, link):
        raise NotFound
    address = await _address(parts, link, variant, request.headers.get("accept"))
    return RedirectResponse(address, headers={"Cache-Control": "no-store", "Vary": "Accept"})


def _opens(parts: Parts, link: LinkRow) -> bool:
    within = link.expires_at is None or parts.clock.now() < link.expires_at
    return within and link.revoked_at is None


async def _address(parts: Parts, link: LinkRow, asked: str | None, accept: str | None) -> str:
    """Where the picture is to be had for a moment; raises NotFound."""
    row = await parts.reads.asset(owner_id=link.owner_id, asset_id=link.asset_id)
    if row is None or row.deleted_at is not None or asked not in _shown_by(link, asked):
        raise NotFound
    name = link.variant or asked
    found = find_variant(row, name, accept) if name is not None else largest(row, accept)
    if found is None:
        raise NotFound
    return variant_address(row, found, addresses=parts.addresses.brief, now=parts.clock.now())


def _shown_by(link: LinkRow, asked: str | None) -> tuple[str | None, ...]:
    """What may be asked of the link: its one variant, or any; the original has to be shared by name."""
    if link.variant is not None:
        return (None, link.variant)
    return () if asked == ORIGINAL else (asked,)

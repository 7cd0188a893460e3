"""Reads one asset: everything, how far it is, and the way to its bytes."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import RedirectResponse

from api.access import catching_up, caught_up
from api.caller import Caller
from api.etags import matches
from api.openapi import problems
from api.parts import Parts
from api.problems import NotFound
from api.queries.as_of import At, asset_at
from api.queries.gallery import LIST
from api.representations import (
    PRIVATE,
    WORKING,
    Asset,
    AssetStatus,
    asset_body,
    etag_of,
    private_json,
    status_shape,
)
from api.variants import ORIGINAL, find_variant, variant_address
from projections.assets.queries import AssetRow, VariantRow

router = APIRouter(tags=["assets"])

AssetId = Annotated[UUID, Path(description="An asset of yours.")]
VariantName = Annotated[str, Path(min_length=1, max_length=100, examples=["small"])]


@router.get(
    LIST + "/{asset_id}",
    response_model=Asset,
    summary="Read an asset",
    responses={304: {"description": "You have it already."}, **problems(401, 403, 404, 422, 503)},
    openapi_extra=catching_up("assets:read"),
)
async def read_asset(request: Request, asset_id: AssetId, at: At = None) -> Response:
    """Everything about one asset, with an ETag; or as it was, at `at`."""
    parts, caller = await caught_up(request, "assets:read")
    if at is not None:
        past = await asset_at(parts, caller.user_id, asset_id, at)
        body = asset_body(past, addresses=parts.addresses, now=parts.clock.now())
        return Response(body, media_type="application/json", headers=PRIVATE)
    row = await _row(parts, caller, asset_id)
    now = parts.clock.now()
    etag = etag_of(row, addresses=parts.addresses, now=now)
    if matches(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers={**PRIVATE, "ETag": etag})
    body = parts.cache.answer(row, etag, lambda: asset_body(row, addresses=parts.addresses, now=now))
    return Response(body, media_type="application/json", headers={**PRIVATE, "ETag": etag})


@router.get(
    LIST + "/{asset_id}/status",
    response_model=AssetStatus,
    summary="Ask how far an asset is",
    responses=problems(401, 403, 404, 422, 503),
    openapi_extra=catching_up("assets:read"),
)
async def read_status(request: Request, asset_id: AssetId) -> Response:
    """Small and cheap. While work goes on, Retry-After says when to ask again."""
    parts, caller = await caught_up(request, "assets:read")
    row = await _row(parts, caller, asset_id)
    response = private_json(status_shape(row))
    if row.status in WORKING:
        response.headers["Retry-After"] = "1"
    return response


@router.get(
    LIST + "/{asset_id}/variants/{name}",
    status_code=307,
    response_class=RedirectResponse,
    summary="Go to a variant's bytes",
    responses=problems(401, 403, 404, 422, 503),
    openapi_extra=catching_up("assets:read"),
)
async def read_variant(request: Request, asset_id: AssetId, name: VariantName) -> RedirectResponse:
    """Redirects to where the bytes are, for example for the `src` of an image.

    Where the variant's preset has several formats, `Accept` chooses.
    """
    parts, caller = await caught_up(request, "assets:read")
    row, variant = await _variant(parts, caller, asset_id, name, request.headers.get("accept"))
    address = variant_address(row, variant, addresses=parts.addresses, now=parts.clock.now())
    return RedirectResponse(address, headers={**PRIVATE, "Vary": "Accept"})


@router.get(
    LIST + "/{asset_id}/download",
    status_code=307,
    response_class=RedirectResponse,
    summary="Download an asset",
    responses=problems(401, 403, 404, 422, 503),
    openapi_extra=catching_up("assets:read"),
)
async def download(
    request: Request,
    asset_id: AssetId,
    variant: Annotated[str, Query(min_length=1, max_length=100)] = ORIGINAL,
) -> RedirectResponse:
    """Redirects to the bytes as an attachment under the name that the file was uploaded with."""
    parts, caller = await caught_up(request, "assets:read")
    row, found = await _variant(parts, caller, asset_id, variant)
    address = parts.addresses.save(
        found.object_key, now=parts.clock.now(), content_type=found.content_type, file_name=row.file_name
    )
    return RedirectResponse(address, headers=PRIVATE)


async def _row(parts: Parts, caller: Caller, asset_id: UUID) -> AssetRow:
    row = await parts.cache.asset(owner_id=caller.user_id, asset_id=asset_id)
    if row is None:
        raise NotFound
    return row


async def _variant(
    parts: Parts, caller: Caller, asset_id: UUID, name: str, accept: str | None = None
) -> tuple[AssetRow, VariantRow]:
    row = await _row(parts, caller, asset_id)
    variant = find_variant(row, name, accept)
    if variant is None:
        raise NotFound
    return row, variant

"""Reads the camera's metadata of an asset: the object beside the original, on request alone."""

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field, ValidationError

from adapters.object_store import ObjectMissing
from api.access import catching_up, caught_up
from api.openapi import problems
from api.problems import NotFound
from api.representations import Shape, private_json

# The worker writes less; an object that is larger is not what it wrote.
MOST_BYTES: Final = 64_000

router = APIRouter(tags=["assets"])


class CameraMetadata(Shape):
    """What the camera wrote into the file, as plain JSON: control characters and binary blocks are gone."""

    exif: Annotated[dict[str, Any], Field(examples=[{"Model": "NIKON Z 6", "FNumber": 5.6}])]
    gps: Annotated[
        dict[str, Any] | None,
        Field(description="Where it was taken; only with `location=true`.", examples=[{"latitude": 53.54}]),
    ]


class _Written(Shape):
    """The object as the worker writes it; a group without a tag is left out."""

    exif: dict[str, Any] = {}  # noqa: RUF012 - pydantic copies defaults
    gps: dict[str, Any] | None = None


@router.get(
    "/v1/assets/{asset_id}/metadata",
    response_model=CameraMetadata,
    summary="Read an asset's camera metadata",
    responses=problems(401, 403, 404, 422, 503),
    openapi_extra=catching_up("assets:read"),
)
async def read_metadata(
    request: Request,
    asset_id: Annotated[UUID, Path(description="An asset of yours.")],
    location: Annotated[bool, Query(description="true shows where it was taken, too.")] = False,
) -> Response:
    """Kept in the store beside the original, never in the log, and gone with it. 404 where there is none."""
    parts, caller = await caught_up(request, "assets:read")
    row = await parts.reads.asset(owner_id=caller.user_id, asset_id=asset_id)
    if row is None or row.metadata_key is None:
        raise NotFound
    info = await parts.store.head(row.metadata_key)
    if info is None or info.size > MOST_BYTES:
        raise NotFound
    try:
        said = _Written.model_validate_json(await parts.store.get(row.metadata_key))
    except (ObjectMissing, ValidationError) as error:  # purged in this very moment, or not what we wrote
        raise NotFound from error
    body = CameraMetadata(exif=said.exif, gps=said.gps if location else None)
    return private_json(body)

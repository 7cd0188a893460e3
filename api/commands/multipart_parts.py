"""The parts of an upload under way: which have arrived, and addresses for those that have not."""

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Header, Request
from pydantic import BaseModel, ConfigDict, Field

from api.access import entered, entering
from api.bodies import read_json
from api.caller import Caller
from api.commands.grant import Grant, InParts, opened
from api.commands.multipart_start import SIGNED_AT_ONCE, PartsSigned, sign
from api.openapi import json_request, problems
from api.parts import Parts
from api.problems import NotFound, UploadGone, invalid
from api.upload_problems import UploadFinished

ROUTE: Final = "/v1/uploads/{upload_id}/parts"
UploadToken = Annotated[
    str,
    Header(alias="Upload-Token", min_length=1, max_length=4096, description="The token of the upload."),
]

router = APIRouter()


class PartArrived(BaseModel):
    """One part that the store has."""

    model_config = ConfigDict(frozen=True)

    number: Annotated[int, Field(examples=[1])]
    size: Annotated[int, Field(description="Bytes.", examples=[8_388_608])]
    etag: Annotated[str, Field(examples=["79b281060d337b9b2b84ccf390adcf74"])]


class PartsArrived(BaseModel):
    """How far an upload is, as the store itself says."""

    model_config = ConfigDict(frozen=True)

    part_size: Annotated[int, Field(description="Bytes of every part but the last.", examples=[8_388_608])]
    part_count: Annotated[int, Field(examples=[24])]
    arrived: list[PartArrived]
    missing: Annotated[list[int], Field(description="Still to be sent.", examples=[[2, 3]])]
    expires_at: datetime


class SignParts(BaseModel):
    """Parts to be given new addresses."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    parts: Annotated[
        tuple[Annotated[int, Field(strict=True, ge=1)], ...],
        Field(min_length=1, max_length=SIGNED_AT_ONCE, examples=[[2, 3]]),
    ]


@router.get(
    ROUTE,
    summary="See which parts have arrived",
    response_description="What the store has.",
    tags=["uploads"],
    responses=problems(401, 403, 404, 409, 410, 422, 503),
    openapi_extra=entering("assets:write"),
)
async def list_parts(request: Request, upload_id: UUID, token: UploadToken) -> PartsArrived:
    """Asks the store itself: nothing else has to remember how far an upload is."""
    parts, caller = await entered(request, "assets:write")
    grant, in_parts = _in_parts(parts, caller, upload_id, token)
    arrived = await parts.store.parts(grant.object_key, in_parts.store_upload)
    if not arrived:
        await _require_open(parts, grant)
    there = {part.number for part in arrived if part.size == in_parts.size_of(part.number, grant.size)}
    numbers = in_parts.numbers(grant.size)
    return PartsArrived(
        part_size=in_parts.part_size,
        part_count=len(numbers),
        arrived=[PartArrived(number=part.number, size=part.size, etag=part.etag) for part in arrived],
        missing=[number for number in numbers if number not in there],
        expires_at=grant.expires_at,
    )


@router.post(
    ROUTE,
    summary="Ask for addresses of parts",
    response_description="Addresses to PUT these parts to.",
    tags=["uploads"],
    responses=problems(401, 403, 404, 408, 410, 413, 415, 422, 503),
    openapi_extra=json_request(SignParts, "assets:write"),
)
async def sign_parts(request: Request, upload_id: UUID, token: UploadToken) -> PartsSigned:
    """Signs as often as is asked, until the upload's time is over; nothing is recorded."""
    parts, caller = await entered(request, "assets:write")
    grant, in_parts = _in_parts(parts, caller, upload_id, token)
    body = await read_json(request, SignParts)
    count = len(in_parts.numbers(grant.size))
    if any(number > count for number in body.parts):
        raise invalid("body.parts", f"this upload has {count} parts")
    if parts.clock.now() >= grant.expires_at:
        raise UploadGone
    return sign(parts, grant, in_parts, list(dict.fromkeys(body.parts)))


def _in_parts(parts: Parts, caller: Caller, upload_id: UUID, token: str) -> tuple[Grant, InParts]:
    grant = opened(parts.signer, caller.user_id, token)
    if grant.upload_id != upload_id or grant.in_parts is None:
        raise NotFound
    return grant, grant.in_parts


async def _require_open(parts: Parts, grant: Grant) -> None:
    """Where the store has no part, somebody may have ended the upload; raises UploadGone, UploadFinished."""
    row = await parts.reads.asset(owner_id=grant.owner_id, asset_id=grant.asset_id)
    if row is not None and row.uploaded_at is not None:
        raise UploadFinished
    if (row is not None and row.status == "expired") or parts.clock.now() >= grant.expires_at:
        raise UploadGone

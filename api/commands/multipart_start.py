"""StartMultipart: somebody wants to send a large file straight to the store, part by part."""

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.access import entered
from api.bodies import read_json
from api.commands.answers import asset_path, say_position
from api.commands.grant import Grant, InParts
from api.commands.request_upload import RequestUpload, Terms, requested, said
from api.intent import IdempotencyKey, Intent, begin
from api.openapi import json_request, problems
from api.parts import Parts

ROUTE: Final = "/v1/uploads/multipart"
# Of so many parts the first answer holds the addresses; the others are asked for when their turn comes.
SIGNED_AT_ONCE: Final = 100
# S3 takes no more parts than these.
MOST_PARTS: Final = 10_000

router = APIRouter()


class PartAddress(BaseModel):
    """Where to PUT one part, of exactly this size."""

    model_config = ConfigDict(frozen=True)

    number: Annotated[int, Field(description="From 1.", examples=[1])]
    size: Annotated[int, Field(description="Bytes, exactly.", examples=[8_388_608])]
    url: Annotated[str, Field(examples=["https://store.example.org/photos/incoming/…?partNumber=1&…"])]


class PartsSigned(BaseModel):
    """Addresses of parts, and until when they hold."""

    model_config = ConfigDict(frozen=True)

    parts: list[PartAddress]
    parts_expire_at: Annotated[datetime, Field(description="Ask for new addresses after this.")]


class MultipartGranted(PartsSigned):
    """Leave to upload one file in parts; parts may be sent in any order, again, and side by side."""

    upload_id: UUID
    asset_id: UUID
    part_size: Annotated[int, Field(description="Bytes of every part but the last.", examples=[8_388_608])]
    part_count: Annotated[int, Field(examples=[24])]
    expires_at: Annotated[datetime, Field(description="Until then parts are taken.")]
    upload_token: Annotated[str, Field(description="Names the upload in all that follows; keep it.")]


@router.post(
    ROUTE,
    status_code=201,
    summary="Ask to upload a large file in parts",
    response_description="Leave to upload, with the addresses of the first parts.",
    tags=["uploads"],
    responses=problems(401, 403, 408, 413, 415, 422, 503),
    openapi_extra=json_request(RequestUpload, "assets:write"),
)
async def start_multipart(
    request: Request, response: Response, key: IdempotencyKey = None
) -> MultipartGranted:
    """Answers with a token and with addresses to PUT parts to. Whoever keeps the token can go on after any
    interruption: /v1/uploads/{upload_id}/parts says what has arrived, and signs what is missing.
    """
    parts, caller = await entered(request, "assets:write")
    body = await read_json(request, RequestUpload)
    intent = await begin(parts, caller, route=ROUTE, key=key, said=said(body))
    settings = parts.settings
    terms = Terms(
        method="multipart", most=settings.limits.multipart_bytes, life=settings.doors.multipart_expire
    )
    event, position = await requested(parts, intent, body, terms)
    part_size = max(settings.limits.part_bytes, -(-body.size // MOST_PARTS))
    store_upload = await _begun(parts, intent, event.object_key, event.content_type)
    in_parts = InParts(store_upload=store_upload, part_size=part_size)
    grant = Grant.of(event, size=body.size, sha256=body.sha256, in_parts=in_parts, position=position)
    say_position(response, position, location=asset_path(event.asset_id, after=position))
    signed = sign(parts, grant, in_parts, in_parts.numbers(body.size)[:SIGNED_AT_ONCE])
    return MultipartGranted(
        upload_id=event.upload_id,
        asset_id=event.asset_id,
        part_size=part_size,
        part_count=len(in_parts.numbers(body.size)),
        expires_at=event.expires_at,
        upload_token=grant.token(parts.signer),
        parts=signed.parts,
        parts_expire_at=signed.parts_expire_at,
    )


async def _begun(parts: Parts, intent: Intent, object_key: str, content_type: str) -> str:
    """The store's id of the upload; asked under one Idempotency-Key it is the same each time."""
    if intent.scope is None:
        return await parts.store.begin_parts(object_key, content_type=content_type)
    if not await parts.store.unfinished(object_key):
        await parts.store.begin_parts(object_key, content_type=content_type)
    # Of two who began it at once both find the older one; the other is swept.
    return (await parts.store.unfinished(object_key))[0].upload_id


def sign(parts: Parts, grant: Grant, in_parts: InParts, numbers: list[int]) -> PartsSigned:
    """Addresses of these parts."""
    until = min(grant.expires_at, parts.clock.now() + parts.settings.doors.presign_expire)
    addresses = [
        PartAddress(
            number=number,
            size=(size := in_parts.size_of(number, grant.size)),
            url=parts.store.presign_part(
                grant.object_key, in_parts.store_upload, number, size=size, expires_at=until
            ),
        )
        for number in numbers
    ]
    return PartsSigned(parts=addresses, parts_expire_at=until)

"""RequestUpload: somebody wants to send a file straight to the store."""

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from pydantic import ConfigDict, Field

from adapters.sealing import seal_json
from api.access import entered
from api.bodies import read_json
from api.commands.answers import UploadGranted, asset_path, position_of, say_position
from api.commands.grant import Grant
from api.intent import IdempotencyKey, Intent, applied, begin
from api.media_types import ACCEPTED, picture_type
from api.openapi import json_request, problems
from api.origin import metadata
from api.parts import Parts
from api.problems import EmptyUpload, TooLarge, UnsupportedMediaType
from api.quota.doors import promised
from api.words import Words
from schemas.events import UploadRequested
from schemas.positions import Position

ROUTE = "/v1/uploads/presign"
router = APIRouter()


class RequestUpload(Words):
    """A file that is about to be sent: its name, declared type and exact size, and words about it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    content_type: Annotated[str, Field(max_length=255, examples=["image/jpeg"])]
    size: Annotated[int, Field(strict=True, description="Bytes, exactly.", examples=[2_190_194])]
    sha256: Annotated[
        str | None,
        Field(
            pattern="^[0-9a-fA-F]{64}$", description="Checked by the worker.", examples=["9f86d081884c7d65…"]
        ),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """By which way an upload comes: at most so many bytes, within so much time."""

    method: Literal["direct", "multipart"]
    most: int
    life: timedelta


def decide(body: RequestUpload, intent: Intent, terms: Terms, *, sealed_words: bytes) -> UploadRequested:
    """The event that grants the upload; raises EmptyUpload, TooLarge, UnsupportedMediaType."""
    if body.size <= 0:
        raise EmptyUpload
    if body.size > terms.most:
        raise TooLarge(f"At most {terms.most:,} bytes are accepted.", limit=terms.most)
    content_type = picture_type(body.content_type, body.file_name)
    if content_type is None:
        raise UnsupportedMediaType(f"Accepted are {', '.join(sorted(ACCEPTED))}.")
    asset_id = intent.new_id("asset")
    return UploadRequested(
        event_id=intent.new_id("requested"),
        occurred_at=intent.asked_at,
        asset_id=asset_id,
        owner_id=intent.caller.user_id,
        actor_id=intent.caller.user_id,
        request_hash=intent.request_hash,
        upload_id=intent.new_id("upload"),
        method=terms.method,
        object_key=f"incoming/{asset_id}/{intent.new_nonce('object')}",
        content_type=content_type,
        declared_size=body.size,
        sealed_words=sealed_words,
        expires_at=intent.asked_at + terms.life,
    )


@router.post(
    ROUTE,
    status_code=201,
    response_model=UploadGranted,
    summary="Ask to upload a file straight to the store",
    response_description="Leave to upload.",
    tags=["uploads"],
    responses=problems(401, 403, 408, 413, 415, 422, 503),
    openapi_extra=json_request(RequestUpload, "assets:write"),
)
async def request_upload(request: Request, key: IdempotencyKey = None) -> Response:
    """Answers with a form by which whoever holds it uploads exactly this many bytes of this type."""
    parts, caller = await entered(request, "assets:write")
    body = await read_json(request, RequestUpload)
    intent = await begin(parts, caller, route=ROUTE, key=key, said=said(body) if key else b"")
    settings = parts.settings
    terms = Terms(method="direct", most=settings.limits.direct_bytes, life=settings.doors.presign_expire)
    event, position = await requested(parts, intent, body, terms)
    # An answer that is a Response already is not validated a second time.
    granted = grant(parts, event, position, body.sha256).model_dump_json()
    response = Response(granted, status_code=201, media_type="application/json")
    say_position(response, position, location=asset_path(event.asset_id, after=position))
    return response


async def requested(
    parts: Parts, intent: Intent, body: RequestUpload, terms: Terms
) -> tuple[UploadRequested, Position]:
    """The event that grants the upload, and where it stands: appended now, or when this was first asked."""
    sealed = seal_json(
        parts.keys,
        user_id=intent.caller.user_id,
        key_id=intent.data_key_id,
        field="sealed_words",
        value=body.to_seal(),
    )
    event = decide(body, intent, terms, sealed_words=sealed)
    if (row := await applied(parts, intent, event.event_id)) is not None:
        first = replace(event, occurred_at=row.occurred_at, expires_at=row.occurred_at + terms.life)
        return first, position_of(row)
    async with promised(parts, event.owner_id, event.asset_id, body.size):
        return event, await parts.log.append(event, metadata())


def grant(parts: Parts, event: UploadRequested, position: Position, sha256: str | None) -> UploadGranted:
    """The answer: the store's form and our token, both until the event says."""
    size = event.declared_size or 0
    form = parts.store.presign_post(
        event.object_key, content_type=event.content_type, size=size, expires_at=event.expires_at
    )
    return UploadGranted(
        upload_id=event.upload_id,
        asset_id=event.asset_id,
        url=form.url,
        fields=dict(form.fields),
        expires_at=event.expires_at,
        upload_token=Grant.of(event, size=size, sha256=sha256, position=position).token(parts.signer),
    )


def said(body: RequestUpload) -> bytes:
    """What makes the request what it is."""
    return json.dumps(body.model_dump(mode="json"), sort_keys=True).encode()

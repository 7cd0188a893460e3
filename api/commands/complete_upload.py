"""CompleteUpload: the file was sent to the store; it becomes an asset's original, for good."""

import hashlib
from datetime import timedelta
from typing import Annotated, Final
from uuid import UUID

import psycopg
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.access import entered
from api.bodies import read_json
from api.caller import Caller
from api.commands.answers import UploadAccepted, accepted, position_of, say_position
from api.commands.completed import Completed
from api.commands.completion import Ids, Original, append_completed, copy_original
from api.commands.grant import Grant
from api.intent import IdempotencyKey, begin
from api.openapi import json_request, problems
from api.parts import Parts
from api.problems import NotFound, UploadGone, WrongSize
from api.tokens import InvalidToken
from schemas.positions import Position

ROUTE: Final = "/v1/uploads/complete"
# An upload that was begun in time may still be on its way when its form expires.
GRACE: Final = timedelta(hours=1)
# Whoever overwrites an upload while it is being completed gets so many more looks.
LOOKS: Final = 3

router = APIRouter()


class CompleteUpload(BaseModel):
    """The token that came with the leave to upload."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    upload_token: Annotated[str, Field(min_length=1, max_length=4096, examples=["k1.eyJ1Ijoi…"])]


@router.post(
    ROUTE,
    status_code=202,
    summary="Say that the file has been sent",
    response_description="The original is in place; its variants are asked for.",
    tags=["uploads"],
    responses=problems(401, 403, 404, 408, 409, 410, 413, 415, 422, 503),
    openapi_extra=json_request(CompleteUpload, "assets:write"),
)
async def complete_upload(request: Request, response: Response, key: IdempotencyKey = None) -> UploadAccepted:
    """Checks what arrived, copies it to where nobody can change it, and asks for its variants.

    Asked again it answers the same. 404: nothing arrived, or the token is not yours; 409: not of the declared
    size; 410: too late.
    """
    parts, caller = await entered(request, "assets:write")
    body = await read_json(request, CompleteUpload)
    grant = _opened(parts, caller, body.upload_token)
    if key is not None:
        said = hashlib.sha256(body.upload_token.encode()).digest()
        await begin(parts, caller, route=ROUTE, key=key, said=said)
    ids = Ids.of(parts, grant.upload_id)
    done = await parts.completions.run(ids.event_id, lambda: _complete(parts, grant, ids))
    say_position(response, done.position)
    return accepted(done.asset_id, done.job_id, done.position)


def _opened(parts: Parts, caller: Caller, text: str) -> Grant:
    try:
        grant = Grant.from_token(parts.signer, text)
    except InvalidToken as error:
        raise NotFound from error
    if grant.owner_id != caller.user_id:
        raise NotFound
    return grant


async def _complete(parts: Parts, grant: Grant, ids: Ids) -> Completed:
    if (position := await _known(parts, ids.event_id)) is not None:
        return Completed(asset_id=grant.asset_id, job_id=ids.job_id, position=position)
    if parts.clock.now() > grant.expires_at + GRACE:
        raise UploadGone
    original = await _take(parts, grant)
    return await append_completed(parts, grant, original, ids, door="direct")


async def _known(parts: Parts, event_id: UUID) -> Position | None:
    """Where the completion stands if it was applied; with no database nobody knows."""
    try:
        row = await parts.reads.by_event_id(event_id)
    except psycopg.OperationalError:
        return None
    return position_of(row) if row is not None else None


async def _take(parts: Parts, grant: Grant) -> Original:
    """Copies what was checked, and only that, to a key that nobody knows; raises NotFound, WrongSize."""
    for _ in range(LOOKS):
        found = await parts.store.head(grant.object_key)
        if found is None:
            raise NotFound("Nothing has arrived for this upload.")
        if found.size != grant.size:
            raise WrongSize(f"{found.size:,} bytes arrived, {grant.size:,} were declared.")
        if (original := await copy_original(parts, grant, found)) is not None:
            return original
    raise WrongSize("The upload keeps changing while it is being completed.")

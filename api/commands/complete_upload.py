"""CompleteUpload: the file was sent to the store; it becomes an asset's original, for good."""

import hashlib
from collections.abc import Sequence
from typing import Annotated, Final

import psycopg
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from adapters.object_store import ObjectInfo
from adapters.telemetry.labels import Door
from api.access import entered
from api.bodies import read_json
from api.commands.answers import HELD_ALREADY, UploadAccepted, accepted, position_of
from api.commands.completed import Completed
from api.commands.completion import Ids, Original, append_completed, copy_original
from api.commands.duplicates import Bytes, Duplicate, end_as_duplicate, ended_as, note, twin_of
from api.commands.grant import Grant, opened
from api.commands.multipart_joining import PartSent, join
from api.intent import IdempotencyKey, begin
from api.openapi import json_request, problems
from api.parts import Parts
from api.problems import NotFound, UploadGone, WrongSize

ROUTE: Final = "/v1/uploads/complete"
# Whoever overwrites an upload while it is being completed gets so many more looks.
LOOKS: Final = 3

router = APIRouter()


class CompleteUpload(BaseModel):
    """The token that came with the leave to upload."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    upload_token: Annotated[str, Field(min_length=1, max_length=4096, examples=["k1.eyJ1Ijoi…"])]
    parts: Annotated[
        tuple[PartSent, ...] | None,
        Field(max_length=10_000, description="For uploads in parts, to be compared with what arrived."),
    ] = None


@router.post(
    ROUTE,
    status_code=202,
    summary="Say that the file has been sent",
    response_description="The original is in place; its variants are asked for.",
    tags=["uploads"],
    responses={**HELD_ALREADY, **problems(401, 403, 404, 408, 409, 410, 413, 415, 422, 503)},
    openapi_extra=json_request(CompleteUpload, "assets:write"),
)
async def complete_upload(
    request: Request, response: Response, duplicate: Duplicate = None, key: IdempotencyKey = None
) -> UploadAccepted:
    """Checks what arrived, copies it to where nobody can change it, and asks for its variants.

    Asked again it answers the same. 404: nothing arrived, or the token is not yours; 409: not of the declared
    size; 410: too late.
    """
    parts, caller = await entered(request, "assets:write")
    body = await read_json(request, CompleteUpload)
    grant = opened(parts.signer, caller.user_id, body.upload_token)
    if key is not None:
        said = hashlib.sha256(body.upload_token.encode()).digest()
        await begin(parts, caller, route=ROUTE, key=key, said=said)
    ids, twins = Ids.of(parts, grant.upload_id), duplicate != "allow"
    done = await parts.completions.run(
        ids.event_id, lambda: _complete(parts, grant, ids, body.parts, twins=twins)
    )
    return accepted(response, done)


async def _complete(
    parts: Parts, grant: Grant, ids: Ids, sent: Sequence[PartSent] | None, *, twins: bool
) -> Completed:
    if (known := await _known(parts, grant, ids)) is not None:
        return known
    if parts.clock.now() > grant.expires_at + parts.settings.doors.upload_grace:
        raise UploadGone
    if grant.in_parts is not None:
        await join(parts, grant, grant.in_parts, sent)
    found = await _found(parts, grant)
    known_by = Bytes(parts, grant.owner_id, size=found.size, etag=found.etag, sha256=grant.sha256)
    if twins and (twin := await twin_of(parts, grant.owner_id, grant.asset_id, known_by)) is not None:
        return await end_as_duplicate(parts, grant, twin)
    original = await _take(parts, grant, found)
    door: Door = "direct" if grant.in_parts is None else "multipart"
    done = await append_completed(parts, grant, original, ids, door=door)
    if original.etag == found.etag:
        await note(parts, grant.owner_id, known_by, done)
    return done


async def _known(parts: Parts, grant: Grant, ids: Ids) -> Completed | None:
    """The completion if it was applied, or the twin that it ended as; with no database nobody knows.

    Raises UploadGone where the log has decided against it: the upload is expired, or the asset purged.
    """
    try:
        row = await parts.reads.by_event_id(ids.event_id)
        if row is not None and row.accepted:
            return Completed(asset_id=grant.asset_id, job_id=ids.job_id, position=position_of(row))
        asset = await parts.reads.asset(owner_id=grant.owner_id, asset_id=grant.asset_id)
        # What has no row was never heard of yet, or was, and is purged since.
        purged = asset is None and await parts.reads.by_event_id(grant.requested_by) is not None
        expired = asset is not None and asset.status == "expired"
        if expired and (twin := await ended_as(parts, grant)) is not None:
            return twin
    except psycopg.OperationalError:
        return None
    if row is not None or purged or expired:
        raise UploadGone
    return None


async def _found(parts: Parts, grant: Grant) -> ObjectInfo:
    """What arrived; raises NotFound, WrongSize."""
    found = await parts.store.head(grant.object_key)
    if found is None:
        raise NotFound("Nothing has arrived for this upload.")
    if found.size != grant.size:
        raise WrongSize(f"{found.size:,} bytes arrived, {grant.size:,} were declared.")
    return found


async def _take(parts: Parts, grant: Grant, found: ObjectInfo) -> Original:
    """Copies what was checked, and only that, to a key that nobody knows; raises NotFound, WrongSize."""
    for _ in range(LOOKS):
        if (original := await copy_original(parts, grant, found)) is not None:
            return original
        found = await _found(parts, grant)
    raise WrongSize("The upload keeps changing while it is being completed.")

"""AbortUpload: somebody does not want to go on with an upload."""

from typing import Final
from uuid import UUID

import structlog
from fastapi import APIRouter, Request, Response

from adapters.object_store import StoreError
from api.access import entered, entering, wait_for
from api.commands.answers import no_content
from api.commands.changing import heading, settled
from api.commands.grant import Grant, opened
from api.commands.multipart_parts import UploadToken
from api.commands.verdicts import key_or_fresh
from api.intent import IdempotencyKey, Intent, begin
from api.openapi import problems
from api.parts import Parts
from api.problems import NotFound
from api.upload_problems import UploadFinished
from projections.assets.queries import AssetRow
from schemas.events import UploadExpired

ROUTE: Final = "/v1/uploads/{upload_id}"

router = APIRouter()
log = structlog.get_logger(__name__)


def decide(event_id: UUID, row: AssetRow, intent: Intent, grant: Grant) -> UploadExpired | None:
    """The event that calls the upload off, None where it has ended already; raises UploadFinished."""
    if row.uploaded_at is not None:
        raise UploadFinished
    if row.status == "expired":
        return None
    return UploadExpired(**heading(intent, event_id, row), upload_id=grant.upload_id, code="aborted")


@router.delete(
    ROUTE,
    status_code=204,
    summary="Abort an upload",
    response_description="The upload is called off; what had arrived is removed.",
    tags=["uploads"],
    responses=problems(401, 403, 404, 409, 422, 503),
    openapi_extra=entering("assets:write"),
)
async def abort_upload(
    request: Request, upload_id: UUID, token: UploadToken, key: IdempotencyKey = None
) -> Response:
    """For uploads by presigned form and in parts alike; repeated it answers the same. 409: it is complete."""
    parts, caller = await entered(request, "assets:write")
    grant = opened(parts.signer, caller.user_id, token)
    if grant.upload_id != upload_id:
        raise NotFound
    said = f"abort {upload_id}".encode()
    intent = await begin(parts, caller, route=ROUTE, key=key, said=said, target=str(upload_id))
    if grant.position is not None:
        await wait_for(parts, grant.position)

    async def aborted(event_id: UUID, row: AssetRow) -> UploadExpired | None:
        return decide(event_id, row, intent, grant)

    position = await settled(
        parts, intent, key=key_or_fresh(key), what="aborted", asset_id=grant.asset_id, decide=aborted
    )
    await _sweep(parts, grant)
    return no_content(position)


async def _sweep(parts: Parts, grant: Grant) -> None:
    """What had arrived goes now; where the store is away, housekeeping sees to it."""
    try:
        if grant.in_parts is not None:
            await parts.store.drop_parts(grant.object_key, grant.in_parts.store_upload)
        await parts.store.delete([grant.object_key])
    except StoreError as error:
        log.warning("aborted_upload_left", upload_id=str(grant.upload_id), error=type(error).__name__)

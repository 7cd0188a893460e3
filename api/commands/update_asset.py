"""UpdateAsset: its owner gives a picture another title, description or tags."""

import json
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict

from adapters.sealing import seal_json
from api.access import entered
from api.asset_problems import InTrash
from api.bodies import read_json
from api.commands.changing import heading, settled, shown
from api.commands.verdicts import key_or_fresh
from api.etags import IfMatch
from api.intent import IdempotencyKey, Intent, begin
from api.openapi import json_request, problems
from api.parts import Parts
from api.representations import Asset
from api.words import Description, Tags, Title
from projections.assets.queries import AssetRow
from schemas.events import AssetUpdated

ROUTE: Final = "/v1/assets/{asset_id}"
router = APIRouter()


class UpdateAsset(BaseModel):
    """What is to be different: what is not named stays, null takes away (RFC 7396)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: Title | None = None
    description: Description | None = None
    tags: Tags | None = None


@router.patch(
    ROUTE,
    response_model=Asset,
    summary="Change an asset's words",
    response_description="The asset as it is now.",
    tags=["assets"],
    responses=problems(401, 403, 404, 408, 409, 412, 413, 415, 422, 503),
    openapi_extra=json_request(UpdateAsset, "assets:write"),
)
async def update_asset(
    request: Request,
    asset_id: Annotated[UUID, Path(description="An asset of yours.")],
    key: IdempotencyKey = None,
    if_match: IfMatch = None,
) -> Response:
    """What two people change at once is kept of both; with If-Match the later of them is told (412)."""
    parts, caller = await entered(request, "assets:write")
    body = await read_json(request, UpdateAsset)
    key = key_or_fresh(key)
    intent = await begin(
        parts, caller, route=f"PATCH {ROUTE}", key=key, said=_said(body), target=str(asset_id)
    )

    async def decide(event_id: UUID, row: AssetRow) -> AssetUpdated | None:
        return _decide(parts, intent, body, event_id, row)

    position = await settled(
        parts, intent, key=key, what="updated", asset_id=asset_id, if_match=if_match, decide=decide
    )
    return await shown(parts, intent, asset_id, position)


def _decide(
    parts: Parts, intent: Intent, body: UpdateAsset, event_id: UUID, row: AssetRow
) -> AssetUpdated | None:
    """The event that leaves these words, None where they are its words already; raises InTrash."""
    if row.deleted_at is not None:
        raise InTrash
    before = words_of(row)
    after = before | {name: value or ([] if name == "tags" else None) for name, value in _asked(body).items()}
    changed = tuple(name for name in after if after[name] != before[name])
    if not changed:
        return None
    return AssetUpdated(
        **heading(intent, event_id, row),
        sealed_words=seal_json(
            parts.keys,
            user_id=row.owner_id,
            key_id=intent.data_key_id,
            field="sealed_words",
            value=after,
        ),
        changed=changed,
    )


def words_of(row: AssetRow) -> dict[str, Any]:
    """An asset's words as they stand sealed in the log."""
    return {
        "file_name": row.file_name,
        "title": row.title,
        "description": row.description,
        "tags": list(row.tags),
    }


def _asked(body: UpdateAsset) -> dict[str, Any]:
    return body.model_dump(mode="json", exclude_unset=True)


def _said(body: UpdateAsset) -> bytes:
    return json.dumps(_asked(body), sort_keys=True).encode()

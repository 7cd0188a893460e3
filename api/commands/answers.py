"""What writes answer with: bodies, links that carry the position, and the header that names it."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field

from api.access import POSITION_HEADER
from projections.activity.queries import ActivityRow
from schemas.positions import Position


class UploadGranted(BaseModel):
    """Leave to upload one file straight to the store: send `fields`, and last the file as `file`."""

    model_config = ConfigDict(frozen=True)

    upload_id: UUID
    asset_id: UUID
    url: Annotated[
        str, Field(description="Where to send the form.", examples=["https://store.example.org/photos"])
    ]
    method: Literal["POST"] = "POST"
    fields: Annotated[
        dict[str, str],
        Field(
            description="The form's fields, in this order, before the file.",
            examples=[{"key": "incoming/0199/5f3c", "policy": "eyJ…"}],
        ),
    ]
    expires_at: Annotated[datetime, Field(description="Until then the store takes the file.")]
    upload_token: Annotated[
        str, Field(description="Hand it to /v1/uploads/complete afterwards.", examples=["k1.eyJ…"])
    ]


class UploadAccepted(BaseModel):
    """The original is in place and its variants are asked for."""

    model_config = ConfigDict(frozen=True)

    asset_id: UUID
    job_id: UUID
    status: Literal["uploaded"] = "uploaded"
    status_url: Annotated[
        str,
        Field(
            description="Follow it until the status is ready or failed.",
            examples=["/v1/assets/0199a8e4-7c1d-7b6e-9f00-2f5a6f1f8e11/status?after=ZGFya3Jvb20"],
        ),
    ]


def asset_path(asset_id: UUID, rest: str = "", *, after: Position) -> str:
    """A link to an asset of ours that waits for `after`."""
    return f"/v1/assets/{asset_id}{rest}?after={after.token()}"


def accepted(asset_id: UUID, job_id: UUID, position: Position) -> UploadAccepted:
    """The answer to a completed upload, by whichever door it came."""
    link = asset_path(asset_id, "/status", after=position)
    return UploadAccepted(asset_id=asset_id, job_id=job_id, status_url=link)


def position_of(row: ActivityRow) -> Position:
    """Where the record of an applied event stands."""
    return Position(topic=row.topic, partition=row.partition, offset=row.offset)


def say_position(response: Response, position: Position, *, location: str | None = None) -> None:
    """Sets the headers that every write answers with."""
    response.headers[POSITION_HEADER] = position.token()
    if location is not None:
        response.headers["Location"] = location

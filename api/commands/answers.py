"""What writes answer with: bodies, links that carry the position, and the header that names it."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field

from api.access import POSITION_HEADER
from api.commands.completed import Completed
from api.job_shapes import JobAsked
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
    """The original is in place and its variants are asked for; or the bytes were there already."""

    model_config = ConfigDict(frozen=True)

    asset_id: UUID
    job_id: UUID
    status: Annotated[
        str, Field(description="uploaded, or what a duplicate has come to.", examples=["uploaded"])
    ]
    duplicate: Annotated[
        bool, Field(description="These bytes were yours already: this asset holds them.", examples=[False])
    ]
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


def accepted(response: Response, done: Completed) -> UploadAccepted:
    """The answer to a completed upload, by whichever door it came: 202, and 200 for a duplicate."""
    say_position(response, done.position)
    if done.duplicate:
        response.status_code = 200
    return UploadAccepted(
        asset_id=done.asset_id,
        job_id=done.job_id,
        status=done.status,
        duplicate=done.duplicate,
        status_url=asset_path(done.asset_id, "/status", after=done.position),
    )


def job_asked(response: Response, asset_id: UUID, job_id: UUID, position: Position) -> JobAsked:
    """The answer to whoever asked for another job."""
    say_position(response, position)
    return JobAsked(
        asset_id=asset_id,
        job_id=job_id,
        job_url=f"/v1/jobs/{job_id}?after={position.token()}",
        status_url=asset_path(asset_id, "/status", after=position),
    )


HELD_ALREADY: Final[dict[int | str, dict[str, Any]]] = {
    200: {"model": UploadAccepted, "description": "The bytes were yours already; nothing new was made."}
}
"""The answer to a duplicate, in the description of a route."""


def position_of(row: ActivityRow) -> Position:
    """Where the record of an applied event stands."""
    return Position(topic=row.topic, partition=row.partition, offset=row.offset)


def no_content(position: Position) -> Response:
    """The answer to a write that has nothing to show: 204, and where it stands."""
    response = Response(status_code=204)
    say_position(response, position)
    return response


def say_position(response: Response, position: Position, *, location: str | None = None) -> None:
    """Sets the headers that every write answers with."""
    response.headers[POSITION_HEADER] = position.token()
    if location is not None:
        response.headers["Location"] = location

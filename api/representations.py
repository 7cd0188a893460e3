"""How assets and jobs look to their owners."""

from datetime import datetime
from typing import Annotated, Final, Literal, get_args
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field

from api.addresses import Addresses
from api.variants import ORIGINAL, best, original, variant_address
from projections.assets.queries import AssetRow, VariantRow
from projections.jobs.queries import JobRow

Status = Literal["requested", "uploaded", "processing", "ready", "failed", "expired", "generating"]
# Said, not enforced, in what we send: a word that a newer read model knows must not turn into an error.
StatusWord = Annotated[str, Field(json_schema_extra={"enum": list(get_args(Status))}, examples=["ready"])]
LaneWord = Annotated[str, Field(json_schema_extra={"enum": ["live", "bulk"]}, examples=["live"])]
StateWord = Annotated[
    str,
    Field(
        json_schema_extra={"enum": ["queued", "active", "completed", "failed", "deleted"]},
        examples=["completed"],
    ),
]
# Answers hold addresses that anybody may use: no cache but the caller's own may keep them.
PRIVATE: Final = {"Cache-Control": "private, no-cache"}
# While an asset is in one of these, asking again soon is worth while.
WORKING: Final = frozenset({"uploaded", "processing", "generating"})

_EXAMPLE_ID: Final = "0199a8e4-7c1d-7b6e-9f00-2f5a6f1f8e11"


class Shape(BaseModel):
    """What every body that we send has in common."""

    model_config = ConfigDict(frozen=True)


class Failure(Shape):
    """Why the newest work failed: both words come from a fixed catalogue."""

    kind: Annotated[str, Field(examples=["refused"])]
    code: Annotated[str, Field(examples=["not_an_image"])]


class Variant(Shape):
    """One picture in one size. The address is signed for a while, or permanent on a CDN."""

    url: Annotated[str, Field(examples=["https://store.example.org/photos/assets/…/small.jpg?X-Amz-…"])]
    width: Annotated[
        int | None, Field(description="Pixels; of the original once it was looked at.", examples=[480])
    ]
    height: Annotated[int | None, Field(examples=[320])]
    size: Annotated[int, Field(description="Bytes.", examples=[31_204])]
    content_type: Annotated[str, Field(examples=["image/jpeg"])]
    alternatives: Annotated[
        dict[str, str],
        Field(
            description="Where its preset has several formats: the addresses of the others, by content type.",
            examples=[{"image/avif": "https://store.example.org/photos/assets/…/small.avif?X-Amz-…"}],
        ),
    ] = {}


class Asset(Shape):
    """A picture and all that is known of it."""

    id: Annotated[UUID, Field(examples=[_EXAMPLE_ID])]
    status: StatusWord
    title: str | None
    description: str | None
    tags: tuple[str, ...]
    file_name: Annotated[str | None, Field(examples=["harbour.jpg"])]
    content_type: Annotated[str | None, Field(examples=["image/jpeg"])]
    size: Annotated[int | None, Field(description="Bytes of the original.", examples=[2_190_194])]
    uploaded_at: datetime | None
    processed_at: datetime | None
    taken_at: Annotated[
        str | None,
        Field(description="The camera's local time, without a zone.", examples=["2024-05-17T08:09:10"]),
    ]
    camera: Annotated[str | None, Field(examples=["NIKON Z 6"])]
    thumbhash: Annotated[str | None, Field(description="Base64.", examples=["1QcSHQRnh493V4dIh4eXh1h4kJUI"])]
    variants: Annotated[
        dict[str, Variant], Field(description="By name: original and those of the preset set.")
    ]
    job_id: UUID | None
    error: Failure | None
    deleted_at: datetime | None
    version: int


class AssetStatus(Shape):
    """How far an asset is."""

    id: UUID
    status: StatusWord
    job_id: UUID | None
    error: Failure | None


class AssetPage(Shape):
    """Some assets, newest first."""

    items: tuple[Asset, ...]
    next_cursor: Annotated[str | None, Field(description="For ?cursor= ; null on the last page.")]


class JobCost(Shape):
    """What the attempt that succeeded took."""

    cpu_ms: int
    wall_ms: int
    peak_rss_kib: int
    bytes_read: int
    bytes_written: int


class Job(Shape):
    """A piece of work on an asset."""

    id: UUID
    asset_id: UUID
    kind: Annotated[str, Field(examples=["variants"])]
    lane: LaneWord
    state: StateWord
    attempts: int
    last_error: Failure | None
    queued_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    worker: Annotated[str | None, Field(examples=["variants-0"])]
    cost: JobCost | None


def asset_shape(row: AssetRow, *, addresses: Addresses, now: datetime) -> Asset:
    """An asset as its owner sees it, its addresses as of `now`."""
    return Asset(
        id=row.asset_id,
        status=row.status,
        title=row.title,
        description=row.description,
        tags=row.tags,
        file_name=row.file_name,
        content_type=row.content_type,
        size=row.size,
        uploaded_at=row.uploaded_at,
        processed_at=row.processed_at,
        taken_at=row.taken_at,
        camera=row.camera,
        thumbhash=row.thumbhash,
        variants=_variants(row, addresses, now),
        job_id=row.job_id,
        error=_failure(row.error_kind, row.error_code),
        deleted_at=row.deleted_at,
        version=row.version,
    )


def etag_of(row: AssetRow, *, addresses: Addresses, now: datetime) -> str:
    """The ETag of an asset's details: its version, the last record that changed it, the addresses' window."""
    return f'"{row.version}-{row.position_partition}.{row.position_offset}-{addresses.number(now)}"'


def asset_body(row: AssetRow, *, addresses: Addresses, now: datetime) -> bytes:
    """An asset's details as JSON, its addresses as of `now`."""
    return asset_shape(row, addresses=addresses, now=now).model_dump_json().encode()


def private_json(body: BaseModel) -> Response:
    """A body that no cache but the caller's own may keep."""
    return Response(body.model_dump_json(), media_type="application/json", headers=PRIVATE)


def asset_answer(row: AssetRow, *, addresses: Addresses, now: datetime) -> Response:
    """An asset's details with their ETag."""
    body = asset_body(row, addresses=addresses, now=now)
    headers = {**PRIVATE, "ETag": etag_of(row, addresses=addresses, now=now)}
    return Response(body, media_type="application/json", headers=headers)


def status_shape(row: AssetRow) -> AssetStatus:
    """How far an asset is."""
    return AssetStatus(
        id=row.asset_id,
        status=row.status,
        job_id=row.job_id,
        error=_failure(row.error_kind, row.error_code),
    )


def job_shape(row: JobRow) -> Job:
    """A job as its owner sees it."""
    return Job(
        id=row.job_id,
        asset_id=row.asset_id,
        kind=row.kind,
        lane=row.lane,
        state=row.state,
        attempts=row.attempts,
        last_error=_failure(row.error_kind, row.error_code),
        queued_at=row.queued_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        worker=row.worker,
        cost=JobCost(**row.cost) if row.cost is not None else None,
    )


def _variants(row: AssetRow, addresses: Addresses, now: datetime) -> dict[str, Variant]:
    of_name: dict[str, list[VariantRow]] = {}
    for variant in row.variants:
        of_name.setdefault(variant.name, []).append(variant)
    if (found := original(row)) is not None:
        of_name[ORIGINAL] = [found]
    return {name: _variant(row, formats, addresses, now) for name, formats in of_name.items()}


def _variant(row: AssetRow, formats: list[VariantRow], addresses: Addresses, now: datetime) -> Variant:
    shown = best(formats) or formats[0]
    return Variant(
        url=variant_address(row, shown, addresses=addresses, now=now),
        width=shown.width or None,
        height=shown.height or None,
        size=shown.size,
        content_type=shown.content_type,
        alternatives={
            other.content_type: variant_address(row, other, addresses=addresses, now=now)
            for other in formats
            if other is not shown
        },
    )


def _failure(kind: str | None, code: str | None) -> Failure | None:
    return None if kind is None or code is None else Failure(kind=kind, code=code)

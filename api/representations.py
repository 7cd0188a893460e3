"""How assets and jobs look to their owners."""

from datetime import datetime
from typing import Annotated, Final, Literal, get_args
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.addresses import Addresses
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
ORIGINAL: Final = "original"
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


def find_variant(row: AssetRow, name: str) -> VariantRow | None:
    """The variant of this name, the original among them; None where there is none (yet)."""
    if name == ORIGINAL:
        return _original(row)
    return next((variant for variant in row.variants if variant.name == name), None)


def variant_address(row: AssetRow, variant: VariantRow, *, addresses: Addresses, now: datetime) -> str:
    """Where a variant is shown. The original holds bytes that a stranger chose: it is only ever saved."""
    if variant.name == ORIGINAL:
        return addresses.save(
            variant.object_key, now=now, content_type=variant.content_type, file_name=row.file_name
        )
    return addresses.view(variant.object_key, now=now, content_type=variant.content_type)


def _variants(row: AssetRow, addresses: Addresses, now: datetime) -> dict[str, Variant]:
    original = _original(row)
    found = (*row.variants, original) if original is not None else row.variants
    return {
        variant.name: Variant(
            url=variant_address(row, variant, addresses=addresses, now=now),
            width=variant.width or None,
            height=variant.height or None,
            size=variant.size,
            content_type=variant.content_type,
        )
        for variant in found
    }


def _original(row: AssetRow) -> VariantRow | None:
    if row.original_key is None:
        return None
    return VariantRow(
        name=ORIGINAL,
        object_key=row.original_key,
        content_type=row.content_type or "application/octet-stream",
        width=row.width or 0,
        height=row.height or 0,
        size=row.size or 0,
    )


def _failure(kind: str | None, code: str | None) -> Failure | None:
    return None if kind is None or code is None else Failure(kind=kind, code=code)

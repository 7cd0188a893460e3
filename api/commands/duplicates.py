"""The same bytes twice: answered with the asset that holds them, unless the caller wants another one."""

from datetime import timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query

from adapters.owners import deterministic_id
from api.commands.completed import Completed
from api.commands.grant import Grant
from api.origin import metadata
from api.parts import Parts
from api.quota.contents import Holder, digest_of
from projections.assets.queries import AssetRow
from projections.waiting import NotYetApplied
from schemas.events import UploadExpired

Duplicate = Annotated[
    Literal["allow"] | None,
    Query(description="allow: make an asset of its own, even where you have the same bytes already."),
]


class Bytes:
    """What a file is known by: the store's ETag with its size, and its SHA-256 where it is known."""

    def __init__(self, parts: Parts, owner_id: UUID, *, size: int, etag: str, sha256: str | None) -> None:
        secret = parts.settings.secrets.id_key
        self.by_etag = digest_of(secret, owner_id, "etag", f"{etag}/{size}") if etag else None
        self.by_sha256 = digest_of(secret, owner_id, "sha256", sha256) if sha256 else None

    @property
    def digests(self) -> tuple[bytes, ...]:
        """All of them."""
        return tuple(digest for digest in (self.by_etag, self.by_sha256) if digest is not None)


async def twin_of(parts: Parts, owner_id: UUID, asset_id: UUID, known_by: Bytes) -> Completed | None:
    """The owner's asset, other than this one, that holds the same bytes; None where that is not certain.

    Only what is ready holds its bytes for certain: what is still worked on may fail, and then the second
    file would be lost; a SHA-256 that was declared has been compared by the worker then.
    """
    holders = await parts.contents.find(owner_id, known_by.digests)
    for digest in (known_by.by_etag, known_by.by_sha256):
        holder = holders.get(digest) if digest is not None else None
        if holder is None or holder.asset_id == asset_id:
            continue
        row = await _row(parts, owner_id, holder)
        if row is not None and row.status == "ready" and row.deleted_at is None:
            return _answer(row, holder)
    return None


async def note(parts: Parts, owner_id: UUID, known_by: Bytes, done: Completed) -> None:
    """Remembers who holds the bytes now."""
    holder = Holder(asset_id=done.asset_id, position=done.position)
    await parts.contents.note(owner_id, known_by.digests, holder)


async def end_as_duplicate(parts: Parts, grant: Grant, twin: Completed) -> Completed:
    """Calls the upload off in favour of its twin, and remembers which: asked again it is the answer."""
    secret = parts.settings.secrets.id_key
    holder = Holder(asset_id=twin.asset_id, position=twin.position)
    # As long as anybody may ask, and a day for those whose clock or reading lags.
    until = grant.expires_at + parts.settings.doors.upload_grace + timedelta(days=1)
    await parts.contents.note(grant.owner_id, (_of_upload(secret, grant),), holder, until=until)
    event = UploadExpired(
        event_id=deterministic_id(secret, "duplicate", grant.upload_id.bytes),
        occurred_at=parts.clock.now(),
        asset_id=grant.asset_id,
        owner_id=grant.owner_id,
        actor_id=grant.owner_id,
        upload_id=grant.upload_id,
        code="aborted",
    )
    await parts.log.append(event, metadata(causation_id=grant.requested_by))
    return twin


async def ended_as(parts: Parts, grant: Grant) -> Completed | None:
    """The twin in favour of which this upload was called off, as long as it is there."""
    secret = parts.settings.secrets.id_key
    digest = _of_upload(secret, grant)
    holder = (await parts.contents.find(grant.owner_id, (digest,))).get(digest)
    row = await _row(parts, grant.owner_id, holder) if holder is not None else None
    return None if row is None or holder is None else _answer(row, holder)


def _of_upload(secret: bytes, grant: Grant) -> bytes:
    return digest_of(secret, grant.owner_id, "upload", str(grant.upload_id))


def _answer(row: AssetRow, holder: Holder) -> Completed | None:
    if row.job_id is None:
        return None
    return Completed(
        asset_id=row.asset_id,
        job_id=row.job_id,
        position=holder.position,
        status=row.status,
        duplicate=True,
    )


async def _row(parts: Parts, owner_id: UUID, holder: Holder) -> AssetRow | None:
    try:
        await parts.reads.wait_for(holder.position, parts.settings.doors.read_wait.total_seconds())
    except NotYetApplied:
        return None
    return await parts.reads.asset(owner_id=owner_id, asset_id=holder.asset_id)

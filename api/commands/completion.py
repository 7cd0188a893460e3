"""How an upload becomes an asset's original, by whichever door it came: copied for good, then said."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from adapters.object_store import ObjectInfo, ObjectMissing, PreconditionFailed
from adapters.owners import deterministic_id
from adapters.sealing import seal_json
from adapters.telemetry.labels import Door
from api.commands.completed import Completed
from api.commands.grant import Grant
from api.commands.lanes import lane_of_upload
from api.origin import metadata
from api.parts import Parts
from api.problems import Unavailable
from schemas.codes import Lane
from schemas.events import UploadCompleted


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """Bytes in place under a key of their own: what was copied there, and the declared SHA-256 in hex."""

    object_key: str
    size: int
    etag: str
    sha256: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How the event is said: the key to seal results with, and what to make of the original."""

    key_id: UUID
    digests: bytes
    preset_set: str
    lane: Lane
    request_hash: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ids:
    """The ids that a completion of this upload always has."""

    event_id: UUID
    job_id: UUID

    @classmethod
    def of(cls, parts: Parts, upload_id: UUID) -> "Ids":
        """Derived, never stored."""
        secret = parts.settings.secrets.id_key
        return cls(
            event_id=deterministic_id(secret, "completed", upload_id.bytes),
            job_id=deterministic_id(secret, "job", upload_id.bytes),
        )


def decide(grant: Grant, original: Original, ids: Ids, terms: Terms, *, now: datetime) -> UploadCompleted:
    """The event that makes the asset; its ids depend on the upload alone: asking twice is harmless."""
    return UploadCompleted(
        event_id=ids.event_id,
        occurred_at=now,
        asset_id=grant.asset_id,
        owner_id=grant.owner_id,
        actor_id=grant.owner_id,
        request_hash=terms.request_hash,
        upload_id=grant.upload_id,
        job_id=ids.job_id,
        object_key=original.object_key,
        size=original.size,
        content_type=grant.content_type,
        sealed_digests=terms.digests,
        data_key_id=terms.key_id,
        preset_set=terms.preset_set,
        lane=terms.lane,
    )


async def copy_original(parts: Parts, grant: Grant, found: ObjectInfo) -> Original | None:
    """The original under a fresh key, or None when what was found is no longer what is there."""
    target = f"assets/{grant.asset_id}/original/{secrets.token_hex(16)}"
    try:
        info = await parts.store.copy(
            grant.object_key, target, if_match=found.etag, content_type=grant.content_type
        )
    except (PreconditionFailed, ObjectMissing):
        return None
    return Original(object_key=target, size=info.size, etag=found.etag, sha256=grant.sha256)


async def append_completed(
    parts: Parts,
    grant: Grant,
    original: Original,
    ids: Ids,
    *,
    door: Door,
    request_hash: bytes | None = None,
) -> Completed:
    """Says that the original is in place; returns when the log has acknowledged it."""
    key_id = await parts.keys.data_key(grant.owner_id)
    digests = seal_json(
        parts.keys,
        user_id=grant.owner_id,
        key_id=key_id,
        field="sealed_digests",
        value={"etag": original.etag, "sha256": original.sha256},
    )
    preset_set = active_preset_set(parts)
    lane = await lane_of_upload(parts, grant.owner_id)
    terms = Terms(key_id=key_id, digests=digests, preset_set=preset_set, lane=lane, request_hash=request_hash)
    event = decide(grant, original, ids, terms, now=parts.clock.now())
    position = await parts.log.append(event, metadata(causation_id=grant.requested_by))
    parts.metrics.uploads.completed.of(door).inc()
    parts.metrics.uploads.bytes.of(door).inc(original.size)
    return Completed(asset_id=grant.asset_id, job_id=ids.job_id, position=position)


def active_preset_set(parts: Parts) -> str:
    """The hash that new work names; raises Unavailable before one was activated."""
    if (preset := parts.presets.active()) is None:
        raise Unavailable("No preset set is active yet.")
    return preset

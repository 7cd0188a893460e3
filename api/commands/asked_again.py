"""Asking for variants again: whoever does, for whatever reason, says the same of the original."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from projections.assets.originals import OriginalRow
from schemas.codes import Lane, Reason
from schemas.events import VariantsRequested


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Who asks, and why: a person with the version they decided on, or (no actor) a run or the system."""

    reason: Reason
    lane: Lane
    preset_set: str
    now: datetime
    actor_id: UUID | None = None
    expected_version: int | None = None
    request_hash: bytes | None = None
    run_id: UUID | None = None


def asked_again(original: OriginalRow, asking: Asking, *, event_id: UUID, job_id: UUID) -> VariantsRequested:
    """The event that asks for this original's variants once more.

    It names a set by the same presets that stands, where there is one: the worker then says that one again
    and renders nothing (where a regeneration is asked for, only if its own programs made it).
    """
    return VariantsRequested(
        event_id=event_id,
        occurred_at=asking.now,
        asset_id=original.asset_id,
        owner_id=original.owner_id,
        actor_id=asking.actor_id,
        expected_version=asking.expected_version,
        request_hash=asking.request_hash,
        job_id=job_id,
        lane=asking.lane,
        reason=asking.reason,
        object_key=original.original_key,
        size=original.size,
        sealed_digests=original.sealed_digests,
        data_key_id=original.data_key_id,
        preset_set=asking.preset_set,
        manifest_key=original.manifest_of(asking.preset_set),
        run_id=asking.run_id,
    )

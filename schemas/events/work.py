"""Work that is asked for again, given up, or no longer served: events of darkroom.assets.v1."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantsRequested:
    """Variants are asked for again as `job_id`, by a person or (no actor) by the system.

    `reason` is retry, regenerate, redrive or presets; `lane` live or bulk; `run_id` names the run it is part
    of. The original is that of the completion, with its digests, as who works folds nothing. Results are to
    be sealed with `data_key_id`; `preset_set` is the hash of a PresetSetDefined. `manifest_key` names a set
    that is served or kept and may be said again; on any other the event has no effect.
    """

    event_id: UUID
    occurred_at: datetime
    asset_id: UUID
    owner_id: UUID
    actor_id: UUID | None = None
    expected_version: int | None = None
    request_hash: bytes | None = None
    job_id: UUID
    lane: str
    reason: str
    object_key: str
    size: int
    sealed_digests: bytes | None = None
    data_key_id: UUID
    preset_set: str
    manifest_key: str | None = None
    run_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantsRetired:
    """A set that another took the place of is kept no longer: that which `job_id` made.

    Its objects go, those that `manifest_key` names. The set that is served is never retired.
    """

    event_id: UUID
    occurred_at: datetime
    asset_id: UUID
    owner_id: UUID
    actor_id: UUID | None = None
    job_id: UUID
    preset_set: str
    manifest_key: str
    run_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDeleted:
    """A person removed a job that waited or had failed: nobody works on it, and it asks for nothing."""

    event_id: UUID
    occurred_at: datetime
    asset_id: UUID
    owner_id: UUID
    actor_id: UUID
    expected_version: int | None = None
    request_hash: bytes | None = None
    job_id: UUID

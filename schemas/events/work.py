"""Work that is asked for again, given up, or no longer served: events of darkroom.assets.v1."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantsRequested:
    """Variants are asked for again as `job_id`, by a person or (no actor) by the system.

    `reason` is retry, regenerate, redrive or presets; `lane` live or bulk; `run_id` names the run it is part
    of. Results are to be sealed with `data_key_id`; `preset_set` is the hash of a PresetSetDefined.
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
    data_key_id: UUID
    preset_set: str
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

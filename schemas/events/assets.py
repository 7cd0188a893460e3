"""What happens to an asset and its jobs: the events of darkroom.assets.v1, keyed by asset id."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadRequested:
    """Somebody may now upload; the bytes are awaited at `object_key` until `expires_at`.

    `method` is form, direct or multipart. `sealed_words` hides file name, title, description and tags.
    """

    event_id: UUID
    occurred_at: datetime
    asset_id: UUID
    owner_id: UUID
    actor_id: UUID
    expected_version: int | None = None
    request_hash: bytes | None = None
    upload_id: UUID
    method: str
    object_key: str
    content_type: str
    declared_size: int | None = None
    sealed_words: bytes | None = None
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadCompleted:
    """The original is in place, never to change, and variants are asked for as `job_id`.

    `sealed_digests` hides the ETag and a declared SHA-256; results are to be sealed with `data_key_id`;
    `preset_set` is the hash of a PresetSetDefined; `lane` is live or bulk.
    """

    event_id: UUID
    occurred_at: datetime
    asset_id: UUID
    owner_id: UUID
    actor_id: UUID
    expected_version: int | None = None
    request_hash: bytes | None = None
    upload_id: UUID
    job_id: UUID
    object_key: str
    size: int
    content_type: str
    sealed_digests: bytes | None = None
    data_key_id: UUID
    preset_set: str
    lane: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessingStarted:
    """A worker took the job; each real start has an event id of its own. `attempt` counts from 1."""

    event_id: UUID
    occurred_at: datetime
    asset_id: UUID
    owner_id: UUID
    job_id: UUID
    attempt: int
    worker: str
    lane: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What the original turned out to be: sizes in pixels as seen upright, `size` in bytes."""

    object_key: str
    size: int
    format: str
    width: int
    height: int
    orientation: int
    frames: int
    animated: bool
    has_alpha: bool
    profile: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One stored rendering of the original: pixels and bytes."""

    name: str
    object_key: str
    content_type: str
    width: int
    height: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoder:
    """Who made the bytes: version strings of all that decides them."""

    pillow: str
    codecs: str
    resizer: str
    simd: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What an attempt took: milliseconds of processor and wall time, KiB of memory, bytes moved."""

    cpu_ms: int
    wall_ms: int
    peak_rss_kib: int
    bytes_read: int
    bytes_written: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantsReady:
    """All variants of a preset set are stored under the asset's prefix.

    The event id depends on the job alone. `sealed_facts` hides thumbhash, capture time, camera and the
    source's SHA-256; `metadata_key` names the camera metadata object where one was written.
    """

    event_id: UUID
    occurred_at: datetime
    asset_id: UUID
    owner_id: UUID
    job_id: UUID
    attempt: int
    source: Source
    variants: tuple[Variant, ...]
    manifest_key: str
    sealed_facts: bytes | None = None
    metadata_key: str | None = None
    preset_set: str
    encoder: Encoder
    cost: Cost


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessingFailed:
    """An attempt ended badly.

    `kind` is refused, exhausted, unavailable, internal or interrupted; `code` comes from the catalogue.
    """

    event_id: UUID
    occurred_at: datetime
    asset_id: UUID
    owner_id: UUID
    job_id: UUID
    attempt: int
    kind: str
    code: str
    retryable: bool
    will_retry: bool

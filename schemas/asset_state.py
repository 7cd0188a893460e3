"""What the log says of one asset and its jobs, at one moment: the state that the lifecycle folds."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from schemas.events import Cost, Encoder, Source, Variant
from schemas.replacing import made_fast

AssetStatus = Literal["requested", "expired", "uploaded", "processing", "ready", "failed", "purged"]
JobStatus = Literal["queued", "active", "completed", "failed", "deleted"]

UNDER_WAY: Final[frozenset[JobStatus]] = frozenset({"queued", "active"})
"""Jobs that are still to end."""

DELETABLE: Final[frozenset[JobStatus]] = frozenset({"queued", "failed"})
"""Jobs that can be taken away: nobody works on them, and they made nothing."""

JOB_DELETED = ("internal", "job_deleted")
"""Why an asset failed whose newest job was deleted."""


@made_fast
@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """What was asked for: sizes in bytes, as declared."""

    upload_id: UUID
    object_key: str
    content_type: str
    declared_size: int | None
    requested_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiry:
    """That the upload never came, and why: expired or aborted."""

    code: str
    at: datetime


@made_fast
@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """The bytes that came, never to change, with what later work on them has to be told."""

    object_key: str
    content_type: str
    size: int
    uploaded_at: datetime
    data_key_id: UUID
    sealed_digests: bytes | None


@made_fast
@dataclass(frozen=True, slots=True, kw_only=True)
class VariantSet:
    """All variants of one preset set, made by the job of that `order`.

    `superseded_at` is when another took its place, or was there already.
    """

    job_id: UUID
    order: int
    preset_set: str
    source: Source
    variants: tuple[Variant, ...]
    manifest_key: str
    metadata_key: str | None
    sealed_facts: bytes | None
    encoder: Encoder
    ready_at: datetime
    superseded_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A shared link, to one variant or (none) to all of them."""

    link_id: UUID
    variant: str | None
    issued_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None = None


@made_fast
@dataclass(frozen=True, slots=True, kw_only=True)
class JobState:
    """One piece of work on an asset.

    `order` counts the events that asked for work, from 1. `attempts` is the highest attempt seen,
    `ended_attempt` the highest that said how it ended badly. `started_at` and `worker` are the last
    attempt's. The error is the last one's and goes when the job completes. `kind` is upload or why variants
    were asked for again (schemas.codes.Reason), by the run `run_id` where there is one; `manifest_key` is the
    set that it may serve again.
    """

    job_id: UUID
    order: int
    kind: str
    lane: str
    preset_set: str
    run_id: UUID | None = None
    manifest_key: str | None = None
    state: JobStatus
    queued_at: datetime
    attempts: int = 0
    ended_attempt: int = 0
    started_at: datetime | None = None
    finished_at: datetime | None = None
    worker: str | None = None
    error_kind: str | None = None
    error_code: str | None = None
    cost: Cost | None = None


@made_fast
@dataclass(frozen=True, slots=True, kw_only=True)
class AssetState:
    """One asset with all its jobs in their order.

    `version` counts the accepted events that a person caused. The fold never looks at the sealed fields.
    `kept` holds the sets that another took the place of and that are not retired, by the order of their jobs;
    no two sets share a manifest. `expired` goes with a completion. What is `doomed` does not come back from
    the trash. Of a purged asset nothing is left but ids,
    version, the upload, and when it was purged.
    """

    asset_id: UUID
    owner_id: UUID
    version: int
    upload: Upload
    sealed_words: bytes | None = None
    expired: Expiry | None = None
    original: Original | None = None
    served: VariantSet | None = None
    kept: tuple[VariantSet, ...] = ()
    jobs: tuple[JobState, ...] = ()
    links: tuple[Link, ...] = ()
    deleted_at: datetime | None = None
    doomed: bool = False
    purged_at: datetime | None = None

    @property
    def newest_job(self) -> JobState | None:
        """The job that was asked for last."""
        return self.jobs[-1] if self.jobs else None

    @property
    def status(self) -> AssetStatus:
        """Where the asset stands; once a set is served it stays ready, whatever becomes of later jobs.

        The trash is no status: `deleted_at` tells.
        """
        if self.purged_at is not None:
            return "purged"
        if self.served is not None:
            return "ready"
        if (job := self._telling_job) is None:
            return "requested" if self.expired is None else "expired"
        match job.state:
            case "queued":
                return "uploaded"
            case "active":
                return "processing"
            case "completed":
                return "ready"
            case "failed" | "deleted":
                return "failed"

    @property
    def called_off(self) -> bool:
        """Whether its upload was given up, by its owner or in favour of a twin: it is nobody's picture."""
        return self.status == "expired" and self.expired is not None and self.expired.code == "aborted"

    @property
    def error(self) -> tuple[str, str] | None:
        """Kind and code of why the asset failed, or its upload never came; None in any other status."""
        job = self.newest_job
        if self.expired is not None and self.status == "expired":
            return "expired", self.expired.code
        if self.status != "failed" or job is None:
            return None
        if job.state == "deleted":
            return JOB_DELETED
        if job.error_kind is None or job.error_code is None:
            return None
        return job.error_kind, job.error_code

    @property
    def sets(self) -> tuple[VariantSet, ...]:
        """The sets whose objects stand: those kept, and the one that is served."""
        return self.kept if self.served is None else (*self.kept, self.served)

    def has_set(self, manifest_key: str | None) -> bool:
        """Whether the set of this manifest is served or kept."""
        return any(one.manifest_key == manifest_key for one in self.sets)

    @property
    def _telling_job(self) -> JobState | None:
        """The newest job; where that was deleted, the newest of those still to end, if any is."""
        job = self.newest_job
        if job is None or job.state != "deleted":
            return job
        return next((one for one in reversed(self.jobs) if one.state in UNDER_WAY), job)

    def job(self, job_id: UUID) -> JobState | None:
        """The job of that id, if it is one of this asset's."""
        return next((job for job in self.jobs if job.job_id == job_id), None)

    def link(self, link_id: UUID) -> Link | None:
        """The link of that id, if it is one of this asset's."""
        return next((link for link in self.links if link.link_id == link_id), None)

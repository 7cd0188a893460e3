"""Events of one asset, short to write: for tests of the lifecycle."""

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from schemas.events import (
    AssetDeleted,
    AssetEvent,
    AssetPurged,
    AssetRestored,
    AssetUpdated,
    JobDeleted,
    LinkIssued,
    LinkRevoked,
    ProcessingFailed,
    ProcessingStarted,
    RecordDiscarded,
    UploadCompleted,
    UploadExpired,
    UploadRequested,
    VariantsReady,
    VariantsRequested,
    VariantsRetired,
)
from schemas.lifecycle import AssetState, evolve, fold
from tests.golden.examples import ASSET_ID, EXAMPLES, OWNER_ID

UPLOADS = (UUID(int=11), UUID(int=12))
JOBS = (UUID(int=21), UUID(int=22), UUID(int=23))
ORIGINALS = ("assets/a/original/one", "assets/a/original/two")
SETS = ("e" * 64, "f" * 64)
LINKS = (UUID(int=31), UUID(int=32))
START = datetime(2026, 11, 21, tzinfo=UTC)

_EXAMPLES: dict[type, Any] = {type(event): event for event in EXAMPLES}


def at(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


def _said(kind: type, minute: int, fields: dict[str, Any]) -> Any:
    given = {"event_id": uuid4(), "occurred_at": at(minute), "asset_id": ASSET_ID, "owner_id": OWNER_ID}
    return dataclasses.replace(_EXAMPLES[kind], **given, **fields)


def requested(minute: int = 0, *, upload: int = 0, **fields: Any) -> UploadRequested:
    event: UploadRequested = _said(UploadRequested, minute, {"upload_id": UPLOADS[upload], **fields})
    return event


def completed(
    minute: int = 1, *, upload: int = 0, job: int = 0, original: int = 0, **fields: Any
) -> UploadCompleted:
    given = {"upload_id": UPLOADS[upload], "job_id": JOBS[job], "object_key": ORIGINALS[original]}
    event: UploadCompleted = _said(UploadCompleted, minute, {"expected_version": None, **given, **fields})
    return event


def started(minute: int = 2, *, job: int = 0, attempt: int = 1, **fields: Any) -> ProcessingStarted:
    event: ProcessingStarted = _said(
        ProcessingStarted, minute, {"job_id": JOBS[job], "attempt": attempt, **fields}
    )
    return event


def ready(
    minute: int = 3, *, job: int = 0, attempt: int = 1, original: int = 0, **fields: Any
) -> VariantsReady:
    source = dataclasses.replace(_EXAMPLES[VariantsReady].source, object_key=ORIGINALS[original])
    given = {"job_id": JOBS[job], "attempt": attempt, "source": source, "manifest_key": manifest_of(job)}
    event: VariantsReady = _said(VariantsReady, minute, given | fields)
    return event


def failed(
    minute: int = 3,
    kind: str = "refused",
    *,
    job: int = 0,
    attempt: int = 1,
    will_retry: bool = False,
    **fields: Any,
) -> ProcessingFailed:
    given = {"job_id": JOBS[job], "attempt": attempt, "kind": kind, "will_retry": will_retry}
    event: ProcessingFailed = _said(ProcessingFailed, minute, given | fields)
    return event


def purged(minute: int = 9, **fields: Any) -> AssetPurged:
    event: AssetPurged = _said(AssetPurged, minute, fields)
    return event


def folded(events: Sequence[AssetEvent], state: AssetState | None = None) -> AssetState:
    """The state after events of which every one is accepted."""
    for event in events:
        step = fold(state, event)
        assert step.accepted, event
        state = step.state
    assert state is not None
    return state


def deaf_to(state: AssetState | None, event: AssetEvent) -> bool:
    """Whether the event changes nothing."""
    return evolve(state, event) is state


def expired(minute: int = 5, code: str = "expired", *, upload: int = 0, **fields: Any) -> UploadExpired:
    by = {"actor_id": OWNER_ID} if code == "aborted" else {}
    given = {"upload_id": UPLOADS[upload], "code": code, **by}
    event: UploadExpired = _said(UploadExpired, minute, given | fields)
    return event


def asked_again(
    minute: int = 4, *, job: int = 1, original: int = 0, preset: int = 0, **fields: Any
) -> VariantsRequested:
    """By a person, on any version, for variants that are to be made."""
    of = {"job_id": JOBS[job], "object_key": ORIGINALS[original], "preset_set": SETS[preset], "run_id": None}
    given = {"expected_version": None, "reason": "regenerate", **of}
    event: VariantsRequested = _said(VariantsRequested, minute, given | fields)
    return event


def retired(minute: int = 8, *, job: int = 0, manifest: str | None = None) -> VariantsRetired:
    """Of the set that this job made under keys of its own, unless told otherwise."""
    fields = {"job_id": JOBS[job], "manifest_key": manifest or manifest_of(job), "preset_set": SETS[0]}
    event: VariantsRetired = _said(VariantsRetired, minute, fields)
    return event


def job_deleted(minute: int = 6, *, job: int = 0, **fields: Any) -> JobDeleted:
    event: JobDeleted = _said(JobDeleted, minute, {"job_id": JOBS[job], "expected_version": None, **fields})
    return event


def updated(version: int | None, minute: int = 6, words: bytes = b"\x01other words") -> AssetUpdated:
    event: AssetUpdated = _said(AssetUpdated, minute, {"expected_version": version, "sealed_words": words})
    return event


def deleted(version: int | None, minute: int = 6, code: str = "user") -> AssetDeleted:
    event: AssetDeleted = _said(AssetDeleted, minute, {"expected_version": version, "code": code})
    return event


def restored(version: int | None, minute: int = 7) -> AssetRestored:
    event: AssetRestored = _said(AssetRestored, minute, {"expected_version": version})
    return event


def issued(minute: int = 6, *, link: int = 0, **fields: Any) -> LinkIssued:
    given = {"link_id": LINKS[link], "expected_version": None}
    event: LinkIssued = _said(LinkIssued, minute, given | fields)
    return event


def revoked(minute: int = 7, *, link: int = 0, **fields: Any) -> LinkRevoked:
    given = {"link_id": LINKS[link], "expected_version": None}
    event: LinkRevoked = _said(LinkRevoked, minute, given | fields)
    return event


def discarded(minute: int = 8) -> RecordDiscarded:
    event: RecordDiscarded = _said(RecordDiscarded, minute, {})
    return event


def manifest_of(job: int) -> str:
    """The manifest of the set that a job makes where nothing else is said."""
    return f"assets/a/variants/{job}/manifest.json"


def with_jobs(count: int) -> AssetState:
    """An uploaded asset that was asked for work so often."""
    return folded([requested(), completed(), *(asked_again(job, job=job) for job in range(1, count))])

"""Events of one asset, short to write: for tests of the lifecycle."""

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from schemas.events import (
    AssetEvent,
    AssetPurged,
    ProcessingFailed,
    ProcessingStarted,
    UploadCompleted,
    UploadRequested,
    VariantsReady,
)
from schemas.lifecycle import AssetState, JobState, evolve, fold
from tests.golden.examples import ASSET_ID, EXAMPLES, OWNER_ID

UPLOADS = (UUID(int=11), UUID(int=12))
JOBS = (UUID(int=21), UUID(int=22), UUID(int=23))
ORIGINALS = ("assets/a/original/one", "assets/a/original/two")
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
    given = {"job_id": JOBS[job], "attempt": attempt, "source": source}
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


def with_jobs(count: int) -> AssetState:
    """An uploaded asset that was asked for work so often; the later askers' events are not built yet."""
    state = folded([requested(), completed()])
    more = (
        JobState(
            job_id=JOBS[number],
            order=number + 1,
            kind="regenerate",
            lane="bulk",
            preset_set="f" * 64,
            state="queued",
            queued_at=at(number),
        )
        for number in range(1, count)
    )
    return dataclasses.replace(state, jobs=(*state.jobs, *more))

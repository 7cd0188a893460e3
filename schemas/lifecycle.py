"""The asset's lifecycle: a pure, total fold over its events, deaf to repeats.

An event that makes no sense in a state is not accepted and changes nothing. One that was accepted is never
accepted again, however often and however late it is delivered.
"""

from dataclasses import dataclass, replace
from typing import assert_never

from schemas.asset_state import (
    AssetState,
    AssetStatus,
    JobState,
    JobStatus,
    Original,
    Upload,
    VariantSet,
)
from schemas.events import (
    AssetEvent,
    AssetPurged,
    ProcessingFailed,
    ProcessingStarted,
    UploadCompleted,
    UploadRequested,
    VariantsReady,
)

__all__ = [
    "AssetState",
    "AssetStatus",
    "Folded",
    "JobState",
    "JobStatus",
    "Original",
    "Upload",
    "VariantSet",
    "evolve",
    "fold",
]


@dataclass(frozen=True, slots=True)
class Folded:
    """The state after an event, and whether the event had any part in it."""

    state: AssetState | None
    accepted: bool


def fold(state: AssetState | None, event: AssetEvent) -> Folded:
    """The state of the asset after `event`; None is the asset that nobody has heard of."""
    after = evolve(state, event)
    return Folded(after, after is not state)


def evolve(state: AssetState | None, event: AssetEvent) -> AssetState | None:
    """As `fold`: the very same object comes back when the event is not accepted."""
    if state is None:
        return _requested(event) if isinstance(event, UploadRequested) else None
    if event.asset_id != state.asset_id or event.owner_id != state.owner_id:
        return state
    if state.purged_at is not None:
        return state  # from where nothing returns
    match event:
        case UploadRequested():
            return state
        case UploadCompleted():
            return _completed(state, event)
        case ProcessingStarted():
            return _started(state, event)
        case VariantsReady():
            return _ready(state, event)
        case ProcessingFailed():
            return _failed(state, event)
        case AssetPurged():
            return _purged(state, event)
        case _:
            assert_never(event)


def _requested(event: UploadRequested) -> AssetState | None:
    if event.expected_version not in {None, 0}:
        return None
    upload = Upload(
        upload_id=event.upload_id,
        object_key=event.object_key,
        content_type=event.content_type,
        declared_size=event.declared_size,
        sealed_words=event.sealed_words,
        requested_at=event.occurred_at,
        expires_at=event.expires_at,
    )
    return AssetState(asset_id=event.asset_id, owner_id=event.owner_id, version=1, upload=upload)


def _completed(state: AssetState, event: UploadCompleted) -> AssetState:
    """The first completion of the upload wins; what a second one copied is nobody's."""
    if state.original is not None or event.upload_id != state.upload.upload_id:
        return state
    if event.expected_version not in {None, state.version}:
        return state
    original = Original(
        object_key=event.object_key,
        content_type=event.content_type,
        size=event.size,
        uploaded_at=event.occurred_at,
    )
    job = JobState(
        job_id=event.job_id,
        order=len(state.jobs) + 1,
        kind="upload",
        lane=event.lane,
        preset_set=event.preset_set,
        state="queued",
        queued_at=event.occurred_at,
    )
    return replace(state, version=state.version + 1, original=original, jobs=(*state.jobs, job))


def _started(state: AssetState, event: ProcessingStarted) -> AssetState:
    job = state.job(event.job_id)
    if job is None or job.state not in {"queued", "active"} or event.attempt <= job.attempts:
        return state
    started = replace(
        job, state="active", attempts=event.attempt, started_at=event.occurred_at, worker=event.worker
    )
    return _with_job(state, started)


def _ready(state: AssetState, event: VariantsReady) -> AssetState:
    """The first result of a job counts, even after its failure; a newer job's set is never replaced.

    Only what was made from the asset's own original is a result.
    """
    job = state.job(event.job_id)
    if job is None or job.state == "completed" or state.original is None:
        return state
    if event.source.object_key != state.original.object_key:
        return state
    completed = replace(
        job,
        state="completed",
        attempts=max(job.attempts, event.attempt),
        finished_at=event.occurred_at,
        error_kind=None,
        error_code=None,
        cost=event.cost,
    )
    served = state.served
    if served is None or served.order < job.order:
        served = _variant_set(event, job.order)
    return _with_job(state, completed, served)


def _failed(state: AssetState, event: ProcessingFailed) -> AssetState:
    """An attempt ends once. A job goes on where another attempt follows, and after an interruption always."""
    job = state.job(event.job_id)
    if job is None or job.state not in {"queued", "active"}:
        return state
    if event.attempt < job.attempts or event.attempt <= job.ended_attempt:
        return state
    ends = not event.will_retry and event.kind != "interrupted"
    failed = replace(
        job,
        state="failed" if ends else job.state,
        attempts=event.attempt,
        ended_attempt=event.attempt,
        finished_at=event.occurred_at if ends else None,
        error_kind=event.kind,
        error_code=event.code,
    )
    return _with_job(state, failed)


def _purged(state: AssetState, event: AssetPurged) -> AssetState:
    """What is left of it is that it was: enough to know its events when they come again.

    Whatever its version: whoever removes its objects folds nothing, and so every purge must count.
    """
    return AssetState(
        asset_id=state.asset_id,
        owner_id=state.owner_id,
        version=state.version + 1,
        upload=replace(state.upload, sealed_words=None),
        purged_at=event.occurred_at,
    )


def _variant_set(event: VariantsReady, order: int) -> VariantSet:
    return VariantSet(
        job_id=event.job_id,
        order=order,
        preset_set=event.preset_set,
        source=event.source,
        variants=event.variants,
        manifest_key=event.manifest_key,
        metadata_key=event.metadata_key,
        sealed_facts=event.sealed_facts,
        encoder=event.encoder,
        ready_at=event.occurred_at,
    )


def _with_job(state: AssetState, job: JobState, served: VariantSet | None = None) -> AssetState:
    """The state with `job` in the place of the one of its order; without `served` the set stays."""
    jobs = (*state.jobs[: job.order - 1], job, *state.jobs[job.order :])
    return replace(state, jobs=jobs, served=served or state.served)

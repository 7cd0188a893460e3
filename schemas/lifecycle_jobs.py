"""The part of the lifecycle that is about work: jobs asked for, begun, ended, deleted, and their sets."""

from uuid import UUID

from schemas.asset_state import DELETABLE, UNDER_WAY, AssetState, JobState, Original, VariantSet
from schemas.events import (
    JobDeleted,
    ProcessingFailed,
    ProcessingStarted,
    UploadCompleted,
    VariantsReady,
    VariantsRequested,
    VariantsRetired,
)
from schemas.replacing import replace


def first_asked(state: AssetState, event: UploadCompleted, original: Original) -> AssetState:
    """The state with the original of a completion, and with the job that it asks for."""
    job = _new_job(state, event, kind="upload", run_id=None, manifest_key=None)
    return replace(state, original=original, expired=None, jobs=(*state.jobs, job))


def asked_again(state: AssetState, event: VariantsRequested) -> AssetState:
    """Work on the original that is there and not in the trash; each job is asked for once.

    A set that is to be served again must still be one of the asset's.
    """
    original = state.original
    if original is None or original.object_key != event.object_key or state.deleted_at is not None:
        return state
    if state.job(event.job_id) is not None:
        return state
    if event.manifest_key is not None and not state.has_set(event.manifest_key):
        return state
    job = _new_job(state, event, kind=event.reason, run_id=event.run_id, manifest_key=event.manifest_key)
    return replace(state, jobs=(*state.jobs, job))


def started(state: AssetState, event: ProcessingStarted) -> AssetState:
    """An attempt begins once, and none before an earlier one."""
    job = state.job(event.job_id)
    if job is None or job.state not in UNDER_WAY or event.attempt <= job.attempts:
        return state
    begun = replace(
        job, state="active", attempts=event.attempt, started_at=event.occurred_at, worker=event.worker
    )
    return _with_job(state, begun)


def ready(state: AssetState, event: VariantsReady) -> AssetState:
    """The first result of a job counts, even after its failure; a newer job's set is never replaced.

    Only what was made from the asset's own original is a result. A deleted job has none.
    """
    job = state.job(event.job_id)
    if job is None or job.state in {"completed", "deleted"} or state.original is None:
        return state
    if event.source.object_key != state.original.object_key:
        return state
    if event.manifest_key == job.manifest_key and not state.has_set(event.manifest_key):
        return state  # it was retired before it could be served again: its objects are gone
    completed = replace(
        job,
        state="completed",
        attempts=max(job.attempts, event.attempt),
        finished_at=event.occurred_at,
        error_kind=None,
        error_code=None,
        cost=event.cost,
    )
    made = variant_set_of(event, job.order)
    if state.served is None and not state.kept:  # of nearly every asset; what follows would say the same
        return replace(state, jobs=_jobs_with(state, completed), served=made)
    return _with_set(_with_job(state, completed), made)


def failed(state: AssetState, event: ProcessingFailed) -> AssetState:
    """An attempt ends once. A job goes on where another attempt follows, and after an interruption always."""
    job = state.job(event.job_id)
    if job is None or job.state not in UNDER_WAY:
        return state
    if event.attempt < job.attempts or event.attempt <= job.ended_attempt:
        return state
    ends = not event.will_retry and event.kind != "interrupted"
    ended = replace(
        job,
        state="failed" if ends else job.state,
        attempts=event.attempt,
        ended_attempt=event.attempt,
        finished_at=event.occurred_at if ends else None,
        error_kind=event.kind,
        error_code=event.code,
    )
    return _with_job(state, ended)


def job_deleted(state: AssetState, event: JobDeleted) -> AssetState:
    """Only what waits or has failed can be deleted; its last error stays for those who look at it."""
    job = state.job(event.job_id)
    if job is None or job.state not in DELETABLE:
        return state
    return _with_job(state, replace(job, state="deleted", finished_at=job.finished_at or event.occurred_at))


def retired(state: AssetState, event: VariantsRetired) -> AssetState:
    """A job's set is kept once, so a repeat finds nothing; the one that is served is not among the kept.

    Nor one that a job still to end may serve again, or make again under the same keys.
    """
    kept = tuple(one for one in state.kept if one.job_id != event.job_id)
    gone = next((one for one in state.kept if one.job_id == event.job_id), None)
    if gone is None or gone.manifest_key != event.manifest_key or _is_awaited(state, gone):
        return state
    return replace(state, kept=kept)


def _is_awaited(state: AssetState, one: VariantSet) -> bool:
    return any(
        job.state in UNDER_WAY and (job.preset_set == one.preset_set or job.manifest_key == one.manifest_key)
        for job in state.jobs
    )


def _with_set(state: AssetState, made: VariantSet) -> AssetState:
    """`made` is served where it is the newest job's so far; otherwise it is kept.

    A set whose objects are those of a newer one (same manifest) is not kept beside it.
    """
    sets = [*state.kept, made] if state.served is None else [*state.kept, state.served, made]
    sets.sort(key=lambda one: one.order)
    *older, served = sets
    by_manifest = {one.manifest_key: one for one in older if one.manifest_key != served.manifest_key}
    kept = (
        replace(one, superseded_at=one.superseded_at or made.ready_at)
        for one in sorted(by_manifest.values(), key=lambda one: one.order)
    )
    return replace(state, served=served, kept=tuple(kept))


def variant_set_of(event: VariantsReady, order: int) -> VariantSet:
    """The set that a result says, made by the job of that order."""
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


def _new_job(
    state: AssetState,
    event: UploadCompleted | VariantsRequested,
    *,
    kind: str,
    run_id: UUID | None,
    manifest_key: str | None,
) -> JobState:
    return JobState(
        job_id=event.job_id,
        order=len(state.jobs) + 1,
        kind=kind,
        lane=event.lane,
        preset_set=event.preset_set,
        run_id=run_id,
        manifest_key=manifest_key,
        state="queued",
        queued_at=event.occurred_at,
    )


def _with_job(state: AssetState, job: JobState) -> AssetState:
    """The state with `job` in the place of the one of its order."""
    return replace(state, jobs=_jobs_with(state, job))


def _jobs_with(state: AssetState, job: JobState) -> tuple[JobState, ...]:
    return (*state.jobs[: job.order - 1], job, *state.jobs[job.order :])

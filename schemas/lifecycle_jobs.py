"""The part of the lifecycle that is about work: jobs asked for, begun, ended, deleted, and their sets."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from schemas.asset_state import AssetState, JobState, VariantSet
from schemas.events import (
    JobDeleted,
    ProcessingFailed,
    ProcessingStarted,
    VariantsReady,
    VariantsRequested,
    VariantsRetired,
)


def with_new_job(
    state: AssetState,
    job_id: UUID,
    *,
    kind: str,
    lane: str,
    preset_set: str,
    queued_at: datetime,
    run_id: UUID | None = None,
) -> AssetState:
    """The state with one more job, the newest."""
    job = JobState(
        job_id=job_id,
        order=len(state.jobs) + 1,
        kind=kind,
        lane=lane,
        preset_set=preset_set,
        run_id=run_id,
        state="queued",
        queued_at=queued_at,
    )
    return replace(state, jobs=(*state.jobs, job))


def asked_again(state: AssetState, event: VariantsRequested) -> AssetState:
    """Work on an original that is there and not in the trash; each job is asked for once."""
    if state.original is None or state.deleted_at is not None or state.job(event.job_id) is not None:
        return state
    return with_new_job(
        state,
        event.job_id,
        kind=event.reason,
        lane=event.lane,
        preset_set=event.preset_set,
        queued_at=event.occurred_at,
        run_id=event.run_id,
    )


def started(state: AssetState, event: ProcessingStarted) -> AssetState:
    """An attempt begins once, and none before an earlier one."""
    job = state.job(event.job_id)
    if job is None or job.state not in {"queued", "active"} or event.attempt <= job.attempts:
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
    completed = replace(
        job,
        state="completed",
        attempts=max(job.attempts, event.attempt),
        finished_at=event.occurred_at,
        error_kind=None,
        error_code=None,
        cost=event.cost,
    )
    return _with_set(_with_job(state, completed), _variant_set(event, job.order))


def failed(state: AssetState, event: ProcessingFailed) -> AssetState:
    """An attempt ends once. A job goes on where another attempt follows, and after an interruption always."""
    job = state.job(event.job_id)
    if job is None or job.state not in {"queued", "active"}:
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
    if job is None or job.state not in {"queued", "failed"}:
        return state
    return _with_job(state, replace(job, state="deleted", finished_at=job.finished_at or event.occurred_at))


def retired(state: AssetState, event: VariantsRetired) -> AssetState:
    """A job's set is kept once, so a repeat finds nothing; the one that is served is not among the kept."""
    kept = tuple(one for one in state.kept if one.job_id != event.job_id)
    return state if len(kept) == len(state.kept) else replace(state, kept=kept)


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


def _with_job(state: AssetState, job: JobState) -> AssetState:
    """The state with `job` in the place of the one of its order."""
    return replace(state, jobs=(*state.jobs[: job.order - 1], job, *state.jobs[job.order :]))

"""What becomes of nearly every asset: requested, completed, started, ready, each of them once.

What such a life comes to is told at once. It says nothing that the lifecycle does not: tests hold the two
against each other over generated histories.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from schemas.asset_state import AssetState, JobState
from schemas.events import AssetEvent, ProcessingStarted, UploadCompleted, UploadRequested, VariantsReady
from schemas.lifecycle import original_of, upload_of
from schemas.lifecycle_jobs import variant_set_of

LENGTH: Final = 4
VERSION: Final = 2
"""Of an asset with such a life: a person caused the first two events."""


class WholeLife(NamedTuple):
    """The four events, each of which the fold would accept."""

    requested: UploadRequested
    completed: UploadCompleted
    started: ProcessingStarted
    ready: VariantsReady


def whole_life(events: Sequence[AssetEvent]) -> WholeLife | None:
    """The life that these events tell where nothing stands before them; None where they are for the fold."""
    requested, completed, started, ready = events
    if not (
        isinstance(requested, UploadRequested)
        and isinstance(completed, UploadCompleted)
        and isinstance(started, ProcessingStarted)
        and isinstance(ready, VariantsReady)
    ):
        return None
    asset_id, owner_id, job_id = requested.asset_id, requested.owner_id, completed.job_id
    # As tuples, which look first whether it is the same object: comparing ids is Python code.
    told = (completed.asset_id, completed.owner_id, completed.upload_id, ready.source.object_key)
    if told != (asset_id, owner_id, requested.upload_id, completed.object_key):
        return None
    if (started.asset_id, started.owner_id, started.job_id) != (asset_id, owner_id, job_id):
        return None
    if (ready.asset_id, ready.owner_id, ready.job_id) != (asset_id, owner_id, job_id):
        return None
    if requested.expected_version not in {None, 0} or completed.expected_version not in {None, 1}:
        return None
    return WholeLife(requested, completed, started, ready) if started.attempt > 0 else None


def state_of(life: WholeLife) -> AssetState:
    """The state that folding the life comes to."""
    requested, completed, started, ready = life
    job = JobState(
        job_id=completed.job_id,
        order=1,
        kind="upload",
        lane=completed.lane,
        preset_set=completed.preset_set,
        state="completed",
        queued_at=completed.occurred_at,
        attempts=max(started.attempt, ready.attempt),
        started_at=started.occurred_at,
        finished_at=ready.occurred_at,
        worker=started.worker,
        cost=ready.cost,
    )
    return AssetState(
        asset_id=requested.asset_id,
        owner_id=requested.owner_id,
        version=VERSION,
        upload=upload_of(requested),
        sealed_words=requested.sealed_words,
        original=original_of(completed),
        served=variant_set_of(ready, 1),
        jobs=(job,),
    )

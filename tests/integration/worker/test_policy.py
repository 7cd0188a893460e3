"""The failure policy on real servers: bugs, too many dead letters, a worker that went silent."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from adapters.dead_letters.thickness import LONGEST_RUN
from schemas.events import JobDeleted, WorkersResumed
from tests.integration.worker.conftest import StartWorker
from tests.integration.worker.lab import Lab, letter_of
from tests.integration.worker.seen import metric, readiness

EVERY_ATTEMPT_RAISES = "worker.before_read=raise@1,worker.before_render=raise@1,worker.before_append=raise@1"
BUG = "internal(unexpected_error)"


async def test_a_bug_is_tried_three_times_then_said_and_set_aside(
    lab: Lab, start_worker: StartWorker
) -> None:
    """Each attempt fails somewhere else; the next job, of the same worker, is well."""
    worker = start_worker(FAILPOINTS=EVERY_ATTEMPT_RAISES)
    request = await lab.upload()
    await lab.ended(request)
    assert lab.story(request) == [
        "started 1",
        f"{BUG} 1 again",
        "started 2",
        f"{BUG} 2 again",
        "started 3",
        f"{BUG} 3",
    ]
    letters = [letter_of(one) for one in lab.letters() if one.key == str(request.asset_id).encode()]
    assert [(one["dl-code"], one["dl-attempts"], one["dl-component"]) for one in letters] == [
        ("unexpected_error", "3", "variants")
    ]
    later = await lab.upload()
    await lab.ended(later)
    assert lab.story(later) == ["started 1", "VariantsReady 1"]
    assert worker.alive()


async def test_a_bug_that_goes_away_costs_an_attempt(lab: Lab, start_worker: StartWorker) -> None:
    start_worker(FAILPOINTS="worker.before_append=raise@1")
    request = await lab.upload()
    await lab.ended(request)
    assert lab.story(request) == ["started 1", f"{BUG} 1 again", "started 2", "VariantsReady 2"]
    assert not [one for one in lab.letters() if one.key == str(request.asset_id).encode()]


async def test_what_stays_away_while_the_store_is_well_is_given_up(
    lab: Lab, start_worker: StartWorker
) -> None:
    """The budget does not rest for one object, key or preset set: said as unavailable, and set aside."""
    start_worker(OUTAGE_BUDGET="2s")
    missing: dict[str, dict[str, Any]] = {
        "original_incomplete": {"size": 1},
        "key_unavailable": {"data_key_id": UUID(int=7)},
        "presets_unavailable": {"preset_set": "0" * 64},
    }
    requests = {code: replace(await lab.request(), **changed) for code, changed in missing.items()}
    for request in requests.values():
        await lab.append(request)
    await lab.ended(*requests.values())
    for code, request in requests.items():
        assert lab.story(request) == ["started 1", f"unavailable({code}) 1"]
        started, failed = lab.said(request)
        assert failed.occurred_at - started.occurred_at > timedelta(seconds=1.5)
        letters = [letter_of(one) for one in lab.letters() if one.key == str(request.asset_id).encode()]
        assert [(one["dl-code"], one["dl-error-kind"]) for one in letters] == [(code, "unavailable")]
        # Nothing half done is left behind for anybody to be served.
        assert not [key for key in await lab.objects(request) if key.endswith("manifest.json")]


async def test_too_many_dead_letters_stop_a_worker_until_it_is_told_to_go_on(
    lab: Lab, start_worker: StartWorker
) -> None:
    """It stays up and in its group, takes no more work, and is not ready: /readyz says why."""
    worker = start_worker()
    before = len(lab.letters())
    for _ in range(LONGEST_RUN):
        lab.append_raw(str(uuid4()).encode(), b"no record of ours")
    await lab.until(lambda: "too many dead letters" in readiness(worker)[1])
    assert readiness(worker)[0] == 503
    request = await lab.upload()
    await lab.until(lambda: metric(worker, "darkroom_worker_lag_records") >= 1)
    # Long enough for a worker to do what it must not.
    await asyncio.sleep(2)
    assert lab.story(request) == []
    assert worker.alive()
    await lab.until(lambda: len(lab.letters()) - before == LONGEST_RUN)
    assert metric(worker, "darkroom_worker_dead_letter_stop") == 1
    await lab.append(said_by_an_operator("purge"))
    await lab.append(said_by_an_operator("variants"))
    await lab.ended(request)
    assert lab.story(request) == ["started 1", "VariantsReady 1"]
    await lab.until(lambda: readiness(worker)[0] == 200)
    assert metric(worker, "darkroom_worker_dead_letter_stop") == 0


async def test_a_job_that_was_deleted_is_passed_over(lab: Lab, start_worker: StartWorker) -> None:
    """The look-ahead knows it before the worker comes to the upload that asked for it."""
    gone, kept = await lab.upload(), await lab.upload()
    await lab.append(
        JobDeleted(
            event_id=uuid4(),
            occurred_at=datetime.now(UTC),
            asset_id=gone.asset_id,
            owner_id=gone.owner_id,
            actor_id=gone.owner_id,
            job_id=gone.job_id,
        )
    )
    worker = start_worker()
    await lab.ended(kept)
    await lab.until(lambda: metric(worker, 'darkroom_worker_jobs_total{outcome="skipped"}') >= 1)
    assert [event for event in lab.said(gone) if not isinstance(event, JobDeleted)] == []
    assert set(await lab.objects(gone)) == {gone.object_key}


def said_by_an_operator(component: str) -> WorkersResumed:
    return WorkersResumed(event_id=uuid4(), occurred_at=datetime.now(UTC), component=component)

"""The asset's lifecycle, one rule a test."""

import dataclasses
from uuid import uuid4

import pytest

from schemas.lifecycle import AssetState, evolve
from tests.unit.schemas.asset_events import (
    JOBS,
    ORIGINALS,
    at,
    completed,
    deaf_to,
    failed,
    folded,
    purged,
    ready,
    requested,
    started,
    with_jobs,
)

UPLOADED = folded([requested(), completed()])
PROCESSING = folded([started()], UPLOADED)
READY = folded([ready()], PROCESSING)
FAILED = folded([failed()], PROCESSING)


def test_from_request_to_ready() -> None:
    asked = folded([request := requested()])
    assert (asked.status, asked.version, asked.upload.upload_id) == ("requested", 1, request.upload_id)
    assert (asked.original, asked.served, asked.jobs, asked.error) == (None, None, (), None)

    uploaded = folded([completion := completed(1)], asked)
    assert (uploaded.status, uploaded.version) == ("uploaded", 2)
    assert uploaded.original is not None
    assert uploaded.original.object_key == completion.object_key
    assert [(job.state, job.kind, job.order, job.lane) for job in uploaded.jobs] == [
        ("queued", "upload", 1, "live")
    ]

    taken = folded([started(2, worker="w-7")], uploaded)
    (job,) = taken.jobs
    assert (taken.status, taken.version) == ("processing", 2)
    assert (job.state, job.attempts, job.started_at, job.worker) == ("active", 1, at(2), "w-7")

    done = folded([result := ready(3)], taken)
    (job,) = done.jobs
    assert (done.status, done.version) == ("ready", 2)
    assert (job.state, job.finished_at, job.cost) == ("completed", at(3), result.cost)
    assert done.served is not None
    assert (done.served.variants, done.served.ready_at, done.served.order) == (result.variants, at(3), 1)


def test_an_asset_that_nobody_asked_for_is_nothing() -> None:
    for event in (completed(), started(), ready(), failed()):
        assert evolve(None, event) is None


def test_what_is_about_another_asset_or_owner_is_not_ours() -> None:
    for event in (requested(), completed(), started(), ready(), failed()):
        assert deaf_to(PROCESSING, dataclasses.replace(event, asset_id=uuid4()))
        assert deaf_to(PROCESSING, dataclasses.replace(event, owner_id=uuid4()))


def test_the_first_completion_wins() -> None:
    second = completed(5, job=1, original=1)
    assert deaf_to(UPLOADED, second)
    assert UPLOADED.original is not None
    assert UPLOADED.original.object_key == ORIGINALS[0]
    assert deaf_to(folded([requested()]), completed(upload=1))


@pytest.mark.parametrize("version", [0, 2, 7, -1])
def test_a_completion_decided_on_another_version_is_ignored(version: int) -> None:
    asked = folded([requested()])
    assert deaf_to(asked, completed(expected_version=version))
    assert folded([completed(expected_version=1)], asked).status == "uploaded"


def test_a_request_decided_on_an_asset_that_was_is_ignored() -> None:
    assert evolve(None, requested(expected_version=1)) is None
    assert evolve(None, requested(expected_version=0)) is not None


def test_attempts_count_up_and_an_old_start_is_an_echo() -> None:
    third = folded([started(4, attempt=3, worker="new")], PROCESSING)
    assert third.jobs[0].attempts == 3
    assert deaf_to(third, started(5, attempt=2))
    assert deaf_to(third, started(5, attempt=3))
    assert deaf_to(UPLOADED, started(attempt=0))


def test_a_refusal_fails_the_asset_and_says_why() -> None:
    assert FAILED.status == "failed"
    assert FAILED.error == ("refused", "truncated")
    assert (FAILED.jobs[0].state, FAILED.jobs[0].finished_at) == ("failed", at(3))
    assert deaf_to(FAILED, started(9, attempt=2))
    assert deaf_to(FAILED, failed(9, attempt=2))


@pytest.mark.parametrize(
    ("kind", "will_retry"),
    [("interrupted", True), ("interrupted", False), ("unavailable", True), ("exhausted", True)],
)
def test_an_attempt_that_is_not_the_last_changes_no_status(kind: str, will_retry: bool) -> None:
    cut = folded([failed(3, kind, will_retry=will_retry)], PROCESSING)
    (job,) = cut.jobs
    assert (cut.status, cut.error) == ("processing", None)
    assert (job.state, job.error_kind, job.finished_at) == ("active", kind, None)
    again = folded([started(4, attempt=2), ready(5, attempt=2)], cut)
    (job,) = again.jobs
    assert (again.status, job.attempts, job.error_kind, job.error_code) == ("ready", 2, None, None)


def test_a_job_may_fail_before_anyone_said_that_it_began() -> None:
    """So a record that kills its workers is failed by one that does not take it."""
    state = folded([failed(3, "internal", attempt=3, code="worker_lost")], UPLOADED)
    assert (state.status, state.error, state.jobs[0].attempts) == ("failed", ("internal", "worker_lost"), 3)


def test_a_zombies_failure_does_not_end_a_later_attempt() -> None:
    second = folded([started(4, attempt=2)], PROCESSING)
    assert deaf_to(second, failed(5, attempt=1))
    assert folded([failed(5, attempt=2)], second).status == "failed"


def test_ready_beats_failed_in_whatever_order() -> None:
    late = folded([ready(9)], FAILED)
    assert (late.status, late.error, late.jobs[0].state) == ("ready", None, "completed")
    assert deaf_to(READY, failed(9))
    assert deaf_to(late, failed(9, attempt=2))


def test_the_first_result_of_a_job_counts() -> None:
    assert deaf_to(READY, ready(9, attempt=2))
    assert deaf_to(READY, started(9, attempt=2))


def test_variants_of_another_original_are_nobodys() -> None:
    assert deaf_to(PROCESSING, ready(original=1))


def test_work_that_nobody_asked_for_is_nothing() -> None:
    for event in (started(job=2), ready(job=2), failed(job=2)):
        assert deaf_to(PROCESSING, event)


def after(*finished: int) -> AssetState:
    """Three jobs, of which these got their results, in this order."""
    return folded([ready(10 + job, job=job) for job in finished], with_jobs(3))


def test_a_newer_set_replaces_an_older_one_as_a_whole() -> None:
    state = after(0, 1)
    assert state.served is not None
    assert (state.served.job_id, state.served.order, state.served.ready_at) == (JOBS[1], 2, at(11))


@pytest.mark.parametrize("order", [(2, 0, 1), (0, 2, 1), (1, 2, 0), (2, 1, 0)])
def test_an_older_result_never_replaces_a_newer_set(order: tuple[int, ...]) -> None:
    state = after(*order)
    assert state.served is not None
    assert state.served.job_id == JOBS[2]
    assert [job.state for job in state.jobs] == ["completed"] * 3


def test_a_set_stays_served_whatever_later_jobs_come_to() -> None:
    state = folded([started(20, job=2), failed(21, job=2)], after(0))
    assert (state.status, state.error, state.jobs[2].state) == ("ready", None, "failed")
    assert state.served is not None
    assert state.served.job_id == JOBS[0]


def test_an_older_jobs_failure_is_not_the_assets() -> None:
    state = folded([failed(5, job=0)], with_jobs(2))
    assert (state.status, state.error) == ("uploaded", None)
    state = folded([failed(6, job=1)], state)
    assert (state.status, state.error) == ("failed", ("refused", "truncated"))


def test_an_older_jobs_result_serves_where_the_newest_failed() -> None:
    state = folded([failed(5, job=1), ready(6, job=0)], with_jobs(2))
    assert (state.status, state.error) == ("ready", None)


@pytest.mark.parametrize("state", [folded([requested()]), UPLOADED, PROCESSING, READY, FAILED, with_jobs(3)])
def test_of_a_purged_asset_nothing_is_left_that_says_anything(state: AssetState) -> None:
    gone = folded([purged(9)], state)
    assert (gone.status, gone.version, gone.purged_at) == ("purged", state.version + 1, at(9))
    assert (gone.original, gone.served, gone.jobs, gone.error) == (None, None, (), None)
    assert gone.sealed_words is None
    assert state.sealed_words is not None


def test_from_a_purge_nothing_returns() -> None:
    gone = folded([purged()], READY)
    for event in (requested(10), completed(10, original=1), started(10), ready(10), failed(10), purged(10)):
        assert deaf_to(gone, event)


def test_a_purge_of_what_nobody_asked_for_is_nothing() -> None:
    """Nobody can purge an asset before it is: its first event would be ignored for ever."""
    assert evolve(None, purged()) is None

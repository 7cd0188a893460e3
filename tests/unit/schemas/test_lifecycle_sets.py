"""Jobs asked for again and the sets that they make, one rule a test: served, kept, said again, retired."""

import pytest

from schemas.lifecycle import AssetState, evolve
from tests.unit.schemas.asset_events import (
    JOBS,
    SETS,
    asked_again,
    at,
    completed,
    deaf_to,
    failed,
    folded,
    job_deleted,
    manifest_of,
    ready,
    requested,
    retired,
    started,
    with_jobs,
)

UPLOADED = folded([requested(), completed()])
READY = folded([started(), ready()], UPLOADED)
TWICE = folded([asked_again(), ready(10, job=1)], READY)


def kept(state: AssetState) -> list[str]:
    return [one.manifest_key for one in state.kept]


def test_work_asked_for_again_is_a_job_of_its_own() -> None:
    event = asked_again(reason="presets", lane="bulk", run_id=JOBS[2], preset=1)
    state = folded([event], READY)
    job = state.jobs[1]
    assert (job.order, job.kind, job.lane, job.state) == (2, "presets", "bulk", "queued")
    assert (job.run_id, job.preset_set, job.queued_at) == (JOBS[2], SETS[1], at(4))
    assert state.status == "ready"
    assert deaf_to(state, asked_again(9))


def test_only_the_original_that_is_there_can_be_worked_on() -> None:
    assert deaf_to(READY, asked_again(original=1))
    assert deaf_to(folded([requested()]), asked_again())


def test_a_set_that_another_took_the_place_of_is_kept() -> None:
    assert TWICE.served is not None
    assert (TWICE.served.job_id, kept(TWICE)) == (JOBS[1], [manifest_of(0)])
    assert TWICE.kept[0].superseded_at == at(10)


def test_an_older_jobs_late_set_is_kept_and_not_served() -> None:
    state = folded([ready(10, job=2), ready(11, job=0), ready(12, job=1)], with_jobs(3))
    assert state.served is not None
    assert (state.served.job_id, kept(state)) == (JOBS[2], [manifest_of(0), manifest_of(1)])
    assert [one.superseded_at for one in state.kept] == [at(11), at(12)]


def test_a_set_of_the_same_objects_is_not_kept_beside_its_twin() -> None:
    """Whoever retired it would take the objects of the one that is served."""
    same = folded([asked_again(), ready(10, job=1, manifest_key=manifest_of(0))], READY)
    assert same.served is not None
    assert (same.served.job_id, same.kept) == (JOBS[1], ())
    late = folded(
        [ready(10, job=1), ready(11, job=0, manifest_key=manifest_of(1))],
        with_jobs(2),
    )
    assert late.kept == ()


def test_a_kept_set_is_retired_once_and_the_served_one_never() -> None:
    gone = folded([retired()], TWICE)
    assert (gone.kept, gone.served, gone.version) == ((), TWICE.served, TWICE.version)
    assert deaf_to(gone, retired())
    assert deaf_to(TWICE, retired(job=1))
    assert deaf_to(TWICE, retired(manifest=manifest_of(1)))


def test_a_kept_set_is_served_again_without_being_made() -> None:
    asked = folded([asked_again(11, job=2, manifest_key=manifest_of(0))], TWICE)
    back = folded([ready(12, job=2, manifest_key=manifest_of(0))], asked)
    assert back.served is not None
    assert (back.served.job_id, back.served.manifest_key, kept(back)) == (
        JOBS[2],
        manifest_of(0),
        [manifest_of(1)],
    )


def test_what_may_be_served_again_is_not_retired_meanwhile() -> None:
    asked = folded([asked_again(11, job=2, manifest_key=manifest_of(0), preset=1)], TWICE)
    assert deaf_to(asked, retired())
    over = folded([failed(12, job=2), retired(13)], asked)
    assert over.kept == ()
    zombie = ready(14, job=2, manifest_key=manifest_of(0))
    assert deaf_to(over, zombie)
    assert folded([ready(14, job=2)], over).served is not None


def test_what_may_be_made_again_under_the_same_keys_is_not_retired_meanwhile() -> None:
    preset_set = TWICE.kept[0].preset_set
    asked = folded([asked_again(11, job=2, preset_set=preset_set)], TWICE)
    assert deaf_to(asked, retired())


def test_a_set_that_is_gone_can_not_be_asked_for() -> None:
    assert deaf_to(TWICE, asked_again(job=2, manifest_key="assets/a/variants/never/manifest.json"))
    gone = folded([retired()], TWICE)
    assert deaf_to(gone, asked_again(job=2, manifest_key=manifest_of(0)))
    assert not deaf_to(TWICE, asked_again(job=2, manifest_key=manifest_of(1)))


@pytest.mark.parametrize("before", [[], [started(), failed()]], ids=["queued", "failed"])
def test_a_job_that_waits_or_failed_can_be_deleted(before: list[object]) -> None:
    state = folded([*before, job_deleted(9)], UPLOADED)  # type: ignore[list-item]  # asset events
    assert (state.jobs[0].state, state.version) == ("deleted", 3)
    assert (state.status, state.error) == ("failed", ("internal", "job_deleted"))
    for event in (started(10, attempt=2), ready(10), failed(10, attempt=2), job_deleted(10)):
        assert deaf_to(state, event)


def test_a_job_that_is_worked_on_or_done_can_not() -> None:
    assert deaf_to(folded([started()], UPLOADED), job_deleted())
    assert deaf_to(READY, job_deleted())
    assert deaf_to(UPLOADED, job_deleted(job=2))


def test_deleting_the_newest_job_leaves_the_older_set() -> None:
    state = folded([asked_again(), job_deleted(job=1)], READY)
    assert (state.status, state.error, state.served) == ("ready", None, READY.served)


def test_deleting_the_newest_job_leaves_an_older_one_at_work() -> None:
    state = folded([started(), asked_again(), job_deleted(job=1)], UPLOADED)
    assert (state.status, state.error) == ("processing", None)
    assert folded([ready()], state).status == "ready"
    ended = folded([failed()], state)
    assert (ended.status, ended.error) == ("failed", ("internal", "job_deleted"))


def test_a_retry_of_a_deleted_job_is_another_job() -> None:
    state = folded([job_deleted(), asked_again(reason="retry"), ready(10, job=1)], UPLOADED)
    assert (state.status, [job.state for job in state.jobs]) == ("ready", ["deleted", "completed"])
    assert evolve(state, ready(11)) is state

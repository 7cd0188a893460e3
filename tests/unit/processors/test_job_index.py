"""What the notes make of a partition's records: attempts counted, ends told apart, repeats without effect."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from processors.look_ahead.job_index import Begin, GiveUp, JobFact, JobIndex, Skip

JOB, ASSET, OTHER = UUID(int=1), UUID(int=2), UUID(int=3)


def started(attempt: int, offset: int = 0, job: UUID = JOB) -> JobFact:
    return JobFact(offset=offset, event="ProcessingStarted", job_id=job, asset_id=ASSET, attempt=attempt)


def failed(attempt: int, kind: str = "internal", *, will_retry: bool = True, offset: int = 0) -> JobFact:
    return JobFact(
        offset=offset,
        event="ProcessingFailed",
        job_id=JOB,
        asset_id=ASSET,
        attempt=attempt,
        kind=kind,
        will_retry=will_retry,
    )


def named(event: str, offset: int = 0) -> JobFact:
    return JobFact(offset=offset, event=event, job_id=JOB, asset_id=ASSET)


def verdict(*seen: JobFact) -> Begin | Skip | GiveUp:
    notes = JobIndex()
    for fact in seen:
        notes.see(fact)
    return notes.verdict(job_id=JOB, asset_id=ASSET)


def test_a_job_that_the_log_does_not_know_begins_with_attempt_one() -> None:
    assert verdict() == Begin(1, 0)
    assert verdict(started(1, job=OTHER)) == Begin(1, 0)


def test_a_silent_end_counts_and_the_third_is_the_last() -> None:
    assert verdict(started(1)) == Begin(2, 1)
    assert verdict(started(1), started(2)) == Begin(3, 2)
    assert verdict(started(1), started(2), started(3)) == GiveUp(3)


def test_interrupted_attempts_take_a_number_and_count_for_nothing() -> None:
    seen = [piece for n in range(1, 8) for piece in (started(n), failed(n, "interrupted"))]
    assert verdict(*seen) == Begin(8, 0)
    assert verdict(*seen, started(8)) == Begin(9, 1)


def test_bugs_and_silent_ends_count_together() -> None:
    assert verdict(started(1), failed(1), started(2)) == Begin(3, 2)
    assert verdict(started(1), failed(1), started(2), started(3)) == GiveUp(3)


def test_a_failure_whose_kind_could_not_be_read_counts_as_a_bug() -> None:
    unread = JobFact(offset=1, event="ProcessingFailed", job_id=JOB, attempt=1, will_retry=True)
    assert verdict(started(1), unread) == Begin(2, 1)


def test_what_has_an_end_is_skipped() -> None:
    assert verdict(started(1), named("VariantsReady")) == Skip("ready")
    assert verdict(started(1), failed(1, "refused", will_retry=False)) == Skip("failed")
    assert verdict(named("JobDeleted")) == Skip("deleted")
    assert verdict(named("AssetPurged")) == Skip("purged")


def test_a_purge_concerns_every_job_of_the_asset() -> None:
    notes = JobIndex()
    notes.see(JobFact(offset=5, event="AssetPurged", asset_id=ASSET))
    assert notes.verdict(job_id=OTHER, asset_id=ASSET) == Skip("purged")
    assert notes.verdict(job_id=JOB, asset_id=OTHER) == Begin(1, 0)


def test_notes_are_kept_as_long_as_the_record_may_come_again() -> None:
    notes = JobIndex()
    notes.see(started(1, offset=10))
    notes.see(named("VariantsReady", offset=11))
    notes.forget_before(11)
    assert notes.verdict(job_id=JOB, asset_id=ASSET) == Skip("ready")
    notes.forget_before(12)
    assert len(notes) == 0


FACTS = st.builds(
    JobFact,
    offset=st.integers(0, 50),
    event=st.sampled_from(
        ["ProcessingStarted", "ProcessingFailed", "VariantsReady", "UploadCompleted", "Unheard"]
    ),
    asset_id=st.sampled_from([ASSET, None]),
    job_id=st.sampled_from([JOB, OTHER, None]),
    attempt=st.integers(0, 4),
    kind=st.sampled_from(["interrupted", "internal", None]),
    will_retry=st.booleans(),
)


@given(st.lists(FACTS, max_size=30))
def test_seeing_records_twice_changes_nothing(seen: list[JobFact]) -> None:
    """Every record seen again right after itself, and the whole lot once more, gives the same verdicts."""
    once, twice = JobIndex(), JobIndex()
    for fact in seen:
        once.see(fact)
        twice.see(fact)
        twice.see(fact)
    for fact in seen:
        twice.see(fact)
    for job in (JOB, OTHER):
        assert once.verdict(job_id=job, asset_id=ASSET) == twice.verdict(job_id=job, asset_id=ASSET)

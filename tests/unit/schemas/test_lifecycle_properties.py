"""The fold is total and deaf to repeats, under any order, duplication and old re-delivery."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codes import FAILURES
from schemas.events import (
    AssetEvent,
    ProcessingFailed,
    UploadCompleted,
    UploadRequested,
    VariantsReady,
    VariantsRetired,
)
from schemas.lifecycle import AssetState, evolve, fold
from schemas.state_codec import decode_state, encode_state, state_format
from tests.golden.ids import OWNER_ID
from tests.unit.schemas.asset_events import (
    JOBS,
    asked_again,
    completed,
    deleted,
    discarded,
    expired,
    failed,
    issued,
    job_deleted,
    manifest_of,
    purged,
    ready,
    requested,
    restored,
    retired,
    revoked,
    started,
    updated,
    with_jobs,
)
from tests.unit.schemas.strategies import any_event

MINUTES = st.integers(0, 60)
JOB = st.integers(0, len(JOBS) - 1)
ATTEMPT = st.integers(0, 4)
TWO = st.integers(0, 1)
VERSION = st.none() | st.integers(0, 6)

ANY_ORDER: st.SearchStrategy[AssetEvent] = st.one_of(
    st.builds(requested, MINUTES, upload=TWO, expected_version=VERSION),
    st.builds(completed, MINUTES, upload=TWO, job=JOB, original=TWO, expected_version=VERSION),
    st.builds(started, MINUTES, job=JOB, attempt=ATTEMPT),
    st.builds(ready, MINUTES, job=JOB, attempt=ATTEMPT, original=TWO),
    st.builds(
        failed, MINUTES, st.sampled_from(list(FAILURES)), job=JOB, attempt=ATTEMPT, will_retry=st.booleans()
    ),
    st.builds(purged, MINUTES),
    st.builds(
        expired, MINUTES, st.sampled_from(["expired", "aborted"]), upload=TWO, expected_version=VERSION
    ),
    st.builds(
        asked_again,
        MINUTES,
        job=JOB,
        original=TWO,
        preset=TWO,
        expected_version=VERSION,
        actor_id=st.none() | st.just(OWNER_ID),
        manifest_key=st.none() | JOB.map(manifest_of),
    ),
    st.builds(retired, MINUTES, job=JOB, manifest=st.none() | JOB.map(manifest_of)),
    st.builds(ready, MINUTES, job=JOB, manifest_key=JOB.map(manifest_of)),
    st.builds(job_deleted, MINUTES, job=JOB, expected_version=VERSION),
    st.builds(updated, VERSION, MINUTES),
    st.builds(deleted, VERSION, MINUTES, st.sampled_from(["user", "admin", "expired"])),
    st.builds(restored, VERSION, MINUTES),
    st.builds(issued, MINUTES, link=TWO, expected_version=VERSION),
    st.builds(revoked, MINUTES, link=TWO, expected_version=VERSION),
    st.builds(discarded, MINUTES),
)
BEGINNINGS: st.SearchStrategy[AssetState | None] = st.none() | st.integers(1, 3).map(with_jobs)


@st.composite
def histories(draw: st.DrawFn) -> list[AssetEvent]:
    """What may stand in the log: each event after its cause, the jobs' facts interleaved at will."""
    facts: list[AssetEvent] = []
    for attempt in range(1, draw(st.integers(0, 4)) + 1):
        ends: list[AssetEvent] = [
            ready(attempt=attempt),
            failed(attempt=attempt),
            failed(kind="interrupted", attempt=attempt, will_retry=True),
            failed(kind="unavailable", attempt=attempt, will_retry=True),
        ]
        facts.append(started(attempt=attempt))
        facts += draw(st.lists(st.sampled_from(ends), max_size=2))
    strays: list[AssetEvent] = draw(
        st.lists(st.sampled_from([requested(), completed(original=1, job=1)]), max_size=2)
    )
    tail: list[AssetEvent] = draw(st.permutations([*facts, *strays]))
    return [requested(), completed(), *tail]


def state_after(events: list[AssetEvent]) -> AssetState | None:
    state: AssetState | None = None
    for event in events:
        state = evolve(state, event)
    return state


@given(BEGINNINGS, st.lists(ANY_ORDER, max_size=20))
def test_the_fold_is_total_and_always_the_same(state: AssetState | None, events: list[AssetEvent]) -> None:
    again = state
    for event in events:
        state, again = evolve(state, event), evolve(again, event)
    assert state == again
    if state is not None:
        assert state.status in {"requested", "expired", "uploaded", "processing", "ready", "failed", "purged"}
        assert (state.error is not None) == (state.status in {"failed", "expired"})
        assert [job.order for job in state.jobs] == list(range(1, len(state.jobs) + 1))


@given(any_event(), BEGINNINGS)
def test_any_event_at_all_can_be_folded(event: Any, state: AssetState | None) -> None:
    if isinstance(event, AssetEvent):
        step = fold(state, event)
        assert step.accepted == (step.state is not state)


@given(BEGINNINGS, st.lists(ANY_ORDER, min_size=1, max_size=20))
def test_an_accepted_event_is_never_accepted_again(
    state: AssetState | None, events: list[AssetEvent]
) -> None:
    """Whatever the order, and however long ago it was: old duplicates can be delivered at any time."""
    accepted: list[AssetEvent] = []
    for event in events:
        step = fold(state, event)
        state = step.state
        if step.accepted:
            accepted.append(event)
        for old in accepted:
            assert evolve(state, old) is state


@settings(max_examples=300)
@given(histories(), st.data())
def test_repeats_change_nothing(events: list[AssetEvent], data: st.DataObject) -> None:
    """Any event of a history, accepted or not, may come again anywhere later, any number of times."""
    repeated = list(events)
    for _ in range(data.draw(st.integers(0, 6))):
        source = data.draw(st.integers(0, len(repeated) - 1))
        target = data.draw(st.integers(source + 1, len(repeated)))
        repeated.insert(target, repeated[source])
    assert state_after(repeated) == state_after(events)


@given(histories())
def test_all_of_history_delivered_again(events: list[AssetEvent]) -> None:
    assert state_after(events + events) == state_after(events)
    assert state_after(events + events[::-1]) == state_after(events)


@given(histories())
def test_versions_count_what_persons_caused(events: list[AssetEvent]) -> None:
    state: AssetState | None = None
    caused = 0
    for event in events:
        step = fold(state, event)
        state = step.state
        caused += step.accepted and isinstance(event, UploadRequested | UploadCompleted)
    assert state is not None
    assert state.version == caused == 2


@given(BEGINNINGS, st.lists(ANY_ORDER, max_size=10), st.lists(ANY_ORDER, max_size=10))
def test_from_a_purge_nothing_returns(
    state: AssetState | None, before: list[AssetEvent], after: list[AssetEvent]
) -> None:
    for event in before:
        state = evolve(state, event)
    gone = evolve(state, purged())
    assert gone is None or gone.purged_at is not None
    for event in [*after, *before, purged(10)]:
        assert gone is None or evolve(gone, event) is gone


@given(BEGINNINGS, st.lists(ANY_ORDER, max_size=30))
def test_a_version_is_raised_by_what_a_person_caused_and_by_nothing_else(
    state: AssetState | None, events: list[AssetEvent]
) -> None:
    for event in events:
        step = fold(state, event)
        before = 0 if state is None else state.version
        caused = step.accepted and getattr(event, "actor_id", None) is not None
        assert step.state is None or step.state.version == before + caused
        state = step.state


@settings(max_examples=300)
@given(BEGINNINGS, st.lists(ANY_ORDER, max_size=40))
def test_what_is_served_is_the_newest_set_and_every_other_is_kept_until_retired(
    state: AssetState | None, events: list[AssetEvent]
) -> None:
    for event in events:
        before, state = state, evolve(state, event)
        if state is None or state.purged_at is not None:
            continue
        sets = state.sets
        assert len({one.manifest_key for one in sets}) == len(sets)
        assert [one.order for one in sets] == sorted({one.order for one in sets})
        assert all(one.superseded_at is not None for one in state.kept)
        done = [job.order for job in state.jobs if job.state == "completed"]
        assert (state.served.order if state.served else 0) == max(done, default=0)
        lost = {one.manifest_key for one in before.sets} if before else set()
        lost -= {one.manifest_key for one in sets}
        assert not lost or isinstance(event, VariantsRetired)


@settings(max_examples=300)
@given(
    st.permutations(
        [completed(), completed(job=1, original=1), expired(), expired(code="aborted", actor_id=OWNER_ID)]
    ),
    st.lists(st.integers(0, 3), max_size=4),
)
def test_a_completion_beats_an_expiry_and_an_abort_that_came_first_beats_both(
    ends: list[AssetEvent], again: list[int]
) -> None:
    """U06: in whatever order they stand and however often they come."""
    events = ends + [ends[number] for number in again]
    state = state_after([requested(), *events])
    assert state is not None
    aborts = [number for number, event in enumerate(ends) if getattr(event, "code", "") == "aborted"]
    completions = [number for number, event in enumerate(ends) if isinstance(event, UploadCompleted)]
    if aborts[0] < completions[0]:
        assert (state.status, state.error, state.jobs) == ("expired", ("expired", "aborted"), ())
    else:
        winner = ends[completions[0]]
        assert isinstance(winner, UploadCompleted)
        assert (state.status, len(state.jobs)) == ("uploaded", 1)
        assert state.original is not None
        assert state.original.object_key == winner.object_key


@given(histories())
def test_a_result_for_the_asset_is_what_it_comes_to(events: list[AssetEvent]) -> None:
    """Ready if any of the job's attempts got there; failed only by a last failure; never forgotten."""
    state = state_after(events)
    assert state is not None
    results = [event for event in events if isinstance(event, VariantsReady)]
    ends = [event for event in events if isinstance(event, ProcessingFailed) and not event.will_retry]
    assert (state.status == "ready") == bool(results)
    if state.status == "failed":
        assert ends
        assert state.jobs[0].finished_at is not None


@given(BEGINNINGS, st.lists(ANY_ORDER, max_size=20))
def test_a_state_comes_back_from_its_bytes(state: AssetState | None, events: list[AssetEvent]) -> None:
    for event in events:
        state = evolve(state, event)
        if state is not None:
            assert decode_state(AssetState, encode_state(state)) == state


def test_the_format_of_states_has_a_name() -> None:
    """Who keeps states folds them anew when this name changes: change it knowingly."""
    assert state_format(AssetState) == "101f77e47a5d9426"

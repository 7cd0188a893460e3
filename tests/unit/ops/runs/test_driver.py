"""Runs ask for a bounded number of jobs, miss nothing, ask nothing twice, and say what came of it."""

from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.clock import FixedClock
from adapters.event_log import LogUnavailable, OutcomeUnknown
from ops.runs.driver import Driver
from projections.assets.originals import Selection
from schemas.events import (
    AssetDeleted,
    AssetPurged,
    RunCancelled,
    RunCompleted,
    RunCounts,
    RunPaused,
    RunResumed,
    RunStarted,
    VariantsRequested,
)
from tests.unit.ops.runs.fake_rows import NEW_SET, NOW, OLD_SET, OWNER, FakeRows

RUN = UUID(int=99)


def driver(rows: FakeRows, outstanding: int = 4) -> Driver:
    return Driver(rows.log, FixedClock(NOW), outstanding=outstanding)


async def started(rows: FakeRows, assets: int, *, run_id: UUID = RUN, owner: UUID | None = None) -> None:
    for number in range(1, assets + 1):
        await rows.uploaded(number)
    await rows.say(
        RunStarted(
            event_id=uuid4(),
            occurred_at=NOW,
            run_id=run_id,
            kind="presets",
            filter=Selection(not_of_set=NEW_SET).to_json(),
            preset_set=NEW_SET,
            owner_id=owner,
        )
    )
    rows.catch_up()


async def driven(rows: FakeRows, by: Driver, *, turns: int = 60) -> None:
    """Turns and work in turn until the run says that it is over."""
    for _ in range(turns):
        await by.turn(rows)
        await rows.work()
        if all(run.counts is not None for run in rows.runs.values()):
            return
    raise AssertionError("the run never ended")


def requests(rows: FakeRows) -> list[VariantsRequested]:
    return [event for event in rows.log.events() if isinstance(event, VariantsRequested)]


async def test_every_asset_is_asked_for_once_and_the_counts_are_told() -> None:
    rows = FakeRows()
    await started(rows, 10)
    await driven(rows, driver(rows))
    assert sorted(event.asset_id for event in requests(rows)) == [UUID(int=n) for n in range(1, 11)]
    assert {(event.lane, event.reason, event.preset_set) for event in requests(rows)} == {
        ("bulk", "presets", NEW_SET)
    }
    run = rows.runs[RUN]
    assert (run.status, run.counts) == (
        "completed",
        RunCounts(requested=10, completed=10, failed=0, skipped=0),
    )
    assert {state.served and state.served.preset_set for state in rows.states.values()} == {NEW_SET}


async def test_never_more_than_so_many_are_outstanding() -> None:
    rows, by = FakeRows(), None
    await started(rows, 20)
    by = driver(rows, outstanding=4)
    highest = 0
    for _ in range(60):
        await by.turn(rows)
        rows.catch_up()
        highest = max(highest, rows.under_way())
        await rows.work(most=2)
    assert highest == 4
    assert rows.runs[RUN].status == "completed"


async def test_what_the_read_models_have_not_applied_counts_as_outstanding() -> None:
    rows = FakeRows()
    await started(rows, 20)
    by = driver(rows, outstanding=4)
    for _ in range(5):
        await by.turn(rows)
    assert len(requests(rows)) == 4


async def test_one_process_asks_once_however_far_the_rows_lag() -> None:
    rows = FakeRows()
    await started(rows, 2)
    by = driver(rows)
    for _ in range(3):
        await by.turn(rows)
    assert len(requests(rows)) == 2


async def test_two_runs_share_what_may_be_outstanding() -> None:
    rows = FakeRows()
    await started(rows, 8)
    await started(rows, 0, run_id=UUID(int=98))
    await driver(rows, outstanding=4).turn(rows)
    assert sorted(str(event.run_id) for event in requests(rows)) == [str(UUID(int=98))] * 2 + [str(RUN)] * 2


async def test_a_driver_that_comes_after_a_kill_goes_on_where_the_first_was() -> None:
    rows = FakeRows()
    await started(rows, 12)
    await driver(rows).turn(rows)
    await rows.work()
    await driven(rows, driver(rows))
    assert len(requests(rows)) == 12
    assert rows.runs[RUN].counts == RunCounts(requested=12, completed=12, failed=0, skipped=0)


async def test_what_two_drivers_ask_for_at_once_is_done_once() -> None:
    rows = FakeRows()
    await started(rows, 6)
    await driver(rows).turn(rows)
    await driver(rows).turn(rows)  # it has not seen what the first one said
    assert len({event.job_id for event in requests(rows)}) == 4 < len(requests(rows))
    await driven(rows, driver(rows))
    assert rows.runs[RUN].counts == RunCounts(requested=6, completed=6, failed=0, skipped=0)


async def test_a_paused_run_asks_for_nothing_until_it_goes_on() -> None:
    rows = FakeRows()
    await started(rows, 6)
    by = driver(rows)
    await by.turn(rows)
    await rows.say(RunPaused(event_id=uuid4(), occurred_at=NOW, run_id=RUN, expected_version=1))
    for _ in range(4):
        await rows.work()
        await by.turn(rows)
    assert (len(requests(rows)), rows.runs[RUN].status) == (4, "paused")
    await rows.say(RunResumed(event_id=uuid4(), occurred_at=NOW, run_id=RUN, expected_version=2))
    rows.catch_up()
    await driven(rows, by)
    assert len(requests(rows)) == 6


async def test_a_cancelled_run_asks_for_nothing_more_and_tells_what_came_of_the_rest() -> None:
    rows = FakeRows()
    await started(rows, 6)
    by = driver(rows)
    await by.turn(rows)
    await rows.say(RunCancelled(event_id=uuid4(), occurred_at=NOW, run_id=RUN))
    rows.catch_up()
    await by.turn(rows)
    assert rows.runs[RUN].counts is None  # four are still under way
    await driven(rows, by)
    run = rows.runs[RUN]
    assert (run.status, run.counts) == (
        "cancelled",
        RunCounts(requested=4, completed=4, failed=0, skipped=0),
    )


async def test_the_end_is_told_once() -> None:
    rows = FakeRows()
    await started(rows, 1)
    by = driver(rows)
    await by.turn(rows)
    await rows.work()
    for _ in range(4):
        await by.turn(rows)
    assert sum(isinstance(event, RunCompleted) for event in rows.log.events()) == 1


async def test_all_jobs_are_counted_once_when_it_is_over() -> None:
    """What a turn costs does not grow with what the run has done."""
    rows = FakeRows()
    await started(rows, 8)
    by = driver(rows, outstanding=4)
    await driven(rows, by)
    passes = rows.passes
    for _ in range(5):
        await by.turn(rows)
    assert (rows.counts, rows.passes) == (1, passes)


async def test_while_the_last_jobs_are_under_way_nobody_looks_for_more() -> None:
    rows = FakeRows()
    await started(rows, 3)
    by = driver(rows, outstanding=4)
    await by.turn(rows)
    rows.catch_up()
    await by.turn(rows)  # a whole pass that finds nothing
    passes = rows.passes
    for _ in range(10):
        await by.turn(rows)
        rows.catch_up()
    assert (rows.passes, rows.counts) == (passes, 0)
    await rows.uploaded(77)  # of the old set: by a door that has not heard of the new one
    await driven(rows, by)
    assert UUID(int=77) in {event.asset_id for event in requests(rows)}
    assert rows.runs[RUN].counts == RunCounts(requested=4, completed=4, failed=0, skipped=0)


async def test_assets_in_the_trash_and_purged_ones_are_left_alone() -> None:
    rows = FakeRows()
    await started(rows, 3)
    common = {"occurred_at": NOW, "owner_id": OWNER, "actor_id": OWNER}
    trashed, purged = UUID(int=1), UUID(int=2)
    await rows.say(
        AssetDeleted(event_id=uuid4(), asset_id=trashed, code="user", expected_version=2, **common)  # type: ignore[arg-type]
    )
    await rows.say(AssetPurged(event_id=uuid4(), asset_id=purged, code="permanent", **common))  # type: ignore[arg-type]
    by = driver(rows)
    await by.turn(rows)  # the rows do not know of it: all three are asked for, and two of them in vain
    rows.catch_up()
    await driven(rows, by)
    assert rows.runs[RUN].counts == RunCounts(requested=1, completed=1, failed=0, skipped=0)


async def test_only_its_owners_assets_are_asked_for() -> None:
    rows = FakeRows()
    await rows.uploaded(50, owner=UUID(int=8))
    await started(rows, 2, owner=OWNER)
    await driven(rows, driver(rows))
    assert {event.owner_id for event in requests(rows)} == {OWNER}


@pytest.mark.parametrize("lands", [False, True])
async def test_an_append_that_fails_is_made_again(lands: bool) -> None:
    rows = FakeRows()
    await started(rows, 3)
    rows.log.failure = OutcomeUnknown("cut") if lands else LogUnavailable("away")
    rows.log.lands_anyway = lands
    by = driver(rows)
    with pytest.raises((LogUnavailable, OutcomeUnknown)):
        await by.turn(rows)
    rows.log.failure = None
    await driven(rows, by)
    assert rows.runs[RUN].counts == RunCounts(requested=3, completed=3, failed=0, skipped=0)


async def test_a_rollback_names_the_sets_that_stand() -> None:
    rows = FakeRows()
    await started(rows, 3)
    by = driver(rows)
    await driven(rows, by)
    before = {
        row.asset_id: row.manifest_of(OLD_SET)
        for row in await rows.wanted(rows.runs[RUN], after=None, limit=9)
    }
    assert before == {}
    back = RunStarted(
        event_id=uuid4(),
        occurred_at=NOW,
        run_id=UUID(int=97),
        kind="presets",
        filter=Selection(not_of_set=OLD_SET).to_json(),
        preset_set=OLD_SET,
    )
    await rows.say(back)
    rows.catch_up()
    await by.turn(rows)
    named = [event.manifest_key for event in requests(rows) if event.run_id == back.run_id]
    assert len(named) == 3
    assert set(named) == {state.kept[0].manifest_key for state in rows.states.values()}


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(st.sampled_from(["turn", "other", "kill", "apply", "work", "work one"]), max_size=25))
async def test_whatever_happens_in_between_each_asset_is_done_once(steps: list[str]) -> None:
    rows = FakeRows()
    await started(rows, 5)
    mine, other = driver(rows, 2), driver(rows, 2)
    for step in steps:
        match step:
            case "turn":
                await mine.turn(rows)
            case "other":
                await other.turn(rows)
            case "kill":
                mine = driver(rows, 2)
            case "apply":
                rows.catch_up()
            case _:
                await rows.work(1 if step == "work one" else 9)
    await driven(rows, mine)
    run = rows.runs[RUN]
    assert run.counts == RunCounts(requested=5, completed=5, failed=0, skipped=0)
    assert all(len(state.jobs) == 2 for state in rows.states.values())

"""Which kept sets are over, and how the log's word on their retirement closes the race with a rollback."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

from ops.presets.retiring import over
from projections.assets.originals import KeptSet, OriginalRow
from schemas.events import VariantsRequested, VariantsRetired
from schemas.lifecycle import fold
from tests.unit.ops.runs.fake_rows import NEW_SET, NOW, OLD_SET, OWNER, FakeRows, original_row
from tests.unit.ops.runs.test_driver import driven, driver, started

HOUR = timedelta(hours=1)
KEPT = KeptSet(job_id=UUID(int=3), preset_set=OLD_SET, manifest_key="m", superseded_at=NOW)
ROW = OriginalRow(
    asset_id=UUID(int=1),
    owner_id=OWNER,
    original_key="o",
    size=1,
    data_key_id=UUID(int=2),
    sealed_digests=None,
    preset_set=NEW_SET,
    manifest_key="n",
    kept=(KEPT,),
    version=2,
    position_partition=0,
    position_offset=0,
)


def test_a_set_is_over_when_its_time_is() -> None:
    assert list(over(ROW, active=NEW_SET, before=NOW + HOUR)) == [KEPT]
    assert list(over(ROW, active=NEW_SET, before=NOW - HOUR)) == []


def test_a_set_that_a_rollback_is_about_to_serve_again_stays() -> None:
    assert list(over(ROW, active=OLD_SET, before=NOW + HOUR)) == []


def test_an_older_set_by_the_presets_that_are_served_goes() -> None:
    regenerated = replace(ROW, preset_set=OLD_SET)
    assert list(over(regenerated, active=OLD_SET, before=NOW + HOUR)) == [KEPT]


def test_one_of_two_sets_may_go_alone() -> None:
    younger = replace(KEPT, job_id=UUID(int=4), superseded_at=NOW + 2 * HOUR)
    assert list(over(replace(ROW, kept=(KEPT, younger)), active=NEW_SET, before=NOW + HOUR)) == [KEPT]


async def changed_once() -> FakeRows:
    rows = FakeRows()
    await started(rows, 1)
    await driven(rows, driver(rows))
    return rows


def retirement(rows: FakeRows) -> VariantsRetired:
    (state,) = rows.states.values()
    kept = state.kept[0]
    return VariantsRetired(
        event_id=uuid4(),
        occurred_at=NOW,
        asset_id=state.asset_id,
        owner_id=state.owner_id,
        job_id=kept.job_id,
        preset_set=kept.preset_set,
        manifest_key=kept.manifest_key,
    )


def back(rows: FakeRows) -> VariantsRequested:
    (state,) = rows.states.values()
    row = original_row(state, (0, 0))
    return VariantsRequested(
        event_id=uuid4(),
        occurred_at=NOW,
        asset_id=row.asset_id,
        owner_id=row.owner_id,
        job_id=uuid4(),
        lane="bulk",
        reason="presets",
        object_key=row.original_key,
        size=row.size,
        data_key_id=row.data_key_id,
        preset_set=OLD_SET,
        manifest_key=row.manifest_of(OLD_SET),
    )


async def test_a_rollback_that_came_first_keeps_its_set() -> None:
    rows = await changed_once()
    (state,) = rows.states.values()
    asked = fold(state, back(rows))
    assert asked.accepted
    assert not fold(asked.state, retirement(rows)).accepted


async def test_a_rollback_that_came_second_has_no_effect_and_is_decided_again() -> None:
    rows = await changed_once()
    (state,) = rows.states.values()
    retired = fold(state, retirement(rows))
    assert retired.accepted
    assert retired.state is not None
    assert not fold(retired.state, back(rows)).accepted
    assert original_row(retired.state, (0, 1)).manifest_of(OLD_SET) is None  # so it will be rendered

"""Runs and preset sets as rows: what the doors read, and that a replay gives the very same."""

from collections.abc import Iterator

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import AsyncConnection

from projections.preset_sets.queries import preset_sets, preset_sets_now
from projections.runs.queries import open_runs, run, runs_page
from schemas.events import PresetSetActivated
from schemas.operation import StreamEvent
from tests.integration.projections.rows import SET_ASIDE, HandFolded, prepare
from tests.servers import World
from tests.unit.projections.operation_stories import (
    NAMES,
    SETS,
    activated,
    begun,
    cancelled,
    counted,
    defined,
    paused,
    resumed,
    run_id,
    whole,
)
from tests.unit.projections.stories import PlainLog, Stories, an_id

ADA = an_id("ada")


@pytest.fixture(scope="module")
def models(world: World) -> Iterator[HandFolded]:
    chosen = world.settings("operations", DATABASE_URL=world.servers.new_database())
    prepare(chosen)
    found = HandFolded(chosen, Stories().keys, 1, loop="operations")
    found.begin_anew()
    yield found
    found.close()


@pytest.fixture
def folded(models: HandFolded) -> HandFolded:
    models.wipe()
    return models


def told(models: HandFolded, *events: StreamEvent) -> PlainLog:
    """Folds them, each in a batch of its own."""
    log = PlainLog(1)
    log.append(*events)
    models.apply(*([record] for record in log.records()))
    return log


@pytest.fixture
async def doors(models: HandFolded) -> AsyncConnection[tuple[object, ...]]:
    info = models.conn.info
    return await psycopg.AsyncConnection.connect(f"{info.dsn} password={info.password}", autocommit=True)


async def test_a_run_stands_as_the_log_says(
    folded: HandFolded, doors: AsyncConnection[tuple[object, ...]]
) -> None:
    told(folded, *whole("all"), begun("hers", 9, owner_id=ADA), paused("hers", 1, 10))
    async with doors:
        row = await run(doors, run_id=run_id("all"))
        assert row is not None
        assert (row.status, row.version, row.owner_id) == ("completed", 3, None)
        assert row.counts == {"requested": 5, "completed": 4, "failed": 1, "skipped": 2}
        assert row.steered == (paused("all", 1).event_id, resumed("all", 2).event_id)
        hers = await runs_page(doors, owner_id=ADA, limit=5)
        assert [(one.run_id, one.status) for one in hers] == [(run_id("hers"), "paused")]
        every = await runs_page(doors, limit=1)
        assert [one.run_id for one in every] == [run_id("hers")]
        before = (every[0].started_at, every[0].run_id)
        assert [one.run_id for one in await runs_page(doors, limit=5, before=before)] == [run_id("all")]


def test_open_are_those_that_have_no_counts(folded: HandFolded) -> None:
    told(folded, *whole(0), begun(1, 10), begun(2, 9), cancelled(2), begun(3, 12), cancelled(3), counted(3))
    assert [one.run_id for one in open_runs(folded.conn)] == [run_id(2), run_id(1)]


async def test_the_set_that_was_activated_last_is_the_active_one(
    folded: HandFolded, doors: AsyncConnection[tuple[object, ...]]
) -> None:
    """By the log's order, whatever the clocks say; and an old activation that comes again changes nothing."""
    log = told(folded, defined(0), defined(1), activated(0, 50), defined(2), activated(1, 5))
    folded.apply([log.repeat(log.partitions[0][2])])
    async with doors:
        rows = await preset_sets(doors)
    assert rows == preset_sets_now(folded.conn)
    assert [(row.preset_set, row.active) for row in rows] == [
        (NAMES[1], True),
        (NAMES[0], False),
        (NAMES[2], False),
    ]
    assert rows[0].presets == SETS[1]
    told_again = folded.folded[-1].applied
    assert [(type(one.event), one.accepted) for one in told_again] == [(PresetSetActivated, False)]


EVENTS: st.SearchStrategy[StreamEvent] = st.one_of(
    st.builds(defined, st.integers(0, 2)),
    st.builds(activated, st.integers(0, 2), st.integers(1, 9)),
    st.builds(begun, st.integers(0, 2)),
    st.builds(paused, st.integers(0, 2), st.integers(1, 3)),
    st.builds(resumed, st.integers(0, 2), st.integers(1, 3)),
    st.builds(cancelled, st.integers(0, 2)),
    st.builds(counted, st.integers(0, 2)),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(events=st.lists(EVENTS, max_size=30), cut=st.integers(1, 12))
def test_a_replay_gives_the_very_same_rows(models: HandFolded, events: list[StreamEvent], cut: int) -> None:
    tables = (*models.tables, SET_ASIDE)
    models.wipe()
    log = told(models, *events)
    live = models.dump(*tables)
    models.wipe()
    records = list(log.records())
    models.apply(*(records[at : at + cut] for at in range(0, len(records), cut)))
    assert models.dump(*tables) == live

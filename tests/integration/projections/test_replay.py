"""A read model that is folded again from the log has the very same rows, however the log is cut and mixed."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projections.records import Record
from schemas.events import AssetEvent
from tests.integration.projections.mixing import mixed
from tests.integration.projections.rows import SET_ASIDE, TABLES, Dump, HandFolded, prepare
from tests.servers import World
from tests.unit.projections.later_stories import Later
from tests.unit.projections.stories import PlainLog, Stories

PARTITIONS = 4
ASSETS = 5
POISON = (
    None,
    b"",
    b"\x07garbage",
    b"\0\0",
    b"\0\0\0\xff\xff?",
    b"\0\0\0\0\1short",
    b"\0\0\0\0\5\x80\x80\x80\x80\x10",
)
EVERY = (*TABLES, SET_ASIDE, "infra.dead_lettered")


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Read models to fold into, and whom the stories are about."""

    models: HandFolded
    stories: Stories
    owners: tuple[UUID, ...]


@pytest.fixture(scope="module")
def stage(world: World) -> Iterator[Stage]:
    stories = Stories()
    owners = tuple(asyncio.run(stories.owner(name)) for name in ("ada", "ben"))
    chosen = world.settings("replay", DATABASE_URL=world.servers.new_database())
    prepare(chosen)
    models = HandFolded(chosen, stories.keys, PARTITIONS)
    yield Stage(models=models, stories=stories, owners=owners)
    models.close()


def long_story(stage: Stage, asset: int) -> list[AssetEvent]:
    """An attempt that fails and one that succeeds, a worker that comes too late; or all that may follow."""
    stories, owner = stage.stories, stage.owners[asset % 2]
    if asset % 2:
        return [*stories.whole(asset, owner), *Later(stories, asset, owner).whole()]
    return [
        stories.requested(asset, owner),
        stories.completed(asset, owner),
        stories.started(asset, owner),
        stories.failed(asset, owner, again=True),
        stories.started(asset, owner, 2),
        stories.ready(asset, owner, 2),
        stories.failed(asset, owner, 2),
        stories.ready(asset, owner),
    ]


def a_log(data: st.DataObject, stage: Stage) -> PlainLog:
    """Stories side by side; among them events too early or too late, repeats, and bytes of nobody."""
    log = PlainLog(PARTITIONS)
    stories = [long_story(stage, asset) for asset in range(ASSETS)]
    told = [0] * ASSETS
    for choice in data.draw(st.lists(st.integers(0, 99), min_size=10, max_size=70)):
        asset = choice % ASSETS
        if choice < 70 and told[asset] < len(stories[asset]):
            following = stories[asset][told[asset] : told[asset] + 1 + choice % 3]
            log.append(*following)
            told[asset] += len(following)
        elif choice < 80:
            log.append(stories[asset][choice % len(stories[asset])])
        elif choice < 96 and (records := list(log.records())):
            log.repeat(records[choice * 7 % len(records)])
        else:
            key = str(stage.stories.asset_id(asset)).encode()
            log.put(key, data.draw(st.sampled_from(POISON)))
    return log


def rows_of(stage: Stage, batches: Sequence[Sequence[Record]]) -> Dump:
    stage.models.wipe()
    stage.models.apply(*batches)
    return stage.models.dump(*EVERY)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(data=st.data())
def test_any_cut_and_any_mixture_give_the_same_rows(stage: Stage, data: st.DataObject) -> None:
    log = a_log(data, stage)
    one_by_one = rows_of(stage, [[record] for record in log.records()])
    assert rows_of(stage, mixed(data, log, most=30)) == one_by_one


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(data=st.data())
def test_old_records_appended_again_change_no_asset_and_no_job(stage: Stage, data: st.DataObject) -> None:
    log = a_log(data, stage)
    rows_of(stage, mixed(data, log, most=30))
    before = stage.models.dump("assets_v2.assets", "jobs_v2.jobs", "lifecycle_v3.states", "links_v1.links")
    accepted = [each.record for folded in stage.models.folded for each in folded.applied if each.accepted]
    stage.models.apply(*([log.repeat(record)] for record in accepted))
    assert (
        stage.models.dump("assets_v2.assets", "jobs_v2.jobs", "lifecycle_v3.states", "links_v1.links")
        == before
    )

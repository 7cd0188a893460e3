"""Checkpoints, versions and resets in a real database."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import chain

import psycopg
import pytest

from adapters.migrating import migrate
from adapters.settings import Settings
from projections import checkpoints, forms, operating, read_models
from projections.checkpoints import Diverged, Fenced, TopicReplaced
from tests.integration.projections.rows import SCHEMAS, TABLES, TABLES_OF, HandFolded, prepare
from tests.servers import World
from tests.unit.projections.stories import PlainLog, Stories


async def a_log(stories: Stories, *assets: object) -> PlainLog:
    ada, log = await stories.owner("ada"), PlainLog(4)
    for asset in assets:
        log.append(*stories.whole(asset, ada))
    return log


async def test_of_two_that_apply_the_same_the_later_is_fenced_and_leaves_nothing(
    folded: HandFolded, database: Settings, stories: Stories
) -> None:
    log = await a_log(stories, "sea", "sky")
    late = HandFolded(database, stories.keys, 4)
    late.open()
    folded.apply(list(log.records()))
    before = folded.dump()
    with pytest.raises(Fenced):
        late.apply(list(log.records()))
    late.close()
    assert folded.dump() == before


async def test_positions_of_one_partition_fence_that_partition_alone(
    folded: HandFolded, database: Settings, stories: Stories
) -> None:
    log = await a_log(stories, *range(20))
    neighbour = HandFolded(database, stories.keys, 4)
    neighbour.open()
    folded.apply(log.partitions[0])
    neighbour.apply(log.partitions[1])
    with pytest.raises(Fenced):
        neighbour.apply(log.partitions[0])
    neighbour.close()
    assert len(folded.rows("activity_v3.activity")) == len(log.partitions[0]) + len(log.partitions[1])


async def test_a_reset_fences_whoever_is_at_work_and_replays_the_same(
    folded: HandFolded, stories: Stories
) -> None:
    log = await a_log(stories, "sea", "sky")
    records = list(log.records())
    folded.apply(records[:5])
    operating.reset(folded.conn, folded.loop)
    assert folded.dump() == {table: [] for table in TABLES}
    with pytest.raises(Fenced):
        folded.apply(records[5:])
    folded.open()
    folded.apply(records)
    first = folded.dump()
    operating.reset(folded.conn, folded.loop)
    folded.open()
    folded.apply(*([record] for record in records))
    assert folded.dump() == first


async def test_a_reset_waits_for_the_batch_in_hand(folded: HandFolded, stories: Stories) -> None:
    log = await a_log(stories, "sea")
    other = psycopg.connect(folded.conn.info.dsn, password=folded.conn.info.password, autocommit=True)
    with folded.conn.transaction():
        checkpoints.lock(folded.conn, folded.loop, folded.positions)
        resetting = threading.Thread(target=operating.reset, args=(other, folded.loop))
        resetting.start()
        resetting.join(0.5)
        assert resetting.is_alive()
    resetting.join(10)
    assert not resetting.is_alive()
    other.close()
    folded.open()
    folded.apply(list(log.records()))
    assert len(folded.rows("assets_v2.assets")) == 1


def test_another_topic_of_the_same_name_is_refused_until_a_reset(folded: HandFolded) -> None:
    with pytest.raises(TopicReplaced, match="reset"):
        checkpoints.open_positions(folded.conn, folded.loop, range(4), "another topic")
    operating.reset(folded.conn, folded.loop)
    assert checkpoints.open_positions(folded.conn, folded.loop, range(4), "another topic") == dict.fromkeys(
        range(4), 0
    )


def test_read_models_at_different_positions_are_refused(folded: HandFolded) -> None:
    folded.conn.execute(
        "update infra.checkpoints set next_offset = 5 where read_model = 'jobs' and partition = 2"
    )
    with pytest.raises(Diverged, match="partition 2"):
        folded.open()


def test_a_checkpoint_that_is_missing_is_position_0(folded: HandFolded) -> None:
    folded.conn.execute("delete from infra.checkpoints where partition = 1")
    folded.open()
    assert folded.positions == dict.fromkeys(range(4), 0)


async def test_a_reset_makes_a_new_version_the_one_that_is_read_and_leaves_none_of_the_old(
    world: World, stories: Stories
) -> None:
    """An old version that nobody keeps up to date would hold readers back, and keep what was erased."""
    settings = world.settings("upgraded", DATABASE_URL=world.servers.new_database())
    migrate(settings)
    old = replace(forms.ACTIVITY, version=forms.ACTIVITY.version - 1)
    with psycopg.connect(settings.postgres.url.get_secret_value()) as conn:
        read_models.install(conn, (old,))
        read_models.install(conn)
    models = HandFolded(settings, stories.keys, 4)
    models.conn.execute(
        "insert into infra.checkpoints values (%s, %s, %s, 0, 7)", (old.name, old.version, models.loop.topic)
    )
    operating.reset(models.conn, models.loop)
    models.open()
    models.apply((await a_log(stories, "sea")).records())
    assert len(models.rows("live.activity")) == 4
    names = ("infra.checkpoints", "read_model, version"), ("infra.read_models", "name, version")
    for table, columns in names:
        assert (old.name, old.version) not in models.rows(table, columns)
    assert models.rows(f"pg_namespace where nspname = '{old.schema}'") == []
    shown = models.conn.execute("select active from infra.read_models").fetchall()
    assert set(shown) == {(True,)}
    models.close()


async def test_what_an_older_release_left_is_replayed_in_its_new_form_and_only_once(
    world: World, stories: Stories
) -> None:
    settings = world.settings("renewed", DATABASE_URL=world.servers.new_database())
    migrate(settings)
    old = replace(forms.LIFECYCLE, version=forms.LIFECYCLE.version - 1)
    with psycopg.connect(settings.postgres.url.get_secret_value()) as conn:
        read_models.install(conn, (old, *forms.OF_ASSETS[:-1]))
    models = HandFolded(settings, stories.keys, 4)
    assert operating.renew(models.conn, models.loop) == ("lifecycle",)
    models.open()
    models.apply((await a_log(stories, "sea")).records())
    assert operating.renew(models.conn, models.loop) == ()
    assert len(models.rows("live.assets")) == 1
    models.close()


def test_many_install_at_once_and_the_tables_are_made_once(world: World) -> None:
    settings = world.settings("install", DATABASE_URL=world.servers.new_database())
    prepare(settings)
    url = settings.postgres.url.get_secret_value()
    with psycopg.connect(url) as conn:
        conn.execute(f"drop schema {', '.join(SCHEMAS)} cascade".encode())
        conn.execute("delete from infra.read_models")
    with ThreadPoolExecutor(5) as pool:
        for done in [pool.submit(install, url) for _ in range(5)]:
            done.result(20)
    with psycopg.connect(url) as conn:
        versions = conn.execute("select name, version, active from infra.read_models order by 1").fetchall()
        assert versions == sorted((model.name, model.version, True) for model in forms.EVERY)
        views = conn.execute("select viewname from pg_views where schemaname = 'live' order by 1").fetchall()
        assert {view for (view,) in views} == {
            table.partition(".")[2] for table in chain.from_iterable(TABLES_OF.values())
        }


def install(url: str) -> None:
    with psycopg.connect(url) as conn:
        read_models.install(conn)

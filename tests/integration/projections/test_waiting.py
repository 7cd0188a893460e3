"""Waiting for a position: awake as soon as it is applied, patient through cut connections, never for ever."""

import asyncio
import time
from collections.abc import AsyncIterator, Collection
from uuid import UUID

import psycopg
import pytest

from projections import checkpoints, operating
from projections.notices import Notice
from projections.waiting import NotYetApplied, PositionWatch
from schemas.positions import Position
from tests.integration.projections.rows import HandFolded
from tests.unit.projections.stories import PlainLog, Stories


@pytest.fixture
async def log(stories: Stories) -> PlainLog:
    ada, log = await stories.owner("ada"), PlainLog(4)
    log.append(*stories.whole("sea", ada))
    return log


@pytest.fixture
async def watch(folded: HandFolded) -> AsyncIterator[PositionWatch]:
    """Looks by itself so seldom that only a notice can be what wakes it."""
    watch = PositionWatch(dsn(folded), look_seconds=30)
    await watch.start()
    await until_known(watch, folded.loop.topic)
    yield watch
    await watch.close()


def dsn(folded: HandFolded) -> str:
    info = folded.conn.info
    return psycopg.conninfo.make_conninfo(info.dsn, password=info.password)


async def until_known(watch: PositionWatch, topic: str) -> None:
    for _ in range(1000):
        if watch.positions(topic):
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the watch heard of nothing")


def last(folded: HandFolded, log: PlainLog) -> Position:
    record = list(log.records())[-1]
    return Position(topic=folded.loop.topic, partition=record.partition, offset=record.offset)


async def apply(folded: HandFolded, log: PlainLog) -> None:
    await asyncio.to_thread(folded.apply, list(log.records()))


async def test_it_wakes_when_the_batch_is_committed(
    folded: HandFolded, log: PlainLog, watch: PositionWatch
) -> None:
    waiting = asyncio.create_task(watch.wait_for(last(folded, log), timeout=20))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    await apply(folded, log)
    await asyncio.wait_for(waiting, 20)
    await watch.wait_for(last(folded, log), timeout=0)


async def test_what_is_not_applied_in_time_is_said_so(
    folded: HandFolded, log: PlainLog, watch: PositionWatch
) -> None:
    began = time.monotonic()
    with pytest.raises(NotYetApplied) as caught:
        await watch.wait_for(last(folded, log), timeout=0.2)
    assert caught.value.position == last(folded, log)
    assert 0.15 < time.monotonic() - began < 10
    await apply(folded, log)
    after = Position(topic=folded.loop.topic, partition=last(folded, log).partition, offset=4)
    with pytest.raises(NotYetApplied):
        await watch.wait_for(after, timeout=0.2)


async def test_a_topic_that_nobody_folds_is_never_applied(watch: PositionWatch) -> None:
    with pytest.raises(NotYetApplied):
        await watch.wait_for(Position(topic="nobody's", partition=0, offset=0), timeout=0.1)


async def test_subscribers_wake_once_for_all_batches_since(
    folded: HandFolded, log: PlainLog, watch: PositionWatch
) -> None:
    with watch.subscribe() as wakeups:
        assert not await wakeups.woken(timeout=0.1)
        for record in log.records():
            await asyncio.to_thread(folded.apply, [record])
        await watch.wait_for(last(folded, log), timeout=20)
        assert await wakeups.woken(timeout=20)
        assert not await wakeups.woken(timeout=0.1)
    await apply_more(folded)
    assert not await wakeups.woken(timeout=0.1)


async def apply_more(folded: HandFolded) -> None:
    with folded.conn.transaction():
        folded.conn.execute("select pg_notify('darkroom_batch', '')")


async def test_a_cut_connection_is_made_anew(folded: HandFolded, log: PlainLog, watch: PositionWatch) -> None:
    folded.conn.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'darkroom-watch'"
    )
    await apply(folded, log)
    await watch.wait_for(last(folded, log), timeout=20)


async def test_a_lost_notice_is_made_up_for_by_looking(folded: HandFolded, log: PlainLog) -> None:
    watch = PositionWatch(dsn(folded), look_seconds=0.1)
    await watch.start()
    await until_known(watch, folded.loop.topic)
    folded.conn.execute("update infra.checkpoints set next_offset = 99")
    await watch.wait_for(last(folded, log), timeout=20)
    await watch.close()


@pytest.mark.parametrize("payload", ["{}", "[1]", "nonsense", '{"topic": 1, "next": {"x": "y"}}', "null"])
async def test_a_strangers_notice_does_no_harm(
    folded: HandFolded, log: PlainLog, watch: PositionWatch, payload: str
) -> None:
    folded.conn.execute("select pg_notify('darkroom_batch', %s)", (payload,))
    await apply(folded, log)
    await watch.wait_for(last(folded, log), timeout=20)


async def test_after_a_reset_what_was_applied_is_so_no_longer(
    folded: HandFolded, log: PlainLog, watch: PositionWatch
) -> None:
    await apply(folded, log)
    await watch.wait_for(last(folded, log), timeout=20)
    await asyncio.to_thread(operating.reset, folded.conn, folded.loop)
    for _ in range(1000):
        if set(watch.positions(folded.loop.topic).values()) == {0}:
            break
        await asyncio.sleep(0.02)
    with pytest.raises(NotYetApplied):
        await watch.wait_for(last(folded, log), timeout=0.1)


async def test_without_postgres_every_wait_runs_out(log: PlainLog, folded: HandFolded) -> None:
    watch = PositionWatch("postgresql://nobody@127.0.0.1:1/nothing")
    await watch.start()
    with pytest.raises(NotYetApplied):
        await watch.wait_for(last(folded, log), timeout=0.3)
    await watch.close()


async def test_a_loop_is_alive_while_it_is_heard(folded: HandFolded, log: PlainLog) -> None:
    watch = PositionWatch(dsn(folded), silent_seconds=0.5)
    await watch.start()
    topic = folded.loop.topic
    await until_known(watch, topic)
    assert not watch.alive(topic, 0)
    checkpoints.say_alive(folded.conn, folded.loop, [0, 1])
    for _ in range(2000):
        if watch.alive(topic, 1):
            break
        await asyncio.sleep(0.01)
    assert [watch.alive(topic, partition) for partition in range(3)] == [True, True, False]
    assert not watch.alive("another", 0)
    assert set(watch.positions(topic).values()) == {0}, "to live is not to have applied anything"
    await asyncio.sleep(0.55)
    assert not watch.alive(topic, 1)
    await apply(folded, log)
    await watch.wait_for(last(folded, log), timeout=20)
    assert not watch.alive(topic, last(folded, log).partition), "a batch may be one of many to come"
    await watch.close()


class Remembering:
    """Keeps what a watch tells of changes."""

    def __init__(self) -> None:
        self.assets: set[UUID] = set()
        self.owners: set[UUID] = set()
        self.blind = 0

    def changed(self, notice: Notice) -> None:
        assert notice.changes is not None
        self.assets |= notice.changes.assets
        self.owners |= notice.changes.owners

    def moved(self, topic: str, partitions: Collection[int]) -> None:
        del topic, partitions
        self.blind += 1

    def unsure(self) -> None:
        self.blind += 1

    def heard(self) -> None:
        pass


async def test_a_batch_tells_whose_rows_it_changed(
    folded: HandFolded, log: PlainLog, watch: PositionWatch, stories: Stories
) -> None:
    feed = Remembering()
    watch.tell(feed)
    waiting = asyncio.create_task(watch.wait_for(last(folded, log), timeout=20))
    await apply(folded, log)
    await waiting
    assert feed.assets == {stories.asset_id("sea")}
    assert (len(feed.owners), feed.blind) == (1, 0)
    await asyncio.to_thread(operating.reset, folded.conn, folded.loop)
    for _ in range(500):
        if feed.blind:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("nobody was told that everything is made anew")

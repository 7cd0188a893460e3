"""What operators ask of jobs and dead letters, out of rows that were folded."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg import AsyncConnection

from adapters.settings import Settings
from projections.dead_letters import queries as letters
from projections.jobs.queries import JobFilter, JobMark, attempts, job, jobs_page, last_said
from projections.jobs.stats import job_stats
from projections.past.queries import Moment, spots
from tests.integration.projections.rows import HandFolded
from tests.unit.projections.stories import BEGIN, PlainLog, Stories, an_id

BROKEN = b"\0\0\0\0\1short"


@pytest.fixture
async def conn(database: Settings, folded: HandFolded) -> AsyncIterator[AsyncConnection[Any]]:
    del folded  # empties the tables first
    address = database.postgres.url.get_secret_value()
    async with await AsyncConnection.connect(address, autocommit=True) as made:
        yield made


async def test_pages_of_jobs_hold_what_is_asked_for(
    folded: HandFolded, stories: Stories, conn: AsyncConnection[Any]
) -> None:
    ada, ben, log = await stories.owner("ada"), await stories.owner("ben"), PlainLog(4)
    for asset in ("sea", "sky", "moor"):
        log.append(*stories.whole(asset, ada))
    log.append(*stories.whole("hill", ben)[:2])
    folded.apply(list(log.records()))
    every = await jobs_page(conn, JobFilter(), limit=10, after=None)
    assert len(every) == 4
    assert every == sorted(every, key=lambda row: (row.queued_at, row.job_id), reverse=True)
    first = await jobs_page(conn, JobFilter(), limit=3, after=None)
    rest = await jobs_page(conn, JobFilter(), limit=3, after=JobMark(first[-1].queued_at, first[-1].job_id))
    assert [*first, *rest] == every

    async def found(**wanted: Any) -> set[Any]:
        rows = await jobs_page(conn, JobFilter(**wanted), limit=10, after=None)
        return {row.asset_id for row in rows}

    assert await found(owner_id=ben) == {stories.asset_id("hill")}
    assert await found(state="queued") == {stories.asset_id("hill")}
    assert await found(state="completed", asset_id=stories.asset_id("sky")) == {stories.asset_id("sky")}
    assert await found(kind="upload") == {row.asset_id for row in every}
    assert await found(kind="retry") == await found(run_id=an_id("run")) == set()


async def test_attempts_are_told_out_of_the_feed(
    folded: HandFolded, stories: Stories, conn: AsyncConnection[Any]
) -> None:
    ada, log = await stories.owner("ada"), PlainLog(4)
    log.append(stories.requested("sea", ada), stories.completed("sea", ada))
    log.append(stories.started("sea", ada), stories.failed("sea", ada, again=True))
    log.append(stories.started("sea", ada, 2), stories.started("sea", ada, 3), stories.ready("sea", ada, 3))
    log.append(stories.started("sea", ada, 2))  # a repeat that comes late
    folded.apply(list(log.records()))
    (row,) = await jobs_page(conn, JobFilter(), limit=1, after=None)
    found = await attempts(conn, row)
    assert [(one.number, one.outcome) for one in found] == [(1, "failed"), (2, "lost"), (3, "completed")]
    assert found[0].error_code is not None
    assert found[2].cost == row.cost
    assert await last_said(conn, row) == stories.ready("sea", ada, 3).event_id
    assert await job(conn, owner_id=await stories.owner("ben"), job_id=row.job_id) is None


async def test_stats_count_by_lane_and_state_and_look_back_an_hour(
    folded: HandFolded, stories: Stories, conn: AsyncConnection[Any]
) -> None:
    ada, log = await stories.owner("ada"), PlainLog(4)
    log.append(*stories.whole("sea", ada), *stories.whole("sky", ada)[:2])
    folded.apply(list(log.records()))
    (ended,) = await jobs_page(conn, JobFilter(state="completed"), limit=1, after=None)
    assert ended.finished_at is not None
    (lane,) = await job_stats(conn, now=ended.finished_at + timedelta(minutes=1))
    assert (lane.lane, lane.states, lane.done) == ("live", {"completed": 1, "queued": 1}, 1)
    assert lane.oldest_waiting is not None
    assert ended.started_at is not None
    took = (ended.finished_at - ended.started_at).total_seconds()
    assert (lane.work_p50, lane.work_p95) == (took, took)
    assert lane.waiting_p50 == (ended.started_at - ended.queued_at).total_seconds()
    (later,) = await job_stats(conn, now=ended.finished_at + timedelta(hours=2))
    assert (later.done, later.work_p50) == (0, None)


async def test_what_hangs_on_letters(
    folded: HandFolded, stories: Stories, conn: AsyncConnection[Any]
) -> None:
    ada, log = await stories.owner("ada"), PlainLog(4)
    key = str(stories.asset_id("sea")).encode()
    bad = log.put(key, BROKEN)
    log.append(*stories.whole("sea", ada))
    log.append(*stories.whole("sky", ada)[:3], stories.failed("sky", ada))
    folded.apply(list(log.records()))
    spot = (folded.loop.topic, bad.partition, bad.offset)
    behind = (folded.loop.topic, bad.partition, bad.offset + 1)
    found = await letters.held(conn, [spot, behind])
    assert set(found) == {spot}, "what waits holds nobody back"
    assert (found[spot].waiting, found[spot].redrives, found[spot].asked) == (5, 0, False)
    await letters.ask_redrive(conn, found[spot], now=BEGIN)
    await letters.ask_redrive(conn, found[spot], now=BEGIN)
    assert (await letters.held(conn, [spot]))[spot].asked
    assert folded.rows("infra.redrives", "key") == [(key,)]
    topic, partition = folded.loop.topic, bad.partition
    assert await letters.waits(conn, topic=topic, partition=partition, key=key)
    assert not await letters.waits(conn, topic=topic, partition=partition, key=b"another")
    assert not await letters.waits(conn, topic="another", partition=partition, key=key)
    (failed,) = await jobs_page(conn, JobFilter(state="failed"), limit=5, after=None)
    assert await letters.failed_jobs(conn, [failed.job_id, an_id("nobody's")]) == {failed.job_id}
    said = stories.failed("sky", ada).event_id
    assert await letters.said(conn, [said, an_id("never")]) == {said}
    assert await letters.redrive_rounds(conn, asset_id=stories.asset_id("sky")) == 0
    sky = stories.asset_id("sky")
    told = await letters.told(conn, [sky, an_id("nobody's")])
    assert told == {sky: letters.Told(owner_id=ada, content_type=stories.completed("sky", ada).content_type)}


async def test_the_past_of_an_asset_is_a_beginning_of_its_records_whatever_the_brokers_clocks_say(
    folded: HandFolded, stories: Stories, conn: AsyncConnection[Any]
) -> None:
    ada, log = await stories.owner("ada"), PlainLog(4)
    log.append(*stories.whole("sea", ada))
    (records,) = [records for records in log.partitions if records]
    at = [1_777_600_000_000, 1_777_600_009_000, 1_777_600_005_000, 1_777_600_007_000]
    folded.apply([record._replace(log_ms=ms) for record, ms in zip(records, at, strict=True)])
    partition, topic = records[0].partition, folded.loop.topic

    async def found(moment: Moment) -> list[int]:
        asset_ids = [stories.asset_id("sea")]
        told = await spots(conn, topic=topic, owner_id=ada, asset_ids=asset_ids, moment=moment, limit=9)
        return [spot.offset for spot in told]

    by_time = {ms: await found(Moment(log_time=datetime.fromtimestamp(ms / 1000, UTC))) for ms in at}
    assert by_time == {at[0]: [0], at[1]: [0, 1, 2, 3], at[2]: [0], at[3]: [0]}
    third = Moment(log_time=datetime.fromtimestamp(at[2] / 1000, UTC), partition=partition, offset=2)
    assert await found(third) == [0, 1, 2]

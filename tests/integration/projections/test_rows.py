"""What the read models say of each event, and that queries find it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from adapters.subject_keys import InMemorySubjectKeys
from projections.activity import queries as activity
from projections.assets import queries as assets
from projections.assets.pages import AssetFilter, assets_page, mark_of
from projections.jobs import queries as jobs
from tests.integration.projections.rows import HandFolded
from tests.unit.projections.stories import BEGIN, PRESETS, PlainLog, Stories, an_id

Conn = psycopg.AsyncConnection[Any]


@pytest.fixture
async def conn(folded: HandFolded) -> AsyncIterator[Conn]:
    async with await psycopg.AsyncConnection.connect(
        folded.conn.info.dsn, password=folded.conn.info.password
    ) as conn:
        yield conn


def everything(log: PlainLog) -> list[Any]:
    return list(log.records())


async def test_a_story_told_to_its_end_is_one_ready_asset(
    folded: HandFolded, stories: Stories, conn: Conn
) -> None:
    ada, log = await stories.owner("ada"), PlainLog(4)
    log.append(*stories.whole("sea", ada))
    folded.apply(everything(log))
    row = await assets.asset(conn, owner_id=ada, asset_id=stories.asset_id("sea"))
    assert row is not None
    assert (row.status, row.title, row.file_name, row.tags) == ("ready", "Title sea", "sea.jpg", ("a", "ä"))
    assert (row.requested_at, row.uploaded_at, row.processed_at) == (
        BEGIN,
        BEGIN + timedelta(seconds=1),
        BEGIN + timedelta(seconds=4),
    )
    assert row.listed_at == row.uploaded_at
    assert (row.width, row.height, row.camera, row.taken_at) == (4000, 3000, "C", "2024-02-29T08:00:00")
    assert [variant.name for variant in row.variants] == ["large", "medium", "small", "thumbnail"]
    assert (row.version, row.preset_set, row.job_id) == (2, PRESETS, stories.job_id("sea"))
    assert (row.error_kind, row.error_code, row.deleted_at) == (None, None, None)
    assert row.position_offset == 3


async def test_an_asset_is_its_owners_alone(folded: HandFolded, stories: Stories, conn: Conn) -> None:
    ada, ben, log = await stories.owner("ada"), await stories.owner("ben"), PlainLog(4)
    log.append(*stories.whole("sea", ada))
    folded.apply(everything(log))
    assert await assets.asset(conn, owner_id=ben, asset_id=stories.asset_id("sea")) is None
    assert await assets_page(conn, AssetFilter(owner_id=ben), limit=10, after=None) == []
    assert await jobs.job(conn, owner_id=ben, job_id=stories.job_id("sea")) is None
    assert await jobs.job(conn, owner_id=None, job_id=stories.job_id("sea")) is not None
    (found,) = await assets.assets_by_id(conn, asset_ids=[stories.asset_id("sea"), an_id("none")])
    assert found.owner_id == ada


async def test_a_job_tells_its_attempts_its_end_and_its_cost(
    folded: HandFolded, stories: Stories, conn: Conn
) -> None:
    ada, log = await stories.owner("ada"), PlainLog(4)
    log.append(stories.requested("sea", ada), stories.completed("sea", ada), stories.started("sea", ada))
    log.append(stories.failed("sea", ada, again=True))
    folded.apply(everything(log))
    job = await jobs.job(conn, owner_id=ada, job_id=stories.job_id("sea"))
    assert job is not None
    assert (job.state, job.attempts, job.error_kind, job.error_code) == (
        "active",
        1,
        "internal",
        "unexpected",
    )
    log.append(stories.started("sea", ada, 2, at=7), stories.ready("sea", ada, 2, at=9))
    folded.apply(record for record in everything(log) if record.offset >= 4)
    job = await jobs.job(conn, owner_id=ada, job_id=stories.job_id("sea"))
    assert job is not None
    assert (job.state, job.attempts, job.error_kind, job.worker) == ("completed", 2, None, "variants-0")
    assert (job.started_at, job.finished_at) == (BEGIN + timedelta(seconds=7), BEGIN + timedelta(seconds=9))
    assert job.cost is not None
    assert job.cost["cpu_ms"] == 90


async def test_a_refused_picture_is_a_failed_asset_with_its_reason(
    folded: HandFolded, stories: Stories, conn: Conn
) -> None:
    ada, log = await stories.owner("ada"), PlainLog(4)
    log.append(*stories.whole("sea", ada)[:3], stories.failed("sea", ada))
    folded.apply(everything(log))
    row = await assets.asset(conn, owner_id=ada, asset_id=stories.asset_id("sea"))
    assert row is not None
    assert (row.status, row.error_kind, row.error_code, row.variants) == (
        "failed",
        "refused",
        "truncated",
        (),
    )


async def test_pages_follow_each_other_newest_first(folded: HandFolded, stories: Stories, conn: Conn) -> None:
    ada, log = await stories.owner("ada"), PlainLog(4)
    for number in range(7):
        log.append(stories.requested(number, ada, at=number // 2))
    folded.apply(everything(log))
    seen: list[assets.AssetRow] = []
    wanted = AssetFilter(owner_id=ada, status="requested")
    while page := await assets_page(
        conn, wanted, limit=3, after=mark_of(seen[-1], "uploaded") if seen else None
    ):
        seen += page
    assert len({row.asset_id for row in seen}) == len(seen) == 7
    assert [(row.listed_at, row.asset_id) for row in seen] == sorted(
        ((row.listed_at, row.asset_id) for row in seen), reverse=True
    )
    ready = AssetFilter(owner_id=ada, status="ready")
    assert await assets_page(conn, ready, limit=3, after=None) == []


async def test_the_feed_has_every_event_in_the_logs_order(
    folded: HandFolded, stories: Stories, conn: Conn
) -> None:
    ada, log = await stories.owner("ada"), PlainLog(4)
    log.append(*stories.whole("sea", ada))
    (partition,) = {record.partition for record in log.records()}
    log.repeat(log.partitions[partition][0])
    folded.apply(everything(log))
    rows = await activity.entries_after(conn, topic=folded.loop.topic, after={}, owner_id=ada, limit=10)
    assert [(row.event_type, row.accepted, row.data["status"]) for row in rows] == [
        ("UploadRequested", True, "requested"),
        ("UploadCompleted", True, "uploaded"),
        ("ProcessingStarted", True, "processing"),
        ("VariantsReady", True, "ready"),
        ("UploadRequested", False, "ready"),
    ]
    assert [row.offset for row in rows] == [0, 1, 2, 3, 4]
    assert rows[0].correlation_id == an_id(stories.asset_id("sea"))
    assert rows[2].correlation_id is None
    first = await activity.by_event_id(conn, rows[0].event_id)
    assert first == rows[0]
    assert await activity.by_event_id(conn, an_id("never")) is None


async def test_the_feed_resumes_from_a_vector_without_gaps(
    folded: HandFolded, stories: Stories, conn: Conn
) -> None:
    ada, ben, log = await stories.owner("ada"), await stories.owner("ben"), PlainLog(4)
    for number in range(20):
        log.append(*stories.whole(number, (ada, ben)[number % 2]))
    folded.apply(everything(log))
    seen: list[activity.ActivityRow] = []
    vector: dict[int, int] = {}
    while rows := await activity.entries_after(
        conn, topic=folded.loop.topic, after=vector, owner_id=None, limit=7
    ):
        for row in rows:
            assert row.offset == vector.get(row.partition, -1) + 1
            vector[row.partition] = row.offset
        seen += rows
    assert len(seen) == 80
    assert vector == {number: len(records) - 1 for number, records in enumerate(log.partitions) if records}
    bens = await activity.entries_after(conn, topic=folded.loop.topic, after={}, owner_id=ben, limit=100)
    assert len(bens) == 40
    assert {row.owner_id for row in bens} == {ben}


async def test_nothing_personal_stands_in_the_feed(folded: HandFolded, stories: Stories) -> None:
    ada, log = await stories.owner("ada"), PlainLog(4)
    log.append(*stories.whole("sea", ada))
    folded.apply(everything(log))
    feed = "\n".join(folded.dump("activity_v3.activity")["activity_v3.activity"])
    assert "Title sea" not in feed
    assert "sea.jpg" not in feed
    assert "3OcRJYB4d3h" not in feed


async def test_an_erased_person_has_no_words_in_what_is_folded_later(
    folded: HandFolded, stories: Stories, conn: Conn
) -> None:
    ada, log = await stories.owner("ada"), PlainLog(4)
    log.append(*stories.whole("sea", ada))
    assert isinstance(stories.keys, InMemorySubjectKeys)
    stories.keys.erase(ada)
    folded.apply(everything(log))
    row = await assets.asset(conn, owner_id=ada, asset_id=stories.asset_id("sea"))
    assert row is not None
    assert (row.status, row.title, row.file_name, row.tags, row.thumbhash) == ("ready", None, None, (), None)


async def test_of_a_purged_asset_no_row_is_left_but_that_it_was(
    folded: HandFolded, stories: Stories, conn: Conn
) -> None:
    """R28: no later event brings it back, and the feed holds no words."""
    ada, log = await stories.owner("ada"), PlainLog(4)
    log.append(*stories.whole("sea", ada), stories.purged("sea", ada), *stories.whole("sea", ada))
    folded.apply(everything(log))
    assert await assets.asset(conn, owner_id=ada, asset_id=stories.asset_id("sea")) is None
    assert await assets_page(conn, AssetFilter(owner_id=ada), limit=10, after=None) == []
    assert await jobs.job(conn, owner_id=None, job_id=stories.job_id("sea")) is None
    told = await activity.by_event_id(conn, stories.purged("sea", ada).event_id)
    assert told is not None
    assert (told.accepted, told.code, told.actor_id, told.data) == (True, "erased", ada, {"status": "purged"})
    feed = await activity.entries_after(
        conn, topic=told.topic, after={told.partition: told.offset}, owner_id=ada, limit=10
    )
    assert [(entry.accepted, entry.data["status"]) for entry in feed] == [(False, "purged")] * 4

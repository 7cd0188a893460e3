"""The gallery, links, history and trash over Postgres: the statements say what the twins in memory say."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, get_args
from uuid import UUID

import psycopg
import pytest

from ops.housekeeping import rows as housekeeping
from projections.activity.history import history
from projections.assets import queries as assets
from projections.assets.pages import AssetFilter, AssetMark, SortKey, assets_page, mark_of
from projections.assets.queries import AssetRow
from projections.links import queries as links
from schemas.events import (
    AssetDeleted,
    AssetEvent,
    AssetRestored,
    LinkIssued,
    LinkRevoked,
    UploadExpired,
)
from tests.integration.projections.rows import HandFolded
from tests.unit.api.fake_gallery import page_of
from tests.unit.projections.stories import BEGIN, PlainLog, Stories, an_id

Conn = psycopg.AsyncConnection[Any]

WORDS: list[dict[str, Any]] = [
    {
        "file_name": "IMG_1234.jpg",
        "title": "Harbour at noon",
        "description": None,
        "tags": ["sea", "Old boats"],
    },
    {"file_name": "img 99.PNG", "title": None, "description": "The harbour's other side", "tags": []},
    {"file_name": "b.jpg", "title": "Übersee", "description": "x' | !y:* \\", "tags": ["SEA"]},
    {"file_name": "c.jpg", "title": "harbour", "description": None, "tags": ["it's", "a\\b"]},
    {"file_name": "d.jpg", "title": "", "description": "", "tags": []},
    {"file_name": "e.jpg", "title": "zebra", "description": "sea", "tags": ["boats", "sea"]},
    {"file_name": "z.jpg", "title": "Title of its own", "description": None, "tags": []},
    {"file_name": "late.jpg", "title": "anchor", "description": None, "tags": ["Old boats"]},
]


@pytest.fixture
async def conn(folded: HandFolded) -> AsyncIterator[Conn]:
    async with await psycopg.AsyncConnection.connect(
        folded.conn.info.dsn, password=folded.conn.info.password
    ) as conn:
        yield conn


def moved(
    kind: type[AssetDeleted | AssetRestored], stories: Stories, asset: int, owner_id: UUID, version: int
) -> AssetEvent:
    return kind(
        event_id=an_id(kind.__name__, asset, version),
        occurred_at=BEGIN + timedelta(hours=1),
        asset_id=stories.asset_id(asset),
        owner_id=owner_id,
        actor_id=owner_id,
        expected_version=version,
        code="user",
    )


def told(stories: Stories, number: int, owner_id: UUID, words: dict[str, Any]) -> list[AssetEvent]:
    """One asset: every third is not ready, so that nobody knows when it was taken."""
    sealed = stories.sealed(owner_id, "sealed_words", words)
    kind = "image/png" if number % 2 else "image/jpeg"
    completed = stories.completed(number, owner_id, at=100 * (number // 2) + 1)
    facts: dict[str, object] = {
        "taken_at": f"2024-02-{28 - number % 4}T08:00:00",
        "camera": "C",
        "thumbhash": None,
        "sha256": "",
    }
    ready = replace(
        stories.ready(number, owner_id), sealed_facts=stories.sealed(owner_id, "sealed_facts", facts)
    )
    worked: list[AssetEvent] = [] if number % 3 == 0 else [stories.started(number, owner_id), ready]
    return [
        replace(stories.requested(number, owner_id, at=100 * (number // 2)), sealed_words=sealed),
        replace(completed, size=1000 + number % 3, content_type=kind),
        *worked,
    ]


def called_off(stories: Stories, owner_id: UUID, code: str) -> list[AssetEvent]:
    """An upload that never came; one that was aborted is listed nowhere."""
    requested = stories.requested(code, owner_id)
    return [
        requested,
        UploadExpired(
            event_id=an_id("called off", code),
            occurred_at=BEGIN + timedelta(hours=1),
            asset_id=requested.asset_id,
            owner_id=owner_id,
            upload_id=requested.upload_id,
            code=code,
        ),
    ]


async def fill(folded: HandFolded, stories: Stories, conn: Conn) -> tuple[UUID, list[AssetRow]]:
    ada, ben, log = await stories.owner("ada"), await stories.owner("ben"), PlainLog(4)
    for number, words in enumerate(WORDS):
        log.append(*told(stories, number, ada, words))
        log.append(*told(stories, number + 100, ben, words))
    log.append(moved(AssetDeleted, stories, 7, ada, 2))
    log.append(*called_off(stories, ada, "aborted"), *called_off(stories, ada, "expired"))
    folded.apply(list(log.records()))
    numbers = [*range(len(WORDS)), *range(100, 100 + len(WORDS)), "aborted", "expired"]
    ids = [stories.asset_id(number) for number in numbers]
    return ada, await assets.assets_by_id(conn, asset_ids=ids)


def filters(ada: UUID) -> list[AssetFilter]:
    texts = ["harb", "harb noon", "img 12", "1234", "side HARB", "über", "x y", "'", "b", "arbour", "jpg"]
    tags = [("sea",), ("old BOATS",), ("it's",), ("a\\b",), ("sea", "boats"), ("boat",)]
    plain = AssetFilter(owner_id=ada)
    return [
        plain,
        replace(plain, trashed=True),
        replace(plain, status="ready"),
        replace(plain, status="expired"),
        replace(plain, content_type="image/png"),
        replace(plain, since=BEGIN + timedelta(seconds=101)),
        replace(plain, until=BEGIN + timedelta(seconds=101)),
        replace(plain, text="harb", tags=("sea",), status="uploaded"),
        *(replace(plain, text=text) for text in texts),
        *(replace(plain, tags=tag) for tag in tags),
    ]


async def test_every_filter_finds_what_the_twin_finds(
    folded: HandFolded, stories: Stories, conn: Conn
) -> None:
    ada, rows = await fill(folded, stories, conn)
    found = {}
    for wanted in filters(ada):
        page = await assets_page(conn, wanted, limit=50, after=None)
        assert page == page_of(rows, wanted, limit=50, after=None), wanted
        found[wanted.text, wanted.tags, wanted.trashed] = len(page)
    assert found["harb noon", (), False] == 1
    assert found[None, ("sea",), False] == 3
    assert found[None, (), True] == 1
    expired = await assets_page(conn, AssetFilter(owner_id=ada, status="expired"), limit=9, after=None)
    assert [row.error_code for row in expired] == ["expired"], "what was called off is nobody's picture"


async def test_every_order_holds_over_pages_of_any_size(
    folded: HandFolded, stories: Stories, conn: Conn
) -> None:
    ada, rows = await fill(folded, stories, conn)
    rows = [row for row in rows if row.title != "Übersee"]  # whose place is the database's collation
    for sort in get_args(SortKey):
        for descending in (True, False):
            wanted = AssetFilter(owner_id=ada, sort=sort, descending=descending)
            whole = [
                row for row in await assets_page(conn, wanted, limit=50, after=None) if row.title != "Übersee"
            ]
            assert whole == page_of(rows, wanted, limit=50, after=None), wanted
            for limit in (1, 3):
                # But for one that is in the trash, and one more that never came.
                assert len(await _by_pages(conn, wanted, limit)) == len(WORDS), wanted


async def _by_pages(conn: Conn, wanted: AssetFilter, limit: int) -> set[UUID]:
    """All pages one after the other; each row once, in the order of the whole list."""
    seen: list[UUID] = []
    after: AssetMark | None = None
    while page := await assets_page(conn, wanted, limit=limit, after=after):
        seen += [row.asset_id for row in page]
        after = mark_of(page[-1], wanted.sort)
    assert seen == [row.asset_id for row in await assets_page(conn, wanted, limit=50, after=None)]
    return set(seen)


async def test_a_search_goes_by_its_index(folded: HandFolded, stories: Stories, conn: Conn) -> None:
    ada, _ = await fill(folded, stories, conn)
    await conn.execute("set enable_seqscan = off")
    await conn.execute("set enable_indexscan = off")
    plan = await conn.execute(
        "explain select 1 from live.assets"
        " where array_to_tsvector(search || owner_id::text) @@ %s::tsquery and deleted_at is null",
        (f"'{ada}' & 'harb':*",),
    )
    assert "assets_found" in str(await plan.fetchall())


async def test_links_and_their_ends(folded: HandFolded, stories: Stories, conn: Conn) -> None:
    ada, ben, log = await stories.owner("ada"), await stories.owner("ben"), PlainLog(4)
    log.append(*stories.whole("sea", ada))
    common: dict[str, Any] = {"asset_id": stories.asset_id("sea"), "owner_id": ada, "actor_id": ada}
    one, two = an_id("link", 1), an_id("link", 2)
    for at, link_id in enumerate((one, two)):
        log.append(
            LinkIssued(
                event_id=an_id("issued", link_id),
                occurred_at=BEGIN + timedelta(minutes=at),
                link_id=link_id,
                variant="small",
                **common,
            )
        )
    log.append(LinkRevoked(event_id=an_id("revoked"), occurred_at=BEGIN, link_id=one, **common))
    folded.apply(list(log.records()))
    listed = await links.links_of(conn, owner_id=ada, asset_id=stories.asset_id("sea"))
    assert [(link.link_id, link.variant, link.revoked_at) for link in listed] == [(two, "small", None)]
    assert await links.links_of(conn, owner_id=ben, asset_id=stories.asset_id("sea")) == []
    gone = await links.link(conn, link_id=one)
    assert gone is not None
    assert gone.revoked_at == BEGIN
    log.append(stories.purged("sea", ada))
    folded.apply(list(log.records())[-1:])
    assert await links.link(conn, link_id=two) is None


async def test_the_history_names_causes_and_times_and_outlives_a_purge(
    folded: HandFolded, stories: Stories, conn: Conn
) -> None:
    ada, ben, log = await stories.owner("ada"), await stories.owner("ben"), PlainLog(4)
    asset_id = stories.asset_id("sea")
    log.append(*stories.whole("sea", ada), *stories.whole("sea", ada)[1:2], stories.purged("sea", ada))
    folded.apply(list(log.records()))
    steps = await history(conn, owner_id=ada, asset_id=asset_id, after=-1, limit=50)
    asked = stories.completed("sea", ada).event_id
    assert [(step.event_type, step.accepted) for step in steps] == [
        ("UploadRequested", True),
        ("UploadCompleted", True),
        ("ProcessingStarted", True),
        ("VariantsReady", True),
        ("UploadCompleted", False),
        ("AssetPurged", True),
    ]
    assert [step.caused_by for step in steps[2:4]] == [asked, asked]
    assert steps[0].since_before is None
    assert all(step.since_before is not None and step.since_before >= timedelta() for step in steps[1:])
    assert steps[3].data["cpu_ms"] == 90
    assert steps[3].data["encoder"]["pillow"] == "13.0.0"
    rest = await history(conn, owner_id=ada, asset_id=asset_id, after=steps[2].offset, limit=2)
    assert rest == steps[3:5]
    assert await history(conn, owner_id=ben, asset_id=asset_id, after=-1, limit=50) == []


async def test_the_trash_by_age(folded: HandFolded, stories: Stories, conn: Conn) -> None:
    await fill(folded, stories, conn)
    deleted = BEGIN + timedelta(hours=1)
    assert housekeeping.trashed(folded.conn, deleted, limit=10) == []
    (asset,) = housekeeping.trashed(folded.conn, deleted + timedelta(seconds=1), limit=10)
    assert (asset.asset_id, asset.version, asset.doomed) == (stories.asset_id(7), 3, False)
    assert asset.incoming_key.startswith("incoming/")

"""What becomes of the rows of an asset that is edited, shared, thrown away, worked on again."""

from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg import AsyncConnection

from adapters.settings import Settings
from projections.assets import queries as assets
from projections.links import queries as links
from schemas.events import AssetEvent
from tests.integration.projections.rows import HandFolded
from tests.unit.projections.later_stories import OTHER_PRESETS, Later
from tests.unit.projections.stories import BEGIN, PRESETS, PlainLog, Stories, an_id


class Told:
    """One asset, ready, and what becomes of it."""

    def __init__(self, folded: HandFolded, stories: Stories, owner: Any) -> None:
        self.folded, self.stories, self.owner = folded, stories, owner
        self.later = Later(stories, "sea", owner)
        self.log = PlainLog(4)
        self.tell(*stories.whole("sea", owner))

    def tell(self, *events: AssetEvent) -> None:
        """Each is folded by itself and accepted."""
        for event in events:
            known = {id(record) for record in self.log.records()}
            self.log.append(event)
            self.folded.apply([record for record in self.log.records() if id(record) not in known])
            assert [one.accepted for one in self.folded.folded[-1].applied] == [True], event

    def row(self, columns: str) -> tuple[Any, ...]:
        (found,) = self.folded.rows("live.assets", columns)
        return found

    def jobs(self, columns: str) -> list[tuple[Any, ...]]:
        return list(self.folded.rows("live.jobs", columns, "queued_at"))


@pytest.fixture
async def told(folded: HandFolded, stories: Stories) -> Told:
    return Told(folded, stories, await stories.owner("ada"))


async def conn_of(database: Settings) -> AsyncConnection[Any]:
    return await psycopg.AsyncConnection.connect(database.postgres.url.get_secret_value(), autocommit=True)


def test_edited_words_are_shown_and_found(told: Told) -> None:
    assert "title" in told.row("search")[0]
    told.tell(told.later.updated(2))
    assert told.row("title, tags, version") == ("Another", ["new"], 3)
    assert set(told.row("search")[0]) == {"#new", "a", "another", "jpg", "new"}


def test_the_trash_is_a_time_and_doom_is_for_good(told: Told) -> None:
    told.tell(told.later.deleted(2))
    assert told.row("deleted_at, doomed, status") == (BEGIN + timedelta(seconds=26), False, "ready")
    told.tell(told.later.deleted(3, code="expired"))
    assert told.row("doomed, version") == (True, 4)


def test_what_never_came_says_why(folded: HandFolded, stories: Stories, told: Told) -> None:
    folded.wipe()
    log = PlainLog(4)
    log.append(stories.requested("sea", told.owner), told.later.expired())
    folded.apply(log.records())
    assert told.row("status, error_kind, error_code, version") == ("expired", "expired", "expired", 1)


def test_a_set_that_was_replaced_is_kept_until_it_is_retired(told: Told) -> None:
    first = told.stories.ready("sea", told.owner)
    told.tell(told.later.asked_again(1, version=2), told.later.ready_again(1))
    assert told.row("preset_set, manifest_key, jsonb_array_length(variants)") == (
        OTHER_PRESETS,
        f"{first.manifest_key}-1",
        2,
    )
    assert told.row("kept")[0] == [
        {
            "job_id": str(first.job_id),
            "preset_set": PRESETS,
            "manifest_key": first.manifest_key,
            "superseded_at": (BEGIN + timedelta(seconds=22)).isoformat(),
        }
    ]
    told.tell(told.later.retired())
    assert told.row("kept")[0] == []


def test_what_later_work_has_to_be_told_stands_in_the_row(told: Told) -> None:
    key_id = told.stories.key_id(told.owner)
    assert told.row("data_key_id, sealed_digests, original_key") == (
        key_id,
        None,
        told.stories.original("sea"),
    )
    assert told.row("incoming_key")[0].startswith("incoming/")


def test_jobs_say_who_asked_for_them_and_in_which_order(told: Told) -> None:
    told.tell(
        told.later.asked_again(1, version=2, run_id=an_id("run")),
        told.later.asked_again(2, version=3, at=14),
        told.later.job_deleted(2, version=4),
    )
    assert told.jobs("nth, kind, lane, state, run_id") == [
        (1, "upload", "live", "completed", None),
        (2, "presets", "bulk", "queued", an_id("run")),
        (3, "presets", "bulk", "deleted", None),
    ]


async def test_a_link_stands_until_its_asset_is_purged(told: Told, database: Settings) -> None:
    told.tell(told.later.issued(2))
    async with await conn_of(database) as conn:
        asset_id, link_id = told.stories.asset_id("sea"), told.later.link_id()
        found = await links.link(conn, link_id=link_id)
        assert found == links.LinkRow(
            link_id=link_id,
            asset_id=asset_id,
            owner_id=told.owner,
            variant="small",
            issued_at=BEGIN + timedelta(seconds=24),
            expires_at=BEGIN + timedelta(days=7),
            revoked_at=None,
        )
        assert await links.links_of(conn, owner_id=told.owner, asset_id=asset_id) == [found]
        told.tell(told.later.revoked(3))
        assert await links.links_of(conn, owner_id=told.owner, asset_id=asset_id) == []
        told.tell(told.stories.purged("sea", told.owner))
        assert await links.link(conn, link_id=link_id) is None
        assert await assets.asset(conn, owner_id=told.owner, asset_id=asset_id) is None


def test_the_feed_tells_of_every_later_event(told: Told) -> None:
    log = PlainLog(4)
    told.folded.wipe()
    log.append(*told.stories.whole("sea", told.owner), *told.later.whole())
    told.folded.apply(log.records())
    rows = told.folded.rows("live.activity", "event_type, accepted, data - 'status'", '"offset"')[4:]
    assert [(name, accepted) for name, accepted, _ in rows] == [
        ("AssetUpdated", True),
        ("VariantsRequested", True),
        ("ProcessingStarted", True),
        ("VariantsReady", True),
        ("LinkIssued", True),
        ("AssetDeleted", True),
        ("AssetRestored", True),
        ("LinkRevoked", True),
        ("VariantsRequested", True),
        ("JobDeleted", True),
        ("VariantsRetired", True),
        ("RecordDiscarded", False),
        ("UploadExpired", False),
    ]
    data = {name: facts for name, _, facts in rows}
    assert data["AssetUpdated"] == {"changed": ["title", "tags"]}
    assert data["VariantsReady"]["encoder"]["pillow"] == "13.0.0"
    assert data["VariantsRequested"]["run_id"] == str(an_id("run"))
    assert data["LinkIssued"]["link_id"] == str(told.later.link_id())
    assert data["RecordDiscarded"]["component"] == "projector"

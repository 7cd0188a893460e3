"""The audit tells what both logs say, in one order, however it is asked."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from itertools import pairwise, product
from typing import Any

import psycopg
import pytest

from adapters.settings import Settings
from projections.audit.queries import AuditFilter, AuditMark, AuditRow, audit_page, mark_of
from schemas.events import AssetEvent, IdentityEvent
from tests.integration.projections.rows import HandFolded
from tests.unit.api.fake_audit import sifted
from tests.unit.projections.account_stories import AccountStories, Person
from tests.unit.projections.stories import PlainLog, Stories, an_id

PARTITIONS = 4
OUTCOMES = ("ProcessingStarted", "VariantsReady", "ProcessingFailed")
CANARY = "canary@example.org"
ALL = 1000

Conn = psycopg.AsyncConnection[Any]


@dataclass(frozen=True, kw_only=True)
class Told:
    """Two people with accounts and assets, and somebody who acts on an asset that is not theirs."""

    ada: Person
    ben: Person
    stories: Stories
    of_accounts: list[IdentityEvent]
    of_assets: list[AssetEvent]


@pytest.fixture
async def told(database: Settings) -> Told:
    """Folded by both loops."""
    people = AccountStories()
    stories = Stories(CANARY, people.keys)
    ada, ben = await people.person(CANARY), await people.person("ben")
    for who in (ada, ben):
        await stories.known(who.user_id)
    of_accounts = [*people.whole(ada), *people.whole(ben)]
    of_assets: list[AssetEvent] = []
    for number in range(12):
        of_assets += stories.whole(number, (ada, ben)[number % 2].user_id)
    of_assets += [
        stories.requested("bad", ada.user_id),
        stories.completed("bad", ada.user_id),
        stories.started("bad", ada.user_id),
        stories.failed("bad", ada.user_id),
        stories.purged(0, ada.user_id),
        replace(stories.purged(1, ben.user_id), actor_id=ada.user_id),
        replace(stories.purged(2, ada.user_id), actor_id=an_id("operator")),
    ]
    _fold(HandFolded(database, people.keys, PARTITIONS), of_assets)
    _fold(HandFolded(database, people.keys, PARTITIONS, loop="identity"), of_accounts)
    return Told(ada=ada, ben=ben, stories=stories, of_accounts=of_accounts, of_assets=of_assets)


def _fold(models: HandFolded, events: Sequence[AssetEvent | IdentityEvent]) -> None:
    log = PlainLog(PARTITIONS)
    log.append(*events)
    models.begin_anew()
    models.apply(log.records())
    models.close()


@pytest.fixture
async def conn(database: Settings) -> AsyncIterator[Conn]:
    url = database.postgres.url.get_secret_value()
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as found:
        yield found


async def every_row(conn: Conn) -> list[AuditRow]:
    """What is told without being asked for, and what is not."""
    found = await audit_page(conn, AuditFilter(), limit=ALL)
    for action in OUTCOMES:
        found += await audit_page(conn, AuditFilter(action=action), limit=ALL)
    return found


async def test_both_logs_are_one_order_without_how_jobs_went(told: Told, conn: Conn) -> None:
    rows = await audit_page(conn, AuditFilter(), limit=ALL)
    people_did = [event for event in told.of_assets if hasattr(event, "actor_id")]
    assert {row.event_id for row in rows} == {event.event_id for event in (*told.of_accounts, *people_did)}
    assert len(rows) == len(told.of_accounts) + len(people_did)
    marks = [mark_of(row) for row in rows]
    assert marks == sorted(marks, reverse=True)
    # The one order was put to the test: both logs have records of the same instants, in several partitions.
    assert len({row.log_time for row in rows}) < len(rows) / 2
    assert any(one.log_time == next_.log_time and one.log != next_.log for one, next_ in pairwise(rows))


@pytest.mark.parametrize("size", [1, 2, 7])
async def test_pages_of_any_size_are_the_whole(told: Told, conn: Conn, size: int) -> None:
    whole = await audit_page(conn, AuditFilter(), limit=ALL)
    assert whole
    paged: list[AuditRow] = []
    before: AuditMark | None = None
    while page := await audit_page(conn, AuditFilter(), limit=size, before=before):
        paged += page
        before = mark_of(page[-1])
    assert paged == whole
    del told


async def test_every_filter_finds_what_looking_at_each_row_finds(told: Told, conn: Conn) -> None:
    rows = await every_row(conn)
    in_order = sorted(rows, key=mark_of)
    middle, last = in_order[len(rows) // 2], in_order[-1]
    later = middle.log_time + timedelta(milliseconds=10)
    ada, ben, operator = told.ada.user_id, told.ben.user_id, an_id("operator")
    asset, foreign = told.stories.asset_id(0), told.stories.asset_id(1)
    counted = 0
    for actor, subject, action, (since, until, before) in product(
        (None, ada, operator, an_id("nobody")),
        (None, ada, ben, asset, foreign, an_id("nobody")),
        (None, "UploadCompleted", "AssetPurged", "RoleChanged", "VariantsReady", "ProcessingFailed", "Never"),
        (
            (None, None, None),
            (middle.log_time, later, None),
            (None, None, mark_of(middle)),
            (None, later, mark_of(last)),
        ),
    ):
        wanted = AuditFilter(actor_id=actor, subject_id=subject, action=action, since=since, until=until)
        expected = sifted(rows, wanted, limit=9, before=before)
        assert await audit_page(conn, wanted, limit=9, before=before) == expected, wanted
        counted += bool(expected)
    assert counted > 100


async def test_an_entry_names_who_whose_what_and_nothing_personal(told: Told, conn: Conn) -> None:
    rows = await every_row(conn)
    by_id = {row.event_id: row for row in rows}
    bad = told.stories.asset_id("bad")
    assert CANARY not in str(rows)
    assert "Title" not in str(rows)
    purged = by_id[told.stories.purged(1, told.ben.user_id).event_id]
    assert (purged.log, purged.actor_id, purged.owner_id) == ("assets", told.ada.user_id, told.ben.user_id)
    assert (purged.subject_id, purged.code, purged.data) == (
        told.stories.asset_id(1),
        "erased",
        {"status": "purged"},
    )
    requested = by_id[told.stories.requested("bad", told.ada.user_id).event_id]
    assert (requested.data["method"], requested.correlation_id) == ("form", an_id(bad))
    failed = by_id[told.stories.failed("bad", told.ada.user_id).event_id]
    assert (failed.actor_id, failed.job_id, failed.code) == (None, told.stories.job_id("bad"), "truncated")
    assert (failed.data["kind"], failed.data["attempt"]) == ("refused", 1)
    role = by_id[told.of_accounts[4].event_id]
    assert (role.log, role.subject_id, role.owner_id) == ("identity", told.ada.user_id, told.ada.user_id)


async def test_times_at_the_end_of_the_calendar_are_times(told: Told, conn: Conn) -> None:
    first = datetime.min.replace(tzinfo=timezone(timedelta(hours=14)))
    last = datetime.max.replace(tzinfo=timezone(-timedelta(hours=12)))
    whole = await audit_page(conn, AuditFilter(), limit=ALL)
    assert await audit_page(conn, AuditFilter(since=first, until=last), limit=ALL) == whole
    assert await audit_page(conn, AuditFilter(since=last), limit=ALL) == []
    assert await audit_page(conn, AuditFilter(until=first), limit=ALL) == []
    del told

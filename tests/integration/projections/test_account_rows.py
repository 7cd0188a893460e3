"""What the read models of the identity log say, and what the doors ask them."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from adapters.settings import Settings
from ops.erasures import rows
from projections.account_activity import queries as activity
from projections.accounts import queries as accounts
from projections.api_keys import queries as api_keys
from projections.audit.queries import AuditFilter, audit_page
from projections.erasures import queries as erasures
from projections.sessions import queries as sessions
from schemas.events import IdentityEvent
from tests.integration.projections.rows import HandFolded
from tests.unit.projections.account_stories import AccountStories, Person
from tests.unit.projections.stories import PlainLog

PARTITIONS = 4
CANARY = "canary@example.org"


@pytest.fixture
def people() -> AccountStories:
    return AccountStories()


@pytest.fixture
def models(database: Settings, people: AccountStories) -> Iterator[HandFolded]:
    """Empty read models of the identity log."""
    found = HandFolded(database, people.keys, PARTITIONS, loop="identity")
    found.begin_anew()
    yield found
    found.close()


@pytest.fixture
async def conn(database: Settings) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    url = database.postgres.url.get_secret_value()
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as found:
        yield found


class Told:
    """A log in memory, each event applied as it is told."""

    def __init__(self, models: HandFolded) -> None:
        self.models = models
        self.log = PlainLog(PARTITIONS)

    def __call__(self, *events: IdentityEvent) -> None:
        before = [len(partition) for partition in self.log.partitions]
        self.log.append(*events)
        new = [part[start:] for part, start in zip(self.log.partitions, before, strict=True)]
        self.models.apply([record for part in new for record in part])


@pytest.fixture
def tell(models: HandFolded) -> Told:
    return Told(models)


async def test_an_account_as_the_doors_see_it(
    tell: Told, people: AccountStories, conn: psycopg.AsyncConnection[Any]
) -> None:
    ada, eve = await people.person("ada"), await people.person("ada", 1)
    tell(people.registered(ada), people.registered(eve))
    account = await accounts.account_by_key(conn, ada.account_key)
    assert account is not None
    assert (account.user_id, account.role, account.version) == (ada.user_id, "user", 1)
    assert (account.address, account.password_hash) == ("ada", "hash of ada")
    assert (account.data_key_id, account.registered_at) == (ada.data_key_id, people.moment(0))
    assert await accounts.account_by_user(conn, ada.user_id) == account
    assert await accounts.account_by_user(conn, eve.user_id) is None
    tell(people.role(ada, 1), people.password(ada, 2), people.password(ada, 3, code="rehashed"))
    account = await accounts.account_by_key(conn, ada.account_key)
    assert account is not None
    assert (account.role, account.version, account.password_hash) == ("admin", 3, "hash rehashed at 3")


async def test_accounts_are_paged_newest_first(
    tell: Told, people: AccountStories, conn: psycopg.AsyncConnection[Any]
) -> None:
    everybody = [await people.person(f"person {number}") for number in range(5)]
    tell(*(people.registered(who, at=number) for number, who in enumerate(everybody)))
    tell(people.role(everybody[2], 1))
    first = await accounts.accounts_page(conn, limit=3)
    rest = await accounts.accounts_page(conn, limit=3, before=(first[-1].registered_at, first[-1].user_id))
    assert [row.address for row in (*first, *rest)] == [f"person {number}" for number in (4, 3, 2, 1, 0)]
    assert [row.address for row in await accounts.accounts_page(conn, limit=9, role="admin")] == ["person 2"]


async def test_sessions_go_and_end_as_the_log_says(
    tell: Told, people: AccountStories, conn: psycopg.AsyncConnection[Any]
) -> None:
    ada = await people.person("ada")
    tell(*people.whole(ada))
    everything = await sessions.sessions_of(conn, ada.user_id)
    told = {row.session_id: (row.presented, row.revoked_code) for row in everything}
    assert told == {
        people.session_id(ada, "phone"): (1, None),
        people.session_id(ada, "laptop"): (-1, "logout"),
        people.session_id(ada, "tablet"): (-1, "password"),
    }
    (phone,) = await sessions.sessions_of(conn, ada.user_id, live_at=people.moment(60))
    assert (phone.session_id, phone.refreshed_at) == (people.session_id(ada, "phone"), people.moment(2))
    assert await sessions.sessions_of(conn, ada.user_id, live_at=phone.expires_at) == []


async def test_how_a_session_stands(
    tell: Told, people: AccountStories, conn: psycopg.AsyncConnection[Any]
) -> None:
    """Known, not known yet, of somebody erased: a door must tell them apart."""
    ada, ben = await people.person("ada"), await people.person("ben")
    tell(people.registered(ada), people.started(ada), people.role(ada, 1), people.registered(ben))
    session_id = people.session_id(ada, 0)
    known = await sessions.standing(conn, session_id=session_id, user_id=ada.user_id)
    assert known.session is not None
    assert (known.session.session_id, known.session.user_id) == (session_id, ada.user_id)
    assert (known.role, known.version, known.erased) == ("admin", 2, False)
    foreign = await sessions.standing(conn, session_id=session_id, user_id=ben.user_id)
    assert (foreign.session, foreign.role, foreign.erased) == (None, "user", False)
    nobody = await sessions.standing(conn, session_id=session_id, user_id=uuid4())
    assert (nobody.session, nobody.role, nobody.version, nobody.erased) == (None, None, None, False)
    tell(people.erased(ada, 2))
    erased = await sessions.standing(conn, session_id=session_id, user_id=ada.user_id)
    assert (erased.session, erased.role, erased.version, erased.erased) == (None, None, None, True)


async def test_api_keys_are_found_by_prefix(
    tell: Told, people: AccountStories, conn: psycopg.AsyncConnection[Any]
) -> None:
    ada = await people.person("ada")
    tell(*people.whole(ada))
    (first,) = await api_keys.keys_by_prefix(conn, "pppfirst")
    assert (first.key_id, first.user_id, first.role) == (people.key_id(ada, "first"), ada.user_id, "admin")
    assert (first.name, first.scopes, first.hash) == (
        "key first of ada",
        ("assets:read",),
        people.key_issued(ada, "first").hash,
    )
    assert first.revoked_at == people.moment(7)
    assert {row.name for row in await api_keys.keys_of(conn, ada.user_id)} == {
        "key first of ada",
        "key second of ada",
    }
    assert await api_keys.keys_by_prefix(conn, "nobodys!") == []


async def test_an_erasure_clears_every_row_and_the_address_is_free(
    tell: Told, people: AccountStories, models: HandFolded, conn: psycopg.AsyncConnection[Any]
) -> None:
    ada, eve, next_one = [await people.person(CANARY, nth) for nth in range(3)]
    tell(*people.whole(ada), people.registered(eve))
    assert CANARY in str(models.dump())
    erasure = people.erased(ada, 3)
    tell(erasure)
    assert CANARY not in str(models.dump())
    assert models.rows("accounts_v1.accounts") == []
    assert models.rows("sessions_v1.sessions") == []
    assert models.rows("api_keys_v1.api_keys") == []
    (pending,) = rows.under_way(models.conn)
    assert (pending.erasure_id, pending.user_id, pending.lost) == (
        erasure.event_id,
        ada.user_id,
        (eve.user_id,),
    )
    tell(people.registered(next_one, at=20), people.completed(ada, erasure, at=30))
    account = await accounts.account_by_key(conn, ada.account_key)
    assert account is not None
    assert (account.user_id, account.version) == (next_one.user_id, 1)
    assert rows.under_way(models.conn) == []
    done = await erasures.erasure(conn, erasure.event_id)
    assert done is not None
    assert (done.completed_at, done.receipt) == (people.moment(30), b"receipt")
    assert [done] == rows.every(models.conn, 5) == rows.of_user(models.conn, ada.user_id)


async def test_what_is_sealed_with_an_erased_key_is_null(
    tell: Told, people: AccountStories, conn: psycopg.AsyncConnection[Any]
) -> None:
    ada = await people.person("ada")
    registration = people.registered(ada)
    people.keys.erase(ada.user_id)  # type: ignore[attr-defined]  # the twin's own
    tell(registration)
    account = await accounts.account_by_key(conn, ada.account_key)
    assert account is not None
    assert (account.address, account.password_hash) == (None, None)


async def test_audit_tells_everything_and_nothing_personal(
    tell: Told, people: AccountStories, models: HandFolded, conn: psycopg.AsyncConnection[Any]
) -> None:
    ada, eve = await people.person(CANARY), await people.person(CANARY, 1)
    told = [*people.whole(ada), people.registered(eve)]
    tell(*told)
    (table,) = (name for name in models.tables if "activity" in name)
    assert CANARY not in str(models.dump(table))
    feed = await audit_page(conn, AuditFilter(), limit=100)
    assert [row.event_id for row in reversed(feed)] == [event.event_id for event in told]
    assert [row.accepted for row in reversed(feed)] == [True] * (len(told) - 1) + [False]
    by_type = {row.event_type: row for row in feed}
    assert by_type["RoleChanged"].data == {"role": "admin"}
    assert by_type["SessionRevoked"].code == "logout"
    assert by_type["ApiKeyIssued"].data == {"scopes": ["assets:read"]}
    assert all(row.correlation_id is not None for row in feed)
    verdict = await activity.by_event_id(conn, eve.registration)
    assert verdict is not None
    assert (verdict.accepted, verdict.user_id, verdict.version) == (False, eve.user_id, None)
    assert await activity.by_event_id(conn, uuid4()) is None


async def test_what_closes_doors_is_told_in_its_order(
    tell: Told, people: AccountStories, models: HandFolded, conn: psycopg.AsyncConnection[Any]
) -> None:
    ada = await people.person("ada")
    topic = models.loop.topic
    tell(*people.whole(ada), people.refreshed(ada, 0, "phone", at=50))
    found = await activity.revocations(conn, topic=topic, after={})
    assert [(one.event_type, one.session_id, one.key_id, one.version) for one in found] == [
        ("SessionRevoked", people.session_id(ada, "laptop"), None, 1),
        ("RoleChanged", None, None, 2),
        ("PasswordChanged", people.session_id(ada, "phone"), None, 3),
        ("ApiKeyRevoked", None, people.key_id(ada, "first"), 3),
        ("SessionRefreshed", people.session_id(ada, "phone"), None, 3),
    ]
    last = found[-1]
    seen = {last.partition: last.offset}
    assert await activity.revocations(conn, topic=topic, after=seen) == []
    tell(people.revoked(ada, "phone"), people.role(ada, 1), people.erased(ada, 3))
    (erased,) = await activity.revocations(conn, topic=topic, after=seen)
    assert (erased.event_type, erased.user_id, erased.version) == ("SubjectErased", ada.user_id, None)
    assert await activity.revocations(conn, topic="another", after={}) == []
    late = last.log_time + timedelta(days=365 * 50)
    assert await activity.revocations(conn, topic=topic, after={}, since=late) == []
    assert len(await activity.revocations(conn, topic=topic, after={}, limit=2)) == 2


async def test_rows_of_one_account_never_touch_anothers(
    tell: Told, people: AccountStories, models: HandFolded
) -> None:
    """Even where somebody contrived the same session id for both."""

    def with_session(who: Person) -> list[IdentityEvent]:
        started = people.started(who)
        same = type(started)(
            **{name: getattr(started, name) for name in started.__slots__ if name != "session_id"},
            session_id=people.session_id(ada, 0),
        )
        return [people.registered(who), same]

    ada, ben = await people.person("ada"), await people.person("ben")
    tell(*with_session(ada))
    tell(*with_session(ben))
    tell(people.erased(ben))
    assert models.rows("sessions_v1.sessions", "account_key") == [(ada.account_key,)]

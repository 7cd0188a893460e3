"""A15: what is taken back is denied until everything that it could meet is out of date."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from adapters.clock import FixedClock
from api.credentials.access_tokens import Access
from api.credentials.denials import Denials

NOW = datetime(2026, 5, 17, 8, 9, 10, tzinfo=UTC)
LIFE = timedelta(minutes=15)


def access(user_id: UUID, session_id: UUID, version: int = 1) -> Access:
    begins = int(NOW.timestamp())
    return Access(
        user_id=user_id,
        session_id=session_id,
        role="user",
        version=version,
        position="",
        issued_at=begins,
        expires_at=begins + 900,
    )


def denials() -> tuple[Denials, FixedClock]:
    clock = FixedClock(NOW)
    return Denials(clock=clock, life=LIFE), clock


def test_a_session_that_ended_is_denied_and_no_other() -> None:
    held, _ = denials()
    user, session = uuid4(), uuid4()
    held.session_ended(session)
    assert held.denies(access(user, session))
    assert held.denies_session(session, user)
    assert not held.denies(access(user, uuid4()))


def test_a_change_voids_what_is_older_but_for_the_session_that_made_it() -> None:
    held, _ = denials()
    user, kept, other = uuid4(), uuid4(), uuid4()
    held.account_changed(user, version=2, kept=kept)
    assert held.denies(access(user, other, 1))
    assert not held.denies(access(user, kept, 1))
    assert not held.denies(access(user, other, 2))
    assert not held.denies(access(uuid4(), other, 1))
    assert held.outdated(user, 1)
    assert not held.denies_session(other, user)  # the session's own end, if it has one, is said apart


def test_each_change_counts_by_itself() -> None:
    """A role that changed voids the session that had changed the password before, and after, too."""
    held, _ = denials()
    user, kept = uuid4(), uuid4()
    held.account_changed(user, version=2, kept=None)
    held.account_changed(user, version=3, kept=kept)
    assert held.denies(access(user, kept, 1))
    assert not held.denies(access(user, kept, 2))
    assert held.denies(access(user, uuid4(), 2))


def test_of_an_account_that_ended_nothing_holds() -> None:
    held, _ = denials()
    user = uuid4()
    held.account_ended(user)
    assert held.denies(access(user, uuid4(), 1_000_000))
    assert held.denies_session(uuid4(), user)
    assert held.outdated(user, 1_000_000)


def test_a_key_is_denied_by_its_id() -> None:
    held, _ = denials()
    key = uuid4()
    held.key_ended(key)
    assert held.denies_key(key)
    assert not held.denies_key(uuid4())


def test_entries_last_as_long_as_what_they_deny_and_no_longer() -> None:
    held, clock = denials()
    user = uuid4()
    for _ in range(2):
        held.session_ended(UUID(int=1))
        held.key_ended(UUID(int=2))
        held.account_changed(user, version=2, kept=None)
    assert len(held) == 3
    clock.advance(LIFE)
    held.forget()
    assert len(held) == 3
    clock.advance(timedelta(minutes=1, seconds=1))
    held.forget()
    assert len(held) == 0
    assert not held.denies(access(user, UUID(int=1)))

"""The account's fold, one rule a test."""

import dataclasses
from uuid import UUID, uuid4

import pytest

from schemas.account import MOST_SESSIONS, evolve, fold
from schemas.identity import GENERATIONS, refresh_id, user_id_of
from schemas.presentations import MOST, was_seen, with_seen
from tests.unit.schemas.account_events import (
    LIFETIME,
    at,
    completed,
    deaf_to,
    erased,
    folded,
    key_id,
    key_issued,
    key_revoked,
    life_of,
    password,
    refreshed,
    registered,
    revoked,
    role,
    session_id,
    session_of,
    started,
    user,
)

REGISTERED = folded([registered()])
LOGGED_IN = folded([started(0), started(1)], REGISTERED)
BELONGING = (
    started(),
    refreshed(0),
    revoked(),
    password(),
    role(),
    key_issued(),
    key_revoked(),
    erased(),
)


def test_who_registers_first_has_the_account() -> None:
    life = life_of(REGISTERED)
    event = registered()
    assert (life.user_id, life.role, life.version, life.registered_at) == (user(), "user", 1, at(0))
    assert (life.sealed_address, life.sealed_password_hash, life.data_key_id) == (
        event.sealed_address,
        event.sealed_password_hash,
        event.data_key_id,
    )


def test_who_registers_second_has_lost_and_is_remembered() -> None:
    verdict = fold(REGISTERED, registered(1))
    assert not verdict.accepted
    assert verdict.state is not None
    assert (verdict.state.life, verdict.state.lost) == (REGISTERED.life, (user(1),))
    assert fold(None, registered()).accepted


def test_a_registration_that_is_repeated_changes_nothing_in_any_life() -> None:
    contested = folded([registered(1)], REGISTERED)
    assert deaf_to(contested, registered(0), registered(1))
    again = folded([erased(), registered(2)], contested)
    assert life_of(again).user_id == user(2)
    assert deaf_to(again, registered(0), registered(1), registered(2))
    assert deaf_to(folded([erased()], contested), registered(0), registered(1))


def test_a_user_id_that_is_not_the_events_own_is_a_forgery() -> None:
    assert evolve(None, registered(user_id=user(7))) is None
    assert deaf_to(folded([erased()], REGISTERED), registered(1, user_id=user(0)))


def test_nothing_happens_to_an_account_that_nobody_has() -> None:
    for event in BELONGING:
        assert evolve(None, event) is None
    assert deaf_to(folded([erased()], REGISTERED), *BELONGING)


def test_what_is_about_another_account_or_person_is_not_ours() -> None:
    state = folded([key_issued()], LOGGED_IN)
    for event in BELONGING:
        assert deaf_to(state, dataclasses.replace(event, account_key="0" * 64))
        assert deaf_to(state, dataclasses.replace(event, user_id=uuid4()))
    assert deaf_to(state, registered(1, account_key="0" * 64))


def test_a_session_starts_once() -> None:
    session = session_of(LOGGED_IN)
    assert (session.kind, session.started_at, session.expires_at) == ("login", at(1), at(1) + LIFETIME)
    assert (session.presented, session.revoked_code) == (-1, None)
    assert deaf_to(LOGGED_IN, started(0), started(0, 9))


def test_a_login_decided_on_another_version_does_not_begin() -> None:
    """Who proved the old password must not come in after it was changed."""
    changed = folded([password()], LOGGED_IN)
    assert deaf_to(changed, started(2, expected_version=1))
    assert session_of(folded([started(2, expected_version=2)], changed), 2).revoked_code is None


def test_each_generation_is_presented_in_its_turn() -> None:
    first = folded([refreshed(0, minute=2)], LOGGED_IN)
    assert (session_of(first).presented, session_of(first).refreshed_at) == (0, at(2))
    later = folded([refreshed(1, minute=5), refreshed(4, minute=6)], first)
    assert (session_of(later).presented, session_of(later).refreshed_at) == (4, at(6))
    assert session_of(later, 1) == session_of(LOGGED_IN, 1)


def test_a_lost_answer_is_given_again() -> None:
    """The predecessor may be presented until its successor is."""
    presented = folded([refreshed(0)], LOGGED_IN)
    again = session_of(folded([refreshed(0, minute=9)], presented))
    assert (again.presented, again.refreshed_at, again.revoked_code) == (0, at(2), None)


def test_an_older_generation_is_reuse_and_ends_the_session() -> None:
    moved_on = folded([refreshed(0), refreshed(1)], LOGGED_IN)
    stolen = folded([refreshed(0, minute=8)], moved_on)
    assert (session_of(stolen).revoked_code, session_of(stolen).revoked_at) == ("reuse", at(8))
    assert session_of(stolen, 1).revoked_code is None
    assert deaf_to(stolen, refreshed(2), refreshed(0, minute=9), revoked())


def test_a_late_repeat_of_a_presentation_is_no_reuse() -> None:
    """Of one that counted, and of one that came while the generation was still the highest."""
    first, again = refreshed(0), refreshed(0, minute=5)
    moved_on = folded([first, again, refreshed(1)], LOGGED_IN)
    assert deaf_to(moved_on, first, again, refreshed(1))


def test_what_another_door_says_late_under_the_generations_id_is_no_reuse() -> None:
    own = refresh_id(session_id(), 0)
    moved_on = folded([refreshed(0, event_id=own), refreshed(1)], LOGGED_IN)
    assert deaf_to(moved_on, refreshed(0, minute=50, event_id=own))


def test_what_is_too_old_to_be_told_from_a_repeat_ends_nothing() -> None:
    story = [refreshed(generation) for generation in range(MOST + 10)]
    state = folded(story, LOGGED_IN)
    assert len(session_of(state).seen) == MOST * 12
    assert session_of(state).forgotten_below == 10
    assert deaf_to(state, *story, refreshed(9, minute=8))
    assert session_of(folded([refreshed(10, minute=8)], state)).revoked_code == "reuse"
    stubborn = folded([refreshed(0, minute=minute) for minute in range(MOST + 10)], LOGGED_IN)
    assert deaf_to(stubborn, refreshed(0, minute=999))
    assert session_of(folded([refreshed(1)], stubborn)).presented == 1


@pytest.mark.parametrize("generation", [-1, -(2**63), GENERATIONS, 2**63 - 1])
def test_generations_that_no_token_has_are_ignored(generation: int) -> None:
    presented = folded([refreshed(3)], LOGGED_IN)
    assert deaf_to(presented, refreshed(0, presented_generation=generation))


def test_a_revoked_session_never_comes_back() -> None:
    ended = folded([refreshed(0), revoked(minute=7, code="admin")], LOGGED_IN)
    assert (session_of(ended).revoked_code, session_of(ended).revoked_at) == ("admin", at(7))
    assert deaf_to(ended, started(0), refreshed(1), revoked(), revoked(code="logout"), revoked(session=9))


def test_a_changed_password_ends_all_sessions_but_the_one_that_changed_it() -> None:
    changed = folded([revoked(1), started(2), password(keep=2, minute=9)], LOGGED_IN)
    life = life_of(changed)
    assert (life.version, life.sealed_password_hash) == (2, b"hash 9")
    assert [(one.revoked_code, one.revoked_at) for one in life.sessions] == [
        ("password", at(9)),
        ("logout", at(3)),
        (None, None),
    ]
    everybody = folded([password()], LOGGED_IN)
    assert {one.revoked_code for one in life_of(everybody).sessions} == {"password"}


def test_a_password_hashed_anew_ends_no_session_and_changes_no_version() -> None:
    anew = folded([password(code="rehashed", minute=9)], LOGGED_IN)
    assert (life_of(anew).version, life_of(anew).sealed_password_hash) == (1, b"hash 9")
    assert life_of(anew).sessions == life_of(LOGGED_IN).sessions


def test_an_old_hash_never_comes_back() -> None:
    """Neither by a late change, nor by a late rehash of the old password, nor by a repeat of either (R09)."""
    first, rehash = password(1, 4), password(1, 5, code="rehashed")
    state = folded([rehash, first, password(2, 6)], LOGGED_IN)
    assert life_of(state).sealed_password_hash == b"hash 6"
    assert deaf_to(state, first, rehash, password(2, 6), password(2, 7), password(None, 8))
    twice = folded([rehash, password(1, 7, code="rehashed")], LOGGED_IN)
    assert deaf_to(twice, rehash)


def test_an_old_role_never_comes_back() -> None:
    """Nor is the first administrator made again by a repeat (A25)."""
    promotion, demotion = role(1, "admin"), role(2, "user", minute=6)
    state = folded([promotion, demotion], LOGGED_IN)
    assert (life_of(state).role, life_of(state).version) == ("user", 3)
    assert deaf_to(state, promotion, demotion, role(2, "admin"), role(4, "admin"), role(None, "admin"))
    assert life_of(state).sessions == life_of(LOGGED_IN).sessions


def test_api_keys_are_issued_and_revoked_once() -> None:
    issued = folded([key_issued(0), key_issued(1, prefix="other")], REGISTERED)
    key = life_of(issued).api_key(key_id(0))
    assert key is not None
    assert (key.prefix, key.scopes, key.issued_at, key.revoked_at) == (
        key_issued().prefix,
        ("assets:read", "assets:write"),
        at(6),
        None,
    )
    gone = folded([key_revoked(0)], issued)
    assert [one.revoked_at for one in life_of(gone).api_keys] == [at(7), None]
    assert deaf_to(gone, key_issued(0), key_revoked(0, 99), key_revoked(5))
    assert life_of(folded([password()], issued)).api_keys == life_of(issued).api_keys


def test_erasure_ends_the_life_and_leaves_nothing_of_whose_it_was() -> None:
    state = folded([registered(1), key_issued(), erasure := erased()], LOGGED_IN)
    assert (state.life, state.lost) == (None, ())
    (one,) = state.erased
    assert (one.user_id, one.erasure_id, one.lost) == (user(), erasure.event_id, (user(1),))
    assert (one.requested_at, one.completed_at, one.receipt) == (at(8), None, None)
    assert b"address" not in repr(state).encode()
    assert deaf_to(state, erasure)


@pytest.mark.parametrize("version", [None, 0, 2, -1])
def test_an_erasure_decided_on_another_version_is_ignored(version: int | None) -> None:
    assert deaf_to(LOGGED_IN, erased(version))


def test_the_address_is_free_after_an_erasure_and_inherits_nothing() -> None:
    state = folded([key_issued(), role(), erased(2), registered(1, 20)], LOGGED_IN)
    life = life_of(state)
    assert (life.user_id, life.role, life.version) == (user(1), "user", 1)
    assert (life.sessions, life.api_keys) == ((), ())
    assert deaf_to(state, *BELONGING, erased(2), role(1), password(1))


def test_an_erasure_is_completed_once_and_by_its_own_id() -> None:
    state = folded([erasure := erased()], LOGGED_IN)
    assert deaf_to(state, completed(erased(7)), completed(erasure, number=1))
    done = folded([registered(1, 20), completed(erasure, 30)], state)
    (one,) = done.erased
    assert (one.completed_at, one.receipt) == (at(30), b"receipt")
    assert life_of(done).user_id == user(1)
    assert deaf_to(done, completed(erasure, 31, receipt=b"another"))


def test_what_expired_long_ago_is_left_out_and_does_not_come_back() -> None:
    days = 24 * 60
    later = folded([revoked(0), started(2, 36 * days)], LOGGED_IN)
    assert {one.session_id for one in life_of(later).sessions} == {session_id(n) for n in range(3)}
    much_later = folded([started(3, 38 * days)], later)
    assert [one.session_id for one in life_of(much_later).sessions] == [session_id(2), session_id(3)]
    assert deaf_to(much_later, started(0), started(1), refreshed(0), revoked(1))


def test_one_session_too_many_ends_the_oldest() -> None:
    """And of those that are over some are left out, so that a state has an end."""
    full = folded([started(number, number) for number in range(MOST_SESSIONS)], REGISTERED)
    assert all(one.revoked_code is None for one in life_of(full).sessions)
    more = folded([one_more := started(MOST_SESSIONS, MOST_SESSIONS)], full)
    assert (session_of(more).revoked_code, session_of(more).revoked_at) == ("limit", one_more.occurred_at)
    assert session_of(more, 1).revoked_code is None
    again = folded([started(MOST_SESSIONS + 1, MOST_SESSIONS + 1)], more)
    assert life_of(again).session(session_id(0)) is None
    assert session_of(again, 1).revoked_code == "limit"
    assert session_of(again, 2).revoked_code is None
    assert len(life_of(again).sessions) == MOST_SESSIONS + 1
    assert deaf_to(again, started(0, 0), started(1, 1), refreshed(0))


def test_those_that_were_ended_make_room_first() -> None:
    full = folded([started(number, number) for number in range(MOST_SESSIONS)], REGISTERED)
    roomy = folded([revoked(500), revoked(700), started(MOST_SESSIONS, MOST_SESSIONS)], full)
    assert life_of(roomy).session(session_id(500)) is None
    assert session_of(roomy, 700).revoked_code == "logout"
    assert session_of(roomy, 0).revoked_code is None
    assert deaf_to(roomy, started(500, 500), started(499, 499))
    assert not deaf_to(roomy, started(9_000, MOST_SESSIONS))


def test_times_at_the_end_of_time_harm_nobody() -> None:
    for_ever = at(0).replace(year=9999)
    long_ago = at(0).replace(year=2)
    state = folded([started(5, expires_at=for_ever), started(6, expires_at=long_ago), started(7)], REGISTERED)
    assert [one.session_id for one in life_of(state).sessions] == [session_id(5), session_id(7)]


def test_ids_are_of_their_kind_alone() -> None:
    same = uuid4()
    assert len({user_id_of(same), refresh_id(same, 0), refresh_id(same, 1), same}) == 4
    assert user_id_of(same) == user_id_of(same)
    assert (user_id_of(same).version, refresh_id(same, 7).version) == (8, 8)


def test_a_mark_is_found_where_it_begins_and_nowhere_else() -> None:
    ids = [UUID(int=number) for number in (0, 1 << 32, 1 << 56, 2**64 - 1)]
    seen = b""
    for generation, event_id in enumerate(ids):
        assert not was_seen(seen, generation, event_id)
        seen, _ = with_seen(seen, generation, event_id)
        assert was_seen(seen, generation, event_id)
    inside = int.from_bytes(seen[6:10]), UUID(bytes=bytes(8) + seen[10:18])
    assert not was_seen(seen, *inside)

"""What holds of the account's fold for every order of events, with any of them repeated at any time."""

import dataclasses
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.account import AccountState, evolve, fold
from schemas.events import IdentityEvent, PasswordChanged, RoleChanged
from schemas.state_codec import decode_state, encode_state, state_format
from tests.unit.schemas.account_events import (
    completed,
    erased,
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
    started,
    user,
)
from tests.unit.schemas.strategies import of_class

SMALL = st.integers(0, 2)
VERSION = st.integers(0, 4)
MINUTE = st.integers(0, 60 * 24 * 60)  # as far as sessions are left out again
OF_ONE_ACCOUNT: st.SearchStrategy[IdentityEvent] = st.one_of(
    st.builds(registered, SMALL, MINUTE),
    st.builds(started, SMALL, MINUTE, SMALL, expected_version=st.none() | VERSION),
    st.builds(refreshed, SMALL, SMALL, MINUTE, SMALL),
    st.builds(revoked, SMALL, MINUTE, SMALL),
    st.builds(password, VERSION, MINUTE, SMALL, keep=st.none() | SMALL),
    st.builds(password, VERSION, MINUTE, SMALL, code=st.just("rehashed")),
    st.builds(role, VERSION, st.sampled_from(["user", "admin"]), MINUTE, SMALL),
    st.builds(key_issued, SMALL, MINUTE, SMALL),
    st.builds(key_revoked, SMALL, MINUTE, SMALL),
    st.builds(erased, VERSION, MINUTE, SMALL),
    st.builds(completed, st.builds(erased, VERSION, MINUTE, SMALL), MINUTE, SMALL),
)
HISTORY = st.lists(OF_ONE_ACCOUNT, max_size=25).map(lambda events: [registered(), *events])


def state_after(events: list[IdentityEvent]) -> AccountState | None:
    state: AccountState | None = None
    for event in events:
        state = evolve(state, event)
    return state


@given(data=st.data())
@pytest.mark.parametrize("cls", get_args(IdentityEvent), ids=lambda cls: cls.__name__)
@settings(max_examples=30)
def test_any_event_at_all_can_be_folded(cls: type, data: st.DataObject) -> None:
    """Of its own account, with any values: times at the ends of time, generations that no token has."""
    event: Any = data.draw(of_class(cls))
    state = state_after([registered(), started(), refreshed(0), key_issued()])
    assert evolve(None, event) is None
    assert state is not None
    assert evolve(state, event) is state
    ours = dataclasses.replace(event, account_key=state.account_key, user_id=user())
    assert fold(state, ours) == fold(state, ours)
    named = {"session_id": session_id(), "key_id": key_id(), "expected_version": 1}
    known = {name: value for name, value in named.items() if name in cls.__dataclass_fields__}  # type: ignore[attr-defined]  # a dataclass
    assert fold(state, dataclasses.replace(ours, **known)) is not None


@given(HISTORY)
def test_the_fold_is_always_the_same_and_comes_back_from_its_bytes(events: list[IdentityEvent]) -> None:
    state = again = None
    for event in events:
        state, again = evolve(state, event), evolve(again, event)
        assert state == again
        if state is not None:
            assert decode_state(AccountState, encode_state(state)) == state


@settings(max_examples=200)
@given(HISTORY)
def test_an_accepted_event_is_never_accepted_again(events: list[IdentityEvent]) -> None:
    """Whatever came since, and however long ago it was: old duplicates can be delivered at any time (R09)."""
    state: AccountState | None = None
    accepted: list[IdentityEvent] = []
    for event in events:
        step = fold(state, event)
        state = step.state
        if step.accepted:
            accepted.append(event)
        for old in accepted:
            assert evolve(state, old) is state, old


@given(HISTORY)
def test_versions_count_the_changes_of_a_life(events: list[IdentityEvent]) -> None:
    state: AccountState | None = None
    counted: dict[Any, int] = {}
    for event in events:
        step = fold(state, event)
        state = step.state
        rehash = isinstance(event, PasswordChanged) and event.code == "rehashed"
        if step.accepted and isinstance(event, PasswordChanged | RoleChanged) and not rehash:
            counted[event.user_id] = counted.get(event.user_id, 0) + 1
        if state is not None and state.life is not None:
            assert state.life.version == 1 + counted.get(state.life.user_id, 0)


@given(HISTORY, st.lists(OF_ONE_ACCOUNT, max_size=10))
def test_what_was_ended_stays_ended(events: list[IdentityEvent], more: list[IdentityEvent]) -> None:
    state = state_after(events)
    for event in more:
        before, state = state, evolve(state, event)
        assert before is not None
        assert state is not None
        erasures = [one.erasure_id for one in before.erased]
        assert [one.erasure_id for one in state.erased][: len(erasures)] == erasures
        if before.life is None or state.life is None or before.life.user_id != state.life.user_id:
            continue
        for session in state.life.sessions:
            was = before.life.session(session.session_id)
            assert was is None or was.revoked_code in {None, session.revoked_code}
            assert was is None or was.presented <= session.presented
        for key in before.life.api_keys:
            kept = state.life.api_key(key.key_id)
            assert kept is not None
            assert key.revoked_at in {None, kept.revoked_at}


@given(st.permutations(range(50)), st.lists(st.integers(0, 49), max_size=20), st.integers(0, 50))
def test_of_fifty_registrations_the_first_in_the_log_wins(
    order: list[int], repeated: list[int], place: int
) -> None:
    """In any order, with any of them repeated, on every replay, and again after an erasure (R10)."""
    log: list[IdentityEvent] = [registered(number) for number in order]
    known = log[:place]
    log[place:place] = [event for event in map(registered, repeated) if event in known]
    verdicts = [fold(state_after(log[:index]), event).accepted for index, event in enumerate(log)]
    assert verdicts.count(True) == 1
    assert verdicts[0]
    state = state_after(log)
    assert life_of(state).user_id == user(order[0])
    assert state is not None
    assert set(state.lost) == {user(number) for number in order[1:]}
    assert state_after([*log, *log]) == state
    forgotten = [*log, erased(number=order[0]), *log, registered(99)]
    assert life_of(state_after(forgotten)).user_id == user(99)


def test_the_format_of_states_has_a_name() -> None:
    """Who keeps states folds them anew when this name changes: change it knowingly."""
    assert state_format(AccountState) == "7d0326a5e2a4828e"

"""Events of one account, short to write: for tests of its fold."""

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from schemas.account import AccountState, Life, evolve
from schemas.account_state import SessionState
from schemas.events import (
    ApiKeyIssued,
    ApiKeyRevoked,
    ErasureCompleted,
    IdentityEvent,
    PasswordChanged,
    RoleChanged,
    SessionRefreshed,
    SessionRevoked,
    SessionStarted,
    SubjectErased,
    UserRegistered,
)
from schemas.identity import user_id_of
from tests.golden.identity_examples import ACCOUNT_KEY, IDENTITY_EXAMPLES

START = datetime(2026, 11, 21, tzinfo=UTC)
LIFETIME = timedelta(days=30)

_SPACE = UUID(int=0)
_EXAMPLES: dict[type, Any] = {type(event): event for event in IDENTITY_EXAMPLES}


def an_id(*parts: object) -> UUID:
    return uuid5(_SPACE, "/".join(map(str, parts)))


def at(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


def user(number: int = 0) -> UUID:
    """The user that `registered(number)` makes."""
    return user_id_of(an_id("registered", number))


def session_id(number: int = 0) -> UUID:
    return an_id("session", number)


def key_id(number: int = 0) -> UUID:
    return an_id("key", number)


def _said(kind: type, minute: int, number: int, fields: dict[str, Any]) -> Any:
    """An event of the person of registration `number`; its id is that of all it says."""
    given = {"occurred_at": at(minute), "account_key": ACCOUNT_KEY, "user_id": user(number)}
    given |= {"event_id": an_id(kind.__name__, minute, number, *sorted(fields.items(), key=str)), **fields}
    return dataclasses.replace(_EXAMPLES[kind], **given)


def registered(number: int = 0, minute: int = 0, **fields: Any) -> UserRegistered:
    given = {"event_id": an_id("registered", number), "sealed_address": b"address %d" % number}
    event: UserRegistered = _said(UserRegistered, minute, number, {**given, **fields})
    return event


def started(session: int = 0, minute: int = 1, number: int = 0, **fields: Any) -> SessionStarted:
    given = {"session_id": session_id(session), "expires_at": at(minute) + LIFETIME}
    event: SessionStarted = _said(SessionStarted, minute, number, {**given, **fields})
    return event


def refreshed(
    generation: int, session: int = 0, minute: int = 2, number: int = 0, **fields: Any
) -> SessionRefreshed:
    given = {"session_id": session_id(session), "presented_generation": generation}
    event: SessionRefreshed = _said(SessionRefreshed, minute, number, {**given, **fields})
    return event


def revoked(
    session: int = 0, minute: int = 3, number: int = 0, code: str = "logout", **fields: Any
) -> SessionRevoked:
    given = {"session_id": session_id(session), "code": code}
    event: SessionRevoked = _said(SessionRevoked, minute, number, {**given, **fields})
    return event


def password(
    version: int | None = 1,
    minute: int = 4,
    number: int = 0,
    *,
    keep: int | None = None,
    code: str = "changed",
    **fields: Any,
) -> PasswordChanged:
    given = {
        "expected_version": version,
        "keep_session_id": None if keep is None else session_id(keep),
        "code": code,
        "sealed_password_hash": b"hash %d" % minute,
    }
    event: PasswordChanged = _said(PasswordChanged, minute, number, {**given, **fields})
    return event


def role(
    version: int | None = 1, role: str = "admin", minute: int = 5, number: int = 0, **fields: Any
) -> RoleChanged:
    event: RoleChanged = _said(
        RoleChanged, minute, number, {"expected_version": version, "role": role, **fields}
    )
    return event


def key_issued(key: int = 0, minute: int = 6, number: int = 0, **fields: Any) -> ApiKeyIssued:
    event: ApiKeyIssued = _said(ApiKeyIssued, minute, number, {"key_id": key_id(key), **fields})
    return event


def key_revoked(key: int = 0, minute: int = 7, number: int = 0, **fields: Any) -> ApiKeyRevoked:
    event: ApiKeyRevoked = _said(ApiKeyRevoked, minute, number, {"key_id": key_id(key), **fields})
    return event


def erased(version: int | None = 1, minute: int = 8, number: int = 0, **fields: Any) -> SubjectErased:
    event: SubjectErased = _said(SubjectErased, minute, number, {"expected_version": version, **fields})
    return event


def completed(erasure: SubjectErased, minute: int = 9, number: int = 0, **fields: Any) -> ErasureCompleted:
    given = {"erasure_id": erasure.event_id, "receipt": b"receipt", **fields}
    event: ErasureCompleted = _said(ErasureCompleted, minute, number, given)
    return event


def folded(events: Sequence[IdentityEvent], state: AccountState | None = None) -> AccountState:
    for event in events:
        state = evolve(state, event)
    assert state is not None
    return state


def life_of(state: AccountState | None) -> Life:
    assert state is not None
    assert state.life is not None
    return state.life


def session_of(state: AccountState, number: int = 0) -> SessionState:
    session = life_of(state).session(session_id(number))
    assert session is not None
    return session


def deaf_to(state: AccountState, *events: IdentityEvent) -> bool:
    """Whether none of the events changes the state."""
    return all(evolve(state, event) is state for event in events)

"""The account's fold: pure and total over the events of one account key, deaf to repeats.

The log's order alone decides: whose an address is, which refresh token is the live one, which role and which
password hold. An event that was applied, or that was decided on another version, never acts.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, assert_never

from schemas.account_state import AccountState, ApiKeyState, ErasedLife, Life, SessionState
from schemas.events import (
    AccountRecordDiscarded,
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
from schemas.identity import GENERATIONS, user_id_of
from schemas.presentations import was_seen, with_seen
from schemas.replacing import replace

__all__ = ["AccountState", "ApiKeyState", "ErasedLife", "Folded", "Life", "SessionState", "evolve", "fold"]

MOST_SESSIONS: Final = 1_000
"""How many sessions of a person can go on at a time; another one ends the oldest."""

# What expired so long ago is over, whatever comes late; kept for ever, a busy account's state only grows.
_KEPT_AFTER_EXPIRY: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Folded:
    """The state after an event, and whether the event did what it says.

    A registration that lost is remembered and yet not accepted: the state is another, the verdict is no.
    """

    state: AccountState | None
    accepted: bool


def fold(state: AccountState | None, event: IdentityEvent) -> Folded:
    """The state of the account after `event`; None is the account that nobody has heard of."""
    after = evolve(state, event)
    if after is state or after is None:
        return Folded(after, False)
    won = after.life is not None and after.life.user_id == event.user_id
    return Folded(after, won or not isinstance(event, UserRegistered))


def evolve(state: AccountState | None, event: IdentityEvent) -> AccountState | None:
    """The state after `event`; the very same object comes back when the event changes nothing."""
    if isinstance(event, UserRegistered):
        return _registered(state, event)
    if state is None or event.account_key != state.account_key:
        return state
    if isinstance(event, ErasureCompleted):
        return _completed(state, event)
    if isinstance(event, AccountRecordDiscarded):
        return state  # heard by those who read the log, not by the account
    life = state.life
    if life is None or event.user_id != life.user_id:
        return state
    if isinstance(event, SubjectErased):
        return _erased(state, life, event)
    lived = _lived(life, event)
    return state if lived is life else replace(state, life=lived)


_Living = (
    SessionStarted
    | SessionRefreshed
    | SessionRevoked
    | PasswordChanged
    | RoleChanged
    | ApiKeyIssued
    | ApiKeyRevoked
)


def _lived(life: Life, event: _Living) -> Life:
    match event:
        case SessionStarted():
            return _started(life, event)
        case SessionRefreshed():
            return _refreshed(life, event)
        case SessionRevoked():
            return _revoked(life, event)
        case PasswordChanged():
            return _password_changed(life, event)
        case RoleChanged():
            return _role_changed(life, event)
        case ApiKeyIssued():
            return _key_issued(life, event)
        case ApiKeyRevoked():
            return _key_revoked(life, event)
        case _:
            assert_never(event)


def _registered(state: AccountState | None, event: UserRegistered) -> AccountState | None:
    """The first one gets the account. A user id that is not the event's own is a forgery: nothing changes."""
    state_or_new = state or AccountState(account_key=event.account_key)
    if event.user_id != user_id_of(event.event_id) or event.account_key != state_or_new.account_key:
        return state
    if state_or_new.knows(event.user_id):
        return state
    if state_or_new.life is not None:
        return replace(state_or_new, lost=(*state_or_new.lost, event.user_id))
    life = Life(
        user_id=event.user_id,
        role=event.role,
        version=1,
        sealed_address=event.sealed_address,
        sealed_password_hash=event.sealed_password_hash,
        data_key_id=event.data_key_id,
        registered_at=event.occurred_at,
    )
    return replace(state_or_new, life=life)


def _erased(state: AccountState, life: Life, event: SubjectErased) -> AccountState:
    if event.expected_version != life.version:
        return state
    erased = ErasedLife(
        user_id=life.user_id,
        erasure_id=event.event_id,
        lost=state.lost,
        requested_at=event.occurred_at,
    )
    return replace(state, life=None, lost=(), erased=(*state.erased, erased))


def _completed(state: AccountState, event: ErasureCompleted) -> AccountState:
    for number, one in enumerate(state.erased):
        if (one.erasure_id, one.user_id) == (event.erasure_id, event.user_id) and one.completed_at is None:
            completed = replace(one, completed_at=event.occurred_at, receipt=event.receipt)
            return replace(state, erased=(*state.erased[:number], completed, *state.erased[number + 1 :]))
    return state


def _started(life: Life, event: SessionStarted) -> Life:
    """Who proved an old password must not come in after its change: such a login names the version it saw."""
    if event.expected_version not in {None, life.version} or life.session(event.session_id) is not None:
        return life
    if life.left_out_until is not None and event.occurred_at <= life.left_out_until:
        return life  # it is of the time of those that are left out, and may have been one of them
    session = SessionState(
        session_id=event.session_id,
        kind=event.kind,
        started_at=event.occurred_at,
        expires_at=event.expires_at,
    )
    kept, left_out_until = _kept(life, event.occurred_at)
    return replace(life, sessions=(*kept, session), left_out_until=left_out_until)


def _kept(life: Life, at: datetime) -> tuple[list[SessionState], datetime | None]:
    """The sessions that stay when another begins `at`, and until when those started that don't.

    First those go that expired long ago, then, as far as there are too many, those that were ended. Who goes
    on is never left out, but ended where there are still too many: then the next beginning leaves it out.
    """
    kept: list[SessionState] = []
    gone: list[SessionState] = []
    for one in life.sessions:
        too_many = len(life.sessions) - len(gone) >= MOST_SESSIONS
        expired = at - one.expires_at >= _KEPT_AFTER_EXPIRY
        (gone if expired or (too_many and one.revoked_code is not None) else kept).append(one)
    for number in range(len(kept) + 1 - MOST_SESSIONS):
        kept[number] = _ended(kept[number], "limit", at)
    left_out = [one.started_at for one in gone]
    if life.left_out_until is not None:
        left_out.append(life.left_out_until)
    return kept, max(left_out, default=None)


def _refreshed(life: Life, event: SessionRefreshed) -> Life:
    """A generation above the highest is the next; the highest again is a lost answer; below it is reuse.

    An event that was seen is a late repeat, whatever was presented since. The doors say each generation under
    an id of its own (schemas.identity.refresh_id), so that an append that lands late harms nobody.
    """
    session = life.session(event.session_id)
    generation = event.presented_generation
    if session is None or session.revoked_code is not None or not 0 <= generation < GENERATIONS:
        return life
    if generation < session.forgotten_below or was_seen(session.seen, generation, event.event_id):
        return life
    if generation < session.presented:
        return _with_session(life, _ended(session, "reuse", event.occurred_at))
    seen, forgotten = with_seen(session.seen, generation, event.event_id)
    again = generation == session.presented
    refreshed = replace(
        session,
        presented=generation,
        refreshed_at=session.refreshed_at if again else event.occurred_at,
        seen=seen,
        forgotten_below=session.forgotten_below if forgotten is None else forgotten + 1,
    )
    return _with_session(life, refreshed)


def _revoked(life: Life, event: SessionRevoked) -> Life:
    session = life.session(event.session_id)
    if session is None or session.revoked_code is not None:
        return life
    return _with_session(life, _ended(session, event.code, event.occurred_at))


def _password_changed(life: Life, event: PasswordChanged) -> Life:
    """A change ends all sessions but the one that it names; the same password hashed anew ends none.

    Both need the version that they were decided on, so that an old hash never comes back.
    """
    if event.expected_version != life.version:
        return life
    if event.code == "rehashed":
        return _rehashed(life, event)
    sessions = tuple(
        session
        if session.revoked_code is not None or session.session_id == event.keep_session_id
        else _ended(session, "password", event.occurred_at)
        for session in life.sessions
    )
    return replace(
        life,
        version=life.version + 1,
        sealed_password_hash=event.sealed_password_hash,
        rehashed_by=(),
        sessions=sessions,
    )


def _rehashed(life: Life, event: PasswordChanged) -> Life:
    if event.event_id in life.rehashed_by:
        return life
    return replace(
        life,
        sealed_password_hash=event.sealed_password_hash,
        rehashed_by=(*life.rehashed_by, event.event_id),
    )


def _role_changed(life: Life, event: RoleChanged) -> Life:
    if event.expected_version != life.version:
        return life
    return replace(life, version=life.version + 1, role=event.role, rehashed_by=())


def _key_issued(life: Life, event: ApiKeyIssued) -> Life:
    if life.api_key(event.key_id) is not None:
        return life
    key = ApiKeyState(
        key_id=event.key_id,
        prefix=event.prefix,
        hash=event.hash,
        scopes=event.scopes,
        sealed_name=event.sealed_name,
        issued_at=event.occurred_at,
        expires_at=event.expires_at,
    )
    return replace(life, api_keys=(*life.api_keys, key))


def _key_revoked(life: Life, event: ApiKeyRevoked) -> Life:
    key = life.api_key(event.key_id)
    if key is None or key.revoked_at is not None:
        return life
    revoked = replace(key, revoked_at=event.occurred_at)
    return replace(life, api_keys=tuple(revoked if one is key else one for one in life.api_keys))


def _ended(session: SessionState, code: str, at: datetime) -> SessionState:
    return replace(session, revoked_code=code, revoked_at=at)


def _with_session(life: Life, session: SessionState) -> Life:
    """The life with `session` in the place of the one of its id."""
    return replace(
        life,
        sessions=tuple(session if one.session_id == session.session_id else one for one in life.sessions),
    )

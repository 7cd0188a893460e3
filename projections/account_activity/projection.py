"""Folds every event of the identity log into one row."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final, NamedTuple, assert_never
from uuid import UUID

from psycopg import Connection
from psycopg.types.json import Jsonb

from projections.causes import causes_of, discarded
from projections.forms import ACCOUNT_ACTIVITY
from projections.of_identity import Applied, Folded
from projections.tables import Table
from schemas.account_state import AccountState
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
from schemas.scalars import EPOCH

TABLE: Final = Table(
    model=ACCOUNT_ACTIVITY,
    name="account_activity",
    key="account_key",
    columns={
        "topic": "text",
        "partition": "int4",
        "offset": "int8",
        "event_id": "uuid",
        "event_type": "text",
        "account_key": "text",
        "user_id": "uuid",
        "actor_id": "uuid",
        "accepted": "bool",
        "occurred_at": "timestamptz",
        "log_time": "timestamptz",
        "version": "int8",
        "session_id": "uuid",
        "key_id": "uuid",
        "code": "text",
        "revokes": "bool",
        "data": "jsonb",
        "request_hash": "bytea",
        "correlation_id": "uuid",
        "causation_id": "uuid",
        "trace_id": "text",
    },
)

Row = tuple[Any, ...]

NOBODY: Final = UUID(int=0)
"""Whose account it is where neither the event nor the log before it can tell: of a discarded record."""


class _Facts(NamedTuple):
    """What a type of event tells beyond what all do; nobody's secret."""

    session_id: UUID | None = None
    key_id: UUID | None = None
    code: str | None = None
    revokes: bool = False
    data: dict[str, Any] = {}  # noqa: RUF012  # never changed


def write(conn: Connection[Any], topic: str, folded: Folded) -> None:
    """Adds the batch's rows."""
    TABLE.append(conn, rows(topic, folded))


def rows(topic: str, folded: Folded) -> Iterator[Row]:
    """One row for each event that was folded, accepted or not, in the order of TABLE's columns."""
    return (_row(topic, applied) for applied in folded.applied)


def _row(topic: str, applied: Applied) -> Row:
    record, event, state, accepted = applied
    facts = _facts(event, state)
    life = state.life if state is not None else None
    return (
        topic,
        record.partition,
        record.offset,
        event.event_id,
        type(event).__name__,
        event.account_key,
        event.user_id or (life.user_id if life is not None else NOBODY),
        event.actor_id,
        accepted,
        event.occurred_at,
        EPOCH + timedelta(0, 0, 0, record.log_ms),
        life.version if life is not None and life.user_id == event.user_id else None,
        facts.session_id,
        facts.key_id,
        facts.code,
        accepted and facts.revokes,
        Jsonb(facts.data),
        None if isinstance(event, AccountRecordDiscarded) else event.request_hash,
        *causes_of(record),
    )


def _facts(event: IdentityEvent, state: AccountState | None) -> _Facts:
    match event:
        case SessionStarted():
            return _Facts(session_id=event.session_id, data={"kind": event.kind})
        case SessionRefreshed():
            return _refreshed(event, state)
        case SessionRevoked():
            return _Facts(session_id=event.session_id, code=event.code, revokes=True)
        case PasswordChanged():
            return _Facts(session_id=event.keep_session_id, code=event.code, revokes=event.code == "changed")
        case ApiKeyIssued():
            return _Facts(key_id=event.key_id, data={"scopes": list(event.scopes)})
        case ApiKeyRevoked():
            return _Facts(key_id=event.key_id, revokes=True)
        case _:
            return _of_account(event)


def _of_account(
    event: UserRegistered | RoleChanged | SubjectErased | ErasureCompleted | AccountRecordDiscarded,
) -> _Facts:
    match event:
        case UserRegistered() | RoleChanged():
            return _Facts(revokes=isinstance(event, RoleChanged), data={"role": event.role})
        case SubjectErased():
            return _Facts(revokes=True, data={"erasure_id": str(event.event_id)})
        case ErasureCompleted():
            return _Facts(data={"erasure_id": str(event.erasure_id)})
        case AccountRecordDiscarded():
            return _Facts(data=discarded(event))
        case _:
            assert_never(event)


def _refreshed(event: SessionRefreshed, state: AccountState | None) -> _Facts:
    """A refresh is reuse where it ended its session; one that came after the end was not accepted."""
    life = state.life if state is not None else None
    session = life.session(event.session_id) if life is not None else None
    code = session.revoked_code if session is not None else None
    return _Facts(
        session_id=event.session_id,
        code=code,
        revokes=code is not None,
        data={"generation": event.presented_generation},
    )

"""What happens to an account: the events of darkroom.identity.v1, keyed by account key.

An account key is a keyed hash of the normalised address, so that one partition orders all that concerns it.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRegistered:
    """Somebody asks for the account of an address; the first since the beginning or the last erasure has it.

    `user_id` is that of the event id (schemas.identity.user_id_of). `sealed_address` and
    `sealed_password_hash` are sealed under `data_key_id`.
    """

    event_id: UUID
    occurred_at: datetime
    account_key: str
    user_id: UUID
    actor_id: UUID
    expected_version: int | None = None
    request_hash: bytes | None = None
    role: str
    sealed_address: bytes
    sealed_password_hash: bytes
    data_key_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStarted:
    """Somebody logged in, on one device, until `expires_at`; `kind` is register or login."""

    event_id: UUID
    occurred_at: datetime
    account_key: str
    user_id: UUID
    actor_id: UUID
    expected_version: int | None = None
    request_hash: bytes | None = None
    session_id: UUID
    expires_at: datetime
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRefreshed:
    """A refresh token of the session was presented: that of generation `presented_generation`, from 0.

    The event id is schemas.identity.refresh_id of both: whoever says it, and however late, says the same.
    """

    event_id: UUID
    occurred_at: datetime
    account_key: str
    user_id: UUID
    actor_id: UUID
    expected_version: int | None = None
    request_hash: bytes | None = None
    session_id: UUID
    presented_generation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRevoked:
    """A session was ended before its time; `code` is logout, reuse, password, erased or admin."""

    event_id: UUID
    occurred_at: datetime
    account_key: str
    user_id: UUID
    actor_id: UUID
    expected_version: int | None = None
    request_hash: bytes | None = None
    session_id: UUID
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordChanged:
    """The account has another password, or the same one hashed anew.

    `code` is changed (all sessions end but `keep_session_id`) or rehashed (none does).
    """

    event_id: UUID
    occurred_at: datetime
    account_key: str
    user_id: UUID
    actor_id: UUID
    expected_version: int | None = None
    request_hash: bytes | None = None
    sealed_password_hash: bytes
    keep_session_id: UUID | None = None
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleChanged:
    """The person may do more, or less; `role` is user or admin."""

    event_id: UUID
    occurred_at: datetime
    account_key: str
    user_id: UUID
    actor_id: UUID
    expected_version: int | None = None
    request_hash: bytes | None = None
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyIssued:
    """A program may act for the person; `hash` is SHA-256 of the key's secret, `scopes` what it may do."""

    event_id: UUID
    occurred_at: datetime
    account_key: str
    user_id: UUID
    actor_id: UUID
    expected_version: int | None = None
    request_hash: bytes | None = None
    key_id: UUID
    prefix: str
    hash: bytes
    scopes: tuple[str, ...]
    sealed_name: bytes
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyRevoked:
    """A key is no longer any good."""

    event_id: UUID
    occurred_at: datetime
    account_key: str
    user_id: UUID
    actor_id: UUID
    expected_version: int | None = None
    request_hash: bytes | None = None
    key_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectErased:
    """The person is to be forgotten: the account ends here, and the address is free.

    The event id names the erasure.
    """

    event_id: UUID
    occurred_at: datetime
    account_key: str
    user_id: UUID
    actor_id: UUID
    expected_version: int | None = None
    request_hash: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureCompleted:
    """Nothing readable of the person is left; `erasure_id` is the event id of SubjectErased."""

    event_id: UUID
    occurred_at: datetime
    account_key: str
    user_id: UUID
    actor_id: UUID
    expected_version: int | None = None
    request_hash: bytes | None = None
    erasure_id: UUID
    receipt: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRecordDiscarded:
    """An operator gave up a record of this account: readers pass over it, now and in every replay.

    The record is named by where it stands, `component` is who could not read it. Who has the account may be
    unknown, when that is what could not be read.
    """

    event_id: UUID
    occurred_at: datetime
    account_key: str
    user_id: UUID | None = None
    actor_id: UUID | None = None
    topic: str
    partition: int
    offset: int
    component: str

"""What the log says of one account, at one moment: the state that the account's fold makes."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

NEVER_PRESENTED = -1
"""The highest generation presented of a session whose first refresh token nobody has shown yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionState:
    """One session; `presented` is the highest generation of its refresh tokens that was presented.

    `seen` holds the last presentations (schemas.presentations), and whatever is of a generation below
    `forgotten_below` may have been one that is no longer there.

    It has ended where `revoked_code` says why, or once `expires_at` has passed. The code is that of the event
    that ended it, or limit where too many others had begun since.
    """

    session_id: UUID
    kind: str
    started_at: datetime
    expires_at: datetime
    presented: int = NEVER_PRESENTED
    refreshed_at: datetime | None = None
    seen: bytes = b""
    forgotten_below: int = 0
    revoked_code: str | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyState:
    """One issued API key; `hash` is SHA-256 of its secret."""

    key_id: UUID
    prefix: str
    hash: bytes
    scopes: tuple[str, ...]
    sealed_name: bytes
    issued_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """A person's time with an account, from the registration that won to its erasure.

    `version` is 1 at first and counts accepted changes of password and role. `rehashed_by` are the events
    that hashed the password of this version anew. Sessions stand in the order in which they started; of those
    that are over some are left out, of which none started after `left_out_until`.
    """

    user_id: UUID
    role: str
    version: int
    sealed_address: bytes
    sealed_password_hash: bytes
    data_key_id: UUID
    registered_at: datetime
    rehashed_by: tuple[UUID, ...] = ()
    left_out_until: datetime | None = None
    sessions: tuple[SessionState, ...] = ()
    api_keys: tuple[ApiKeyState, ...] = ()

    def session(self, session_id: UUID) -> SessionState | None:
        """The session of that id, if it is one of this life's."""
        return next((one for one in self.sessions if one.session_id == session_id), None)

    def api_key(self, key_id: UUID) -> ApiKeyState | None:
        """The API key of that id, if it is one of this life's."""
        return next((one for one in self.api_keys if one.key_id == key_id), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasedLife:
    """A life that has ended, and nothing of whose it was.

    `lost` are the users of registrations that lost while it lasted: they had sealed the same address.
    """

    user_id: UUID
    erasure_id: UUID
    lost: tuple[UUID, ...]
    requested_at: datetime
    completed_at: datetime | None = None
    receipt: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountState:
    """One account through all its lives; `lost` are those of the one that lasts."""

    account_key: str
    life: Life | None = None
    lost: tuple[UUID, ...] = ()
    erased: tuple[ErasedLife, ...] = ()

    def knows(self, user_id: UUID) -> bool:
        """Whether a registration of this user has been seen, whatever became of it."""
        if (self.life is not None and self.life.user_id == user_id) or user_id in self.lost:
            return True
        return any(one.user_id == user_id or user_id in one.lost for one in self.erased)

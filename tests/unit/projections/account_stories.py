"""Stories of accounts for tests of the read models: events as the doors would say them, really sealed."""

import dataclasses
import hashlib
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from adapters.sealing import seal_text
from adapters.subject_keys import InMemorySubjectKeys, SubjectKeys
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
from tests.unit.projections.stories import BEGIN, an_id


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who asks for the account of an address, and the data key that seals what is said of them."""

    account_key: str
    address: str
    registration: UUID
    data_key_id: UUID

    @property
    def user_id(self) -> UUID:
        return user_id_of(self.registration)


class AccountStories:
    """Writes what happens to accounts; all that is sealed opens with `keys`."""

    def __init__(self, name: str = "", keys: SubjectKeys | None = None) -> None:
        self.name = name
        self.keys = keys or InMemorySubjectKeys()

    def account_key(self, address: str) -> str:
        return hashlib.sha256(f"{self.name}/{address}".encode()).hexdigest()

    async def person(self, address: str, nth: int = 0) -> Person:
        """The `nth` who asks for this address, with a data key."""
        registration = an_id(self.name, "registered", address, nth)
        return Person(
            account_key=self.account_key(address),
            address=address,
            registration=registration,
            data_key_id=await self.keys.data_key(user_id_of(registration)),
        )

    def registered(self, who: Person, at: int = 0) -> UserRegistered:
        return UserRegistered(
            **self._common(who, at, who.registration),
            request_hash=b"\x01" * 48,
            role="user",
            sealed_address=self._seal(who, "sealed_address", who.address),
            sealed_password_hash=self._seal(who, "sealed_password_hash", f"hash of {who.address}"),
            data_key_id=who.data_key_id,
        )

    def started(self, who: Person, session: object = 0, at: int = 1, **fields: Any) -> SessionStarted:
        given = {"expires_at": self.moment(at) + timedelta(days=30), "kind": "login", **fields}
        return SessionStarted(
            **self._common(who, at, "started", session), session_id=self.session_id(who, session), **given
        )

    def refreshed(self, who: Person, generation: int, session: object = 0, at: int = 2) -> SessionRefreshed:
        return SessionRefreshed(
            **self._common(who, at, "refreshed", session, generation, at),
            session_id=self.session_id(who, session),
            presented_generation=generation,
        )

    def revoked(self, who: Person, session: object = 0, at: int = 3, code: str = "logout") -> SessionRevoked:
        return SessionRevoked(
            **self._common(who, at, "revoked", session, code),
            session_id=self.session_id(who, session),
            code=code,
        )

    def password(
        self, who: Person, version: int, at: int = 4, *, keep: object = None, code: str = "changed"
    ) -> PasswordChanged:
        return PasswordChanged(
            **self._common(who, at, "password", version, code),
            expected_version=version,
            sealed_password_hash=self._seal(who, "sealed_password_hash", f"hash {code} at {version}"),
            keep_session_id=None if keep is None else self.session_id(who, keep),
            code=code,
        )

    def role(self, who: Person, version: int, role: str = "admin", at: int = 5) -> RoleChanged:
        return RoleChanged(
            **self._common(who, at, "role", version, role), expected_version=version, role=role
        )

    def key_issued(self, who: Person, key: object = 0, at: int = 6) -> ApiKeyIssued:
        return ApiKeyIssued(
            **self._common(who, at, "issued", key),
            key_id=self.key_id(who, key),
            prefix=f"{key}".rjust(8, "p"),
            hash=hashlib.sha256(f"{key}".encode()).digest(),
            scopes=("assets:read",),
            sealed_name=self._seal(who, "sealed_name", f"key {key} of {who.address}"),
        )

    def key_revoked(self, who: Person, key: object = 0, at: int = 7) -> ApiKeyRevoked:
        return ApiKeyRevoked(**self._common(who, at, "key revoked", key), key_id=self.key_id(who, key))

    def erased(self, who: Person, version: int = 1, at: int = 8) -> SubjectErased:
        return SubjectErased(**self._common(who, at, "erased", version), expected_version=version)

    def completed(self, who: Person, erasure: SubjectErased, at: int = 9) -> ErasureCompleted:
        return ErasureCompleted(
            **self._common(who, at, "completed"), erasure_id=erasure.event_id, receipt=b"receipt"
        )

    def whole(self, who: Person) -> list[IdentityEvent]:
        """A life with some of everything in it, not yet erased."""
        return [
            self.registered(who),
            self.started(who, "phone"),
            self.started(who, "laptop"),
            self.refreshed(who, 0, "phone"),
            self.refreshed(who, 1, "phone"),
            self.revoked(who, "laptop"),
            self.started(who, "tablet"),
            self.key_issued(who, "first"),
            self.role(who, 1),
            self.password(who, 2, keep="phone"),
            self.password(who, 3, code="rehashed"),
            self.key_issued(who, "second"),
            self.key_revoked(who, "first"),
        ]

    def session_id(self, who: Person, session: object) -> UUID:
        return an_id(who.registration, "session", session)

    def key_id(self, who: Person, key: object) -> UUID:
        return an_id(who.registration, "key", key)

    def moment(self, at: int) -> datetime:
        return BEGIN + timedelta(minutes=at)

    def _common(self, who: Person, at: int, *what: object) -> dict[str, Any]:
        (only, *more) = what
        event_id = only if isinstance(only, UUID) and not more else an_id(who.registration, *what)
        return {
            "event_id": event_id,
            "occurred_at": self.moment(at),
            "account_key": who.account_key,
            "user_id": who.user_id,
            "actor_id": who.user_id,
        }

    def _seal(self, who: Person, field: str, text: str) -> bytes:
        return seal_text(self.keys, user_id=who.user_id, key_id=who.data_key_id, field=field, text=text)

"""What was taken back before its time: sessions, keys, and all that was given before an account changed."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from adapters.clock import Clock
from api.credentials.access_tokens import Access

# Clocks of our own processes differ by less.
_SLACK: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """An account's change: all that was minted below `version` is void but for the session `kept`.

    No version: the account is no more, and nothing of it holds.
    """

    version: int | None
    kept: UUID | None
    until: datetime

    def voids(self, version: int, session_id: UUID | None) -> bool:
        if self.version is None:
            return True
        return version < self.version and (session_id is None or session_id != self.kept)


@dataclass(slots=True)
class Denials:
    """What is denied now; each entry is forgotten when every token that it could meet is out of date.

    `life` is the longest for which a token, or what is remembered of a key, is believed. It counts from when
    the denial is heard of: what was given while the read models were behind is not older than that.
    """

    clock: Clock
    life: timedelta
    _sessions: dict[UUID, datetime] = field(default_factory=dict)
    _keys: dict[UUID, datetime] = field(default_factory=dict)
    _changes: dict[UUID, tuple[_Change, ...]] = field(default_factory=dict)

    def session_ended(self, session_id: UUID) -> None:
        """The session holds no longer."""
        self._sessions[session_id] = self._until()

    def key_ended(self, key_id: UUID) -> None:
        """The key holds no longer."""
        self._keys[key_id] = self._until()

    def account_changed(self, user_id: UUID, *, version: int, kept: UUID | None) -> None:
        """From this version of the account on, older tokens hold no longer, those of `kept` excepted."""
        self._changed(user_id, _Change(version=version, kept=kept, until=self._until()))

    def account_ended(self, user_id: UUID) -> None:
        """The account is no more."""
        self._changed(user_id, _Change(version=None, kept=None, until=self._until()))

    def denies(self, access: Access) -> bool:
        """Whether what an access token says holds no longer."""
        if access.session_id in self._sessions:
            return True
        return self.outdated(access.user_id, access.version, access.session_id)

    def denies_session(self, session_id: UUID, user_id: UUID) -> bool:
        """Whether a session was ended, or its account was; an account that has only changed keeps it."""
        if session_id in self._sessions:
            return True
        return any(change.version is None for change in self._changes.get(user_id, ()))

    def denies_key(self, key_id: UUID) -> bool:
        """Whether an issued key was revoked."""
        return key_id in self._keys

    def outdated(self, user_id: UUID, version: int, session_id: UUID | None = None) -> bool:
        """Whether the account has changed since it had this version."""
        return any(change.voids(version, session_id) for change in self._changes.get(user_id, ()))

    def changes_of(self, user_id: UUID) -> int:
        """How many changes of the account are held; another number means that it has changed."""
        return len(self._changes.get(user_id, ()))

    def forget(self) -> None:
        """Drops the entries whose time is over."""
        now = self.clock.now()
        for held in (self._sessions, self._keys):
            for one in [one for one, until in held.items() if until < now]:
                del held[one]
        for user_id, changes in list(self._changes.items()):
            if left := tuple(change for change in changes if change.until >= now):
                self._changes[user_id] = left
            else:
                del self._changes[user_id]

    def __len__(self) -> int:
        """How many entries there are."""
        return len(self._sessions) + len(self._keys) + len(self._changes)

    def _changed(self, user_id: UUID, change: _Change) -> None:
        known = self._changes.get(user_id, ())
        if not any((one.version, one.kept) == (change.version, change.kept) for one in known):
            self._changes[user_id] = (*known, change)

    def _until(self) -> datetime:
        return self.clock.now() + self.life + _SLACK

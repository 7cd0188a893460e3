"""Callers by issued API keys: found by prefix, compared in constant time, remembered for a moment."""

import hmac
from typing import Final

from cachetools import TTLCache

from adapters.clock import Clock
from api.caller import Caller
from api.credentials.denials import Denials
from api.credentials.key_texts import read_key
from api.credentials.key_uses import KeyUses
from api.identity_problems import ProjectorAway
from api.queries.accounts import Accounts
from projections.api_keys.queries import ApiKeyRow
from schemas.identity import ROLES, Role

# What is revoked or changed meanwhile is denied at once; this bounds what a database that is away can't say.
REMEMBER_SECONDS: Final = 30.0
_REMEMBERED: Final = 10_000


class IssuedKeys:
    """Knows the callers behind keys that people issued."""

    def __init__(self, accounts: Accounts, denials: Denials, uses: KeyUses, *, clock: Clock) -> None:
        """Each belief is noted in `uses`."""
        self._accounts, self._denials, self._uses, self._clock = accounts, denials, uses, clock
        self._known: TTLCache[bytes, tuple[ApiKeyRow, int]] = TTLCache(_REMEMBERED, REMEMBER_SECONDS)

    async def caller(self, text: str, digest: bytes) -> Caller | None:
        """Who presented the key; `digest` is the text's SHA-256.

        Raises psycopg.OperationalError and ProjectorAway where nobody knows: what can't be looked up is not
        believed.
        """
        row = self._remembered(digest) or await self._found(text, digest)
        if row is None or self._over(row) or self._denials.denies_key(row.key_id):
            return None
        self._uses.note(row.key_id, row.user_id, self._clock.now())
        return Caller(
            user_id=row.user_id,
            role=_role(row.role),
            credential=f"key:{row.prefix}",
            scopes=frozenset(row.scopes),
        )

    def remembers(self, digest: bytes) -> bool:
        """Whether the key of this SHA-256 is known, and nothing of its person has changed since."""
        return self._remembered(digest) is not None

    def _remembered(self, digest: bytes) -> ApiKeyRow | None:
        known = self._known.get(digest)
        if known is None or known[1] != self._denials.changes_of(known[0].user_id):
            return None
        return known[0]

    async def _found(self, text: str, digest: bytes) -> ApiKeyRow | None:
        self._known.pop(digest, None)
        if (key := read_key(text)) is None:
            return None
        for row in await self._accounts.keys_by_prefix(key.prefix):
            if hmac.compare_digest(row.hash, key.hash):
                # A change that is heard of only now may not have been in the row yet: then it is read again.
                self._known[digest] = (row, self._denials.changes_of(row.user_id))
                return row
        if not self._accounts.caught_up():
            raise ProjectorAway  # a key that is not there yet, or not there again: nobody knows
        return None

    def _over(self, row: ApiKeyRow) -> bool:
        expired = row.expires_at is not None and row.expires_at <= self._clock.now()
        return expired or row.revoked_at is not None


def _role(name: str) -> Role:
    return next((role for role in ROLES if role == name), "user")

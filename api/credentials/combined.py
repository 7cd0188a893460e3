"""All credentials that there are, behind one question: static keys, issued keys and access tokens."""

import hashlib
from typing import Final

from cachetools import TTLCache

from api.caller import Caller, StaticKeys
from api.credentials.access_tokens import Access, AccessTokens
from api.credentials.denials import Denials
from api.credentials.issued_keys import IssuedKeys
from api.credentials.key_texts import START

# A token is verified once in a while; whether it still holds, and was not denied, is asked each time.
REMEMBER_SECONDS: Final = 300.0
_REMEMBERED: Final = 20_000


class AllCredentials:
    """Tells by its text what a credential is; none is remembered but by its SHA-256."""

    def __init__(
        self, static: StaticKeys, issued: IssuedKeys, tokens: AccessTokens, denials: Denials
    ) -> None:
        self._static, self._issued, self._tokens, self._denials = static, issued, tokens, denials
        self._verified: TTLCache[bytes, Access] = TTLCache(_REMEMBERED, REMEMBER_SECONDS)

    async def caller(self, token: str) -> Caller | None:
        """Who presented this; None where nobody of ours did.

        Raises psycopg.OperationalError for an issued key that nobody can look up.
        """
        digest = hashlib.sha256(token.encode()).digest()
        if (machine := self._static.by_digest(digest)) is not None:
            return machine
        if token.startswith(START):
            return await self._issued.caller(token, digest)
        return self._person(token, digest)

    def costs_a_query(self, token: str) -> bool:
        """For an issued key that is not remembered."""
        if not token.startswith(START):
            return False
        return not self._issued.remembers(hashlib.sha256(token.encode()).digest())

    def _person(self, token: str, digest: bytes) -> Caller | None:
        said = self._verified.get(digest)
        if said is None:
            said = self._tokens.read(token)
            if said is None:
                return None
            self._verified[digest] = said
        if not self._tokens.holds(said) or self._denials.denies(said):
            return None
        return Caller(
            user_id=said.user_id,
            role=said.role,
            credential=f"session:{str(said.session_id)[-12:]}",
            access=said,
        )

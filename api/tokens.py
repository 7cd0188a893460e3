"""Signs what is handed to clients to be handed back: upload tokens and cursors."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

from adapters.settings import NamedSecret

MAX_TOKEN_LENGTH: Final = 4096
_MAC_BYTES: Final = 32


class InvalidToken(ValueError):
    """A token that nobody of ours signed for this use."""


class Signer:
    """Signs with the first secret and believes all of them, so that they can be replaced one by one."""

    def __init__(self, secrets: Sequence[NamedSecret]) -> None:
        """Raises ValueError without any secret."""
        if not secrets:
            raise ValueError("a signer needs at least one secret")
        self._first = secrets[0].kid
        self._secrets = {named.kid: named.secret for named in secrets}

    def sign(self, purpose: str, payload: bytes, *, bound_to: str = "") -> str:
        """A URL-safe text that holds the payload, readable by anybody, valid for this purpose alone.

        `bound_to` is not in the text: whoever opens it must know it (an owner, a filter).
        """
        mac = self._mac(self._first, purpose, payload, bound_to)
        body = base64.urlsafe_b64encode(mac + payload).decode().rstrip("=")
        return f"{self._first}.{body}"

    def open(self, purpose: str, token: str, *, bound_to: str = "") -> bytes:
        """The payload; raises InvalidToken unless it was signed by one of ours for this very use."""
        kid, dot, body = token.partition(".")
        if not dot or len(token) > MAX_TOKEN_LENGTH or kid not in self._secrets:
            raise InvalidToken
        try:
            data = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError) as error:
            raise InvalidToken from error
        mac, payload = data[:_MAC_BYTES], data[_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(kid, purpose, payload, bound_to)):
            raise InvalidToken
        return payload

    def _mac(self, kid: str, purpose: str, payload: bytes, bound_to: str) -> bytes:
        signed = b"\0".join((purpose.encode(), bound_to.encode(), payload))
        return hmac.digest(self._secrets[kid], signed, hashlib.sha256)

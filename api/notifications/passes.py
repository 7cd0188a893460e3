"""What a browser keeps for the live stream alone: a credential, sealed so that it opens nothing else.

EventSource can send no header, and a credential must not stand in a URL. So a page that has one is handed a
cookie for the stream's path alone. What the stream is asked, the credential inside is asked: it ends with it.
"""

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from adapters.settings import NamedSecret
from api.caller import MAX_CREDENTIAL_LENGTH, Caller

NAME: Final = "darkroom_stream"
PURPOSE: Final = b"darkroom/stream-pass"
# A key has no session that a page would renew: after so long the page has to show it again.
LONGEST: Final = timedelta(hours=12)
_NONCE_BYTES: Final = 12
_TIME_BYTES: Final = 8
_LONGEST_TEXT: Final = 2 * MAX_CREDENTIAL_LENGTH


def until(caller: Caller, now: datetime) -> datetime:
    """How long a pass for this caller's credential is good: never longer than the credential."""
    longest = now + LONGEST
    if caller.access is None:
        return longest
    return min(longest, datetime.fromtimestamp(caller.access.expires_at, now.tzinfo))


def write_pass(secrets: Sequence[NamedSecret], credential: str, expires_at: datetime) -> str:
    """A text that only we can open, made with the first secret; nobody reads the credential in it."""
    named = secrets[0]
    clear = int(expires_at.timestamp()).to_bytes(_TIME_BYTES) + credential.encode()
    sealed = sealed_with(_key(named.secret), named.kid.encode(), clear)
    return f"{named.kid}.{base64.urlsafe_b64encode(sealed).decode().rstrip('=')}"


def read_pass(secrets: Sequence[NamedSecret], text: str, now: datetime) -> str | None:
    """The credential of a pass that we made with one of these secrets, while it is good; None otherwise."""
    kid, _, body = text.partition(".")
    secret = next((named.secret for named in secrets if named.kid == kid), None)
    if secret is None or len(text) > _LONGEST_TEXT:
        return None
    try:
        sealed = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    clear = opened_with(_key(secret), kid.encode(), sealed)
    if clear is None or int.from_bytes(clear[:_TIME_BYTES]) <= now.timestamp():
        return None
    return clear[_TIME_BYTES:].decode()


def sealed_with(key: bytes, about: bytes, clear: bytes) -> bytes:
    """The text under AES-256-GCM with a fresh nonce, good for this purpose and for `about` alone."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, clear, PURPOSE + b"\0" + about)


def opened_with(key: bytes, about: bytes, sealed: bytes) -> bytes | None:
    """What `sealed_with` sealed; None for anything else."""
    nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    try:
        return AESGCM(key).decrypt(nonce, rest, PURPOSE + b"\0" + about)
    except (InvalidTag, ValueError):
        return None


def _key(secret: bytes) -> bytes:
    return hmac.digest(secret, PURPOSE, hashlib.sha256)

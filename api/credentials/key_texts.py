"""The texts of issued API keys: `drk_`, a prefix by which a key is found, and the secret."""

import base64
import hashlib
import re
from dataclasses import dataclass, field
from typing import Final

START: Final = "drk_"
_PREFIX_BYTES: Final = 5
_SECRET_BYTES: Final = 32
_SHAPE: Final = re.compile(r"drk_([a-z2-7]{8})_([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyText:
    """A key in its parts; only the SHA-256 of the secret is ever kept."""

    prefix: str
    secret: str = field(repr=False)

    @property
    def hash(self) -> bytes:
        """What is kept of the secret: 32 bytes. It holds 256 random bits, so no slow hash is needed."""
        return hashlib.sha256(self.secret.encode()).digest()

    def text(self) -> str:
        """As it is handed out, once."""
        return f"{START}{self.prefix}_{self.secret}"


def key_from(random: bytes) -> KeyText:
    """The key made of so many random bytes (37 or more)."""
    if len(random) < _PREFIX_BYTES + _SECRET_BYTES:
        raise ValueError("a key needs more random bytes")
    prefix = base64.b32encode(random[:_PREFIX_BYTES]).decode().lower()
    secret = base64.urlsafe_b64encode(random[_PREFIX_BYTES : _PREFIX_BYTES + _SECRET_BYTES])
    return KeyText(prefix=prefix, secret=secret.decode().rstrip("="))


def read_key(text: str) -> KeyText | None:
    """The parts of a text that has a key's shape, None for any other."""
    found = _SHAPE.fullmatch(text)
    return KeyText(prefix=found[1], secret=found[2]) if found is not None else None

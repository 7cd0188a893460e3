"""Ids that repeat but can't be guessed: of the owners of static keys, and of what a retry must not double."""

import hashlib
import hmac
from uuid import UUID


def deterministic_id(secret: bytes, *parts: str | bytes) -> UUID:
    """The same UUID (version 8) for the same secret and parts; no one without the secret can tell it."""
    taken = hmac.new(secret, digestmod=hashlib.sha256)
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        taken.update(len(data).to_bytes(4) + data)  # so that ("ab", "c") and ("a", "bc") differ
    digest = int.from_bytes(taken.digest()[:16])
    versioned = digest & ~(0xF << 76) | 0x8 << 76
    return UUID(int=versioned & ~(0b11 << 62) | 0b10 << 62)


def owner_id(name: str, secret: bytes) -> UUID:
    """The user id of a static key's owner."""
    return deterministic_id(secret, "owner", name)

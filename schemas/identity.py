"""The vocabularies of identity, and the ids that everybody can compute."""

import hashlib
import re
from typing import Final, Literal
from uuid import UUID

Role = Literal["user", "admin"]
ROLES: Final[tuple[Role, ...]] = ("user", "admin")

Scope = Literal["assets:read", "assets:write", "generate", "admin"]

SessionKind = Literal["register", "login"]

RevocationCode = Literal["logout", "reuse", "password", "erased", "admin"]

PasswordCode = Literal["changed", "rehashed"]

GENERATIONS: Final = 1 << 32
"""How many refresh tokens a session can have, one after the other."""

_ACCOUNT_KEY: Final = re.compile(r"[0-9a-f]{64}")

# Each kind of id has its own domain, so that no id of one kind is ever one of another.
_USER: Final = b"darkroom/user\0"
_REFRESH: Final = b"darkroom/refresh\0"


def is_account_key(text: str) -> bool:
    """Whether the text is spelled as account keys are: 64 lower-case hexadecimal digits."""
    return _ACCOUNT_KEY.fullmatch(text) is not None


def user_id_of(registration: UUID) -> UUID:
    """The user that the registration of this event id makes: another in each life of an account."""
    return _derived(_USER, registration.bytes)


def refresh_id(session_id: UUID, generation: int) -> UUID:
    """The event id of the SessionRefreshed that says that this generation was presented.

    The same wherever and however often it is said. `generation` is 0 or above and below GENERATIONS, else
    OverflowError.
    """
    return _derived(_REFRESH, session_id.bytes + generation.to_bytes(4))


def _derived(domain: bytes, data: bytes) -> UUID:
    """A UUID of version 8 (RFC 9562) made of SHA-256."""
    number = int.from_bytes(hashlib.sha256(domain + data).digest()[:16])
    versioned = number & ~(0xF << 76) | 0x8 << 76
    return UUID(int=versioned & ~(0b11 << 62) | 0b10 << 62)

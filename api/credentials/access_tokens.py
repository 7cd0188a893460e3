"""Access tokens: short-lived JWTs (RFC 9068) that say who calls, signed with HMAC-SHA256 and nothing else."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, cast
from uuid import UUID

import jwt

from adapters.clock import Clock, new_id
from adapters.settings import NamedSecret
from schemas.identity import ROLES, Role

ALGORITHM: Final = "HS256"
TYPE: Final = "at+jwt"
# Ours have some 600 characters; a megabyte is refused before it is looked at.
MAX_LENGTH: Final = 2048
# Clocks of our own processes differ by so much at most.
LEEWAY_SECONDS: Final = 5

_COMPACT: Final = re.compile(r"[A-Za-z0-9_-]{1,500}\.[A-Za-z0-9_-]{1,1400}\.[A-Za-z0-9_-]{43}")
_HEADER: Final = frozenset({"alg", "typ", "kid"})
_TIMES: Final = ("iat", "nbf", "exp")
# Time is checked against our own clock, and types strictly, below.
_UNCHECKED: Final = {"verify_exp": False, "verify_nbf": False, "verify_iat": False, "strict_aud": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What an access token says: `version` is the account's, `position` the token of its session's event.

    Times are whole seconds since 1970.
    """

    user_id: UUID
    session_id: UUID
    role: Role
    version: int
    position: str
    issued_at: int
    expires_at: int


class AccessTokens:
    """Signs with the first secret and believes all of them, so that they can be replaced without a gap."""

    def __init__(
        self,
        secrets: Sequence[NamedSecret],
        *,
        issuer: str,
        audience: str,
        life: timedelta,
        clock: Clock,
    ) -> None:
        """Tokens hold for `life`; raises ValueError without any secret."""
        if not secrets:
            raise ValueError("access tokens need at least one secret")
        self._first = secrets[0]
        self._secrets = {named.kid: named.secret for named in secrets}
        self._issuer, self._audience = issuer, audience
        self._life, self._clock = life, clock

    @property
    def seconds(self) -> int:
        """How long a token holds."""
        return int(self._life.total_seconds())

    def mint(self, *, user_id: UUID, session_id: UUID, role: str, version: int, position: str) -> str:
        """A token that holds from now."""
        now = int(self._clock.now().timestamp())
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": str(user_id),
            "sid": str(session_id),
            "role": role,
            "ver": version,
            "pos": position,
            "iat": now,
            "nbf": now,
            "exp": now + self.seconds,
            "jti": str(new_id()),
        }
        headers = {"typ": TYPE, "kid": self._first.kid}
        return jwt.encode(claims, self._first.secret, ALGORITHM, headers=headers)

    def read(self, token: str) -> Access | None:
        """What a token of ours says, while it holds; None for everything else."""
        secret = self._secret_for(token)
        if secret is None:
            return None
        try:
            claims = jwt.decode(
                token,
                secret,
                algorithms=[ALGORITHM],
                audience=self._audience,
                issuer=self._issuer,
                options=cast("Any", _UNCHECKED),
            )
            said = _access(claims)
        except (jwt.InvalidTokenError, ValueError, TypeError, KeyError, RecursionError):
            return None
        return said if self.holds(said) else None

    def holds(self, said: Access) -> bool:
        """Whether a token that was read is still in its time."""
        now = self._clock.now().timestamp()
        return said.issued_at <= now + LEEWAY_SECONDS and now < said.expires_at

    def _secret_for(self, token: str) -> bytes | None:
        """The secret that the header names; None where the header is not exactly one of ours."""
        if len(token) > MAX_LENGTH or not _COMPACT.fullmatch(token):
            return None
        try:
            header = jwt.get_unverified_header(token)
        except (jwt.InvalidTokenError, ValueError, RecursionError):
            return None
        # Whatever else a header may ask for (crit, jku, jwk, x5c, zip …), ours never does.
        if header.keys() != _HEADER or (header["alg"], header["typ"]) != (ALGORITHM, TYPE):
            return None
        kid: object = header["kid"]
        return self._secrets.get(kid) if isinstance(kid, str) else None


def _access(claims: Mapping[str, Any]) -> Access:
    """Raises ValueError, TypeError or KeyError unless each claim is there and of exactly its type."""
    for name in (*_TIMES, "ver"):
        if type(claims[name]) is not int or claims[name] < 0:
            raise TypeError(name)
    for name in ("sub", "sid", "pos", "jti"):
        if type(claims[name]) is not str:
            raise TypeError(name)
    if claims["role"] not in ROLES:
        raise ValueError("role")
    if claims["nbf"] != claims["iat"]:
        raise ValueError("nbf")
    return Access(
        user_id=UUID(claims["sub"]),
        session_id=UUID(claims["sid"]),
        role=claims["role"],
        version=claims["ver"],
        position=claims["pos"],
        issued_at=claims["iat"],
        expires_at=claims["exp"],
    )

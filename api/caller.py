"""Who is calling: what every door knows about a request's credential, and how it is found out."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol, assert_never
from uuid import UUID

from adapters.owners import owner_id
from adapters.settings import StaticKey
from api.credentials.access_tokens import Access
from schemas.identity import Role, Scope

Need = Scope | Literal["person", "anybody"]
"""What an operation asks: a scope, a person who logged in (no key), or anybody that is known."""

# No credential of ours is longer; hashing megabytes for a stranger would be a gift.
MAX_CREDENTIAL_LENGTH: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A credential that was believed: whose it is and what it may do.

    `credential` names it in logs without revealing it; empty `scopes` mean all that the role may. `access` is
    there for people who logged in, and for them alone.
    """

    user_id: UUID
    role: Role
    credential: str
    scopes: frozenset[str] = frozenset()
    name: str | None = field(default=None, repr=False)
    access: Access | None = field(default=None, repr=False)

    @property
    def admin(self) -> bool:
        """Whether everybody's jobs and numbers may be seen."""
        return self.role == "admin" and self._has("admin")

    def may(self, need: Need) -> bool:
        """Whether the role and the scopes meet the need."""
        match need:
            case "anybody":
                return True
            case "person":
                return self.access is not None
            case "admin":
                return self.admin
            case "assets:read" | "assets:write" | "generate":
                return self._has(need)
            case _:
                assert_never(need)

    def _has(self, scope: Scope) -> bool:
        return not self.scopes or scope in self.scopes


class Credentials(Protocol):
    """Knows the callers behind the texts of Authorization headers."""

    async def caller(self, token: str) -> Caller | None:
        """Who presented this bearer token; None where nobody of ours did."""
        ...

    def costs_a_query(self, token: str) -> bool:
        """Whether the database has to be asked who presents this."""
        ...


class StaticKeys:
    """The keys of machines, found by digest, so that no secret is compared byte by byte."""

    def __init__(self, keys: Iterable[StaticKey], *, id_secret: bytes) -> None:
        self._callers: Mapping[bytes, Caller] = {
            key.key_digest: Caller(
                user_id=owner_id(key.owner, id_secret),
                role=key.role,
                credential=f"key:{key.key_digest.hex()[:8]}",
                name=key.owner,
            )
            for key in keys
        }

    async def caller(self, token: str) -> Caller | None:
        """As the Protocol says."""
        return self.by_digest(hashlib.sha256(token.encode()).digest())

    def costs_a_query(self, token: str) -> bool:
        """Never."""
        del token
        return False

    def by_digest(self, digest: bytes) -> Caller | None:
        """The caller whose key has this SHA-256."""
        return self._callers.get(digest)


def bearer_in(authorization: str | None) -> str:
    """The credential in an Authorization header; empty where there is none that could be one of ours."""
    scheme, _, token = (authorization or "").partition(" ")
    token = token.strip()
    return token if scheme.lower() == "bearer" and len(token) <= MAX_CREDENTIAL_LENGTH else ""


async def authenticate(credentials: Credentials, authorization: str | None) -> Caller | None:
    """The caller behind an Authorization header, None without one that we believe."""
    token = bearer_in(authorization)
    return await credentials.caller(token) if token else None

"""What must stay secret, how each secret is written down, and which published values must never be used."""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field, SecretStr

from adapters.settings.fields import Duration, Fragment

_KID: Final = re.compile(r"^[A-Za-z0-9_-]{1,32}$")
_ROLES: Final = ("user", "admin")

DEVELOPMENT_SECRET: Final = "darkroom-development-only-never-in-production"
DEVELOPMENT_MASTER_KEY: Final = "development:" + base64.b64encode(DEVELOPMENT_SECRET[:32].encode()).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticKey:
    """A key for a machine; only its SHA-256 is kept. `length` is the key's own, in characters."""

    key_digest: bytes = field(repr=False)
    owner: str
    role: Literal["user", "admin"]
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterKey:
    """A key of 32 bytes that wraps people's data keys."""

    key_id: str
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedSecret:
    """One of a list of signing secrets, told apart by its key id."""

    kid: str
    secret: bytes = field(repr=False)


def _parts(value: str) -> list[str]:
    return [part for part in (part.strip() for part in value.split(",")) if part]


def _static_key(text: str) -> StaticKey:
    key, _, rest = text.partition(":")
    owner, _, role = rest.partition(":")
    if not key or len(key) < 8:
        raise ValueError("must hold keys of 8 characters or more, as in key[:owner[:role]],…")
    if role not in ("", *_ROLES):
        raise ValueError("must name roles user or admin, as in key[:owner[:role]],…")
    if len(owner) > 200:
        raise ValueError("must name owners in 200 characters at most")
    return StaticKey(
        key_digest=hashlib.sha256(key.encode()).digest(),
        owner=owner or "default",
        role="admin" if role == "admin" else "user",
        length=len(key),
    )


def static_keys(value: str) -> tuple[StaticKey, ...]:
    """Reads `key[:owner[:role]],…`; raises ValueError with a sentence."""
    keys = tuple(_static_key(part) for part in _parts(value))
    if len({key.key_digest for key in keys}) < len(keys):
        raise ValueError("holds one key twice; each must be different")
    roles: dict[str, str] = {}
    for key in keys:
        if roles.setdefault(key.owner, key.role) != key.role:
            raise ValueError("gives one owner two roles; give both keys the same role or another owner")
    return keys


def _master_key(text: str) -> MasterKey:
    key_id, colon, encoded = text.partition(":")
    try:
        key = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        key = b""
    if not colon or not _KID.match(key_id) or len(key) != 32:
        raise ValueError("must be a list id:base64 of 32 bytes,… (`openssl rand -base64 32` makes one)")
    return MasterKey(key_id=key_id, key=key)


def master_keys(value: str) -> tuple[MasterKey, ...]:
    """Reads `id:base64,…`; raises ValueError with a sentence."""
    keys = tuple(_master_key(part) for part in _parts(value))
    if not keys or len({key.key_id for key in keys}) < len(keys):
        raise ValueError("must hold at least one key, each with an id of its own")
    return keys


def _named_secret(text: str) -> NamedSecret:
    kid, colon, secret = text.partition(":")
    if not (colon and _KID.match(kid)):
        kid, secret = hashlib.sha256(text.encode()).hexdigest()[:8], text
    if not secret:
        raise ValueError("must be a secret, or a list kid:secret,…")
    return NamedSecret(kid=kid, secret=secret.encode())


def named_secrets(value: str) -> tuple[NamedSecret, ...]:
    """Reads a secret or `kid:secret,…`; a bare secret's kid is made of its digest. Raises ValueError."""
    secrets = tuple(_named_secret(part) for part in _parts(value))
    if not secrets or len({secret.kid for secret in secrets}) < len(secrets):
        raise ValueError("must hold at least one secret, each with a kid of its own")
    return secrets


def _from_text(read: Callable[[str], object]) -> BeforeValidator:
    return BeforeValidator(lambda value: read(value) if isinstance(value, str) else value)


StaticKeys = Annotated[tuple[StaticKey, ...], _from_text(static_keys)]
MasterKeys = Annotated[tuple[MasterKey, ...], _from_text(master_keys)]
NamedSecrets = Annotated[tuple[NamedSecret, ...], _from_text(named_secrets)]


class SecretSettings(Fragment):
    """Credentials and keys. The first of a list is used for new work, the others are still accepted."""

    api_keys: StaticKeys = Field(
        default=(),
        validation_alias="API_KEYS",
        description="Static keys for machines: key[:owner[:role]],… with role user or admin.",
    )
    master_keys: MasterKeys = Field(
        default=master_keys(DEVELOPMENT_MASTER_KEY),
        validation_alias="MASTER_KEY",
        description="Wraps people's data keys: id:base64 of 32 bytes,… The first wraps, all unwrap; "
        "losing one loses what it wrapped.",
    )
    id_secret: SecretStr = Field(
        default=SecretStr(DEVELOPMENT_SECRET),
        validation_alias="ID_SECRET",
        description="Makes ids that repeat but can't be guessed. Never change it.",
    )
    account_key_secret: SecretStr = Field(
        default=SecretStr(DEVELOPMENT_SECRET),
        validation_alias="ACCOUNT_KEY_SECRET",
        description="Makes account keys out of addresses. Never change it.",
    )
    token_secrets: NamedSecrets = Field(
        default=named_secrets(DEVELOPMENT_SECRET),
        validation_alias="TOKEN_SECRET",
        description="A secret, or a list kid:secret,…: signs upload tokens and cursors.",
    )
    jwt_secrets: NamedSecrets = Field(
        default=named_secrets(DEVELOPMENT_SECRET),
        validation_alias="JWT_SECRET",
        description="A secret, or a list kid:secret,…: signs access tokens.",
    )
    jwt_refresh_secrets: NamedSecrets = Field(
        default=named_secrets(DEVELOPMENT_SECRET),
        validation_alias="JWT_REFRESH_SECRET",
        description="A secret, or a list kid:secret,…: signs refresh tokens.",
    )
    jwt_access_expire: Duration = Field(
        default=timedelta(minutes=15),
        validation_alias="JWT_ACCESS_EXPIRE",
        description="An access token's life.",
    )
    jwt_refresh_expire: Duration = Field(
        default=timedelta(days=7),
        validation_alias="JWT_REFRESH_EXPIRE",
        description="A refresh token's life.",
    )

    @property
    def id_key(self) -> bytes:
        """The key of ids that repeat, as they are made with."""
        return self.id_secret.get_secret_value().encode()

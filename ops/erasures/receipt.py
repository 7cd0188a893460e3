"""The receipt of an erasure: a statement without personal data, signed so that anybody can check it.

It is a compact JWS (RFC 7515), signed by Ed25519. The signing key is made of ID_SECRET, which is never
changed, so that a receipt can be checked for as long as the installation lives; the public key may be handed
out (`python -m ops erasures public-key`).
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

TYPE: Final = "erasure-receipt+jwt"
_ALGORITHM: Final = "EdDSA"
_DOMAIN: Final = b"darkroom/erasure-receipt/v1"


class NoReceipt(Exception):
    """Not a receipt of this installation's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What was done: how many data keys were erased and how many assets purged, and when it was over."""

    erasure_id: UUID
    user_id: UUID
    requested_at: datetime
    completed_at: datetime
    keys: int
    assets: int


def signing_key(id_secret: str, domain: bytes = _DOMAIN) -> Ed25519PrivateKey:
    """The installation's key for receipts, or for statements of another domain."""
    return Ed25519PrivateKey.from_private_bytes(hmac.digest(id_secret.encode(), domain, hashlib.sha256))


def public_pem(key: Ed25519PublicKey) -> str:
    """The public key as others take it."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def sign(key: Ed25519PrivateKey, said: Statement) -> bytes:
    """The receipt."""
    claims = {
        "jti": str(said.erasure_id),
        "sub": str(said.user_id),
        "iat": int(said.completed_at.timestamp()),
        "requested_at": said.requested_at.astimezone(UTC).isoformat(),
        "completed_at": said.completed_at.astimezone(UTC).isoformat(),
        "data_keys_erased": said.keys,
        "assets_purged": said.assets,
    }
    return jwt.encode(claims, key, algorithm=_ALGORITHM, headers={"typ": TYPE}).encode()


def read(key: Ed25519PublicKey, receipt: bytes) -> Statement:
    """What a receipt states; raises NoReceipt unless this key signed it."""
    try:
        if jwt.get_unverified_header(receipt).get("typ") != TYPE:
            raise NoReceipt("signed, but something else")
        claims: dict[str, Any] = jwt.decode(
            receipt, key, algorithms=[_ALGORITHM], options={"verify_iat": False}
        )
        return Statement(
            erasure_id=UUID(claims["jti"]),
            user_id=UUID(claims["sub"]),
            requested_at=datetime.fromisoformat(claims["requested_at"]),
            completed_at=datetime.fromisoformat(claims["completed_at"]),
            keys=int(claims["data_keys_erased"]),
            assets=int(claims["assets_purged"]),
        )
    except (jwt.InvalidTokenError, KeyError, TypeError, ValueError) as error:
        raise NoReceipt(type(error).__name__) from error

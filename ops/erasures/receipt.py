"""The receipt of an erasure: a statement without personal data, signed so that anybody can check it.

The public key may be handed out (`python -m ops erasures public-key`).
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ops.signed import NotSigned, claims_of, signed, signing_key

TYPE: Final = "erasure-receipt+jwt"
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


def receipt_key(id_key: bytes) -> Ed25519PrivateKey:
    """The installation's key for receipts."""
    return signing_key(id_key, _DOMAIN)


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
    return signed(key, TYPE, claims)


def read(key: Ed25519PublicKey, receipt: bytes) -> Statement:
    """What a receipt states; raises NoReceipt unless this key signed it."""
    try:
        claims = claims_of(key, TYPE, receipt)
        return Statement(
            erasure_id=UUID(claims["jti"]),
            user_id=UUID(claims["sub"]),
            requested_at=datetime.fromisoformat(claims["requested_at"]),
            completed_at=datetime.fromisoformat(claims["completed_at"]),
            keys=int(claims["data_keys_erased"]),
            assets=int(claims["assets_purged"]),
        )
    except NotSigned as error:
        raise NoReceipt(str(error)) from error
    except (KeyError, TypeError, ValueError) as error:
        raise NoReceipt(type(error).__name__) from error

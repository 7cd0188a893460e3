"""Statements that this installation signs: compact JWS (RFC 7515) by Ed25519, each type with its own key.

A key is made of ID_SECRET, which is never changed, so that what was signed can be checked for as long as the
installation lives; public keys may be handed out.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.utils import base64url_decode, base64url_encode

_ALGORITHM: Final = "EdDSA"


class NotSigned(Exception):
    """Not a statement of this type that this key signed."""


def signing_key(id_key: bytes, domain: bytes) -> Ed25519PrivateKey:
    """The installation's key for the statements of a domain."""
    return Ed25519PrivateKey.from_private_bytes(hmac.digest(id_key, domain, hashlib.sha256))


def public_pem(key: Ed25519PrivateKey) -> str:
    """The public half of a key as others take it."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def signed(key: Ed25519PrivateKey, kind: str, claims: Mapping[str, Any]) -> bytes:
    """The statement."""
    return jwt.encode(dict(claims), key, algorithm=_ALGORITHM, headers={"typ": kind}).encode()


def claims_of(key: Ed25519PublicKey, kind: str, statement: bytes) -> dict[str, Any]:
    """What a statement of this type says; raises NotSigned unless this key signed it."""
    try:
        if jwt.get_unverified_header(statement).get("typ") != kind:
            raise NotSigned("signed, but something else")
        # Its time is what was done, by a clock of then: nothing to hold against it now.
        claims: dict[str, Any] = jwt.decode(
            statement, key, algorithms=[_ALGORITHM], options={"verify_iat": False}
        )
        # Decoders of base64 pass over bits and letters that say nothing; a statement has one form.
        signature = statement.rpartition(b".")[2]
        if base64url_encode(base64url_decode(signature)) != signature:
            raise NotSigned("not as it was written")
    except (jwt.InvalidTokenError, RecursionError, ValueError) as error:
        raise NotSigned(type(error).__name__) from error
    return claims

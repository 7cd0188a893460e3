"""Receipts: whoever has the public key can check one, and no one else can make one."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from ops.erasures.receipt import TYPE, NoReceipt, Statement, read, receipt_key, sign
from ops.signed import public_pem

KEY = receipt_key(b"a secret of the installation")
SAID = Statement(
    erasure_id=UUID(int=1),
    user_id=UUID(int=2),
    requested_at=datetime(2026, 5, 1, 12, 0, 0, 5, tzinfo=UTC),
    completed_at=datetime(2026, 5, 1, 12, 5, 0, 7, tzinfo=UTC),
    keys=3,
    assets=4,
)


def test_what_was_signed_is_read_by_the_public_key_alone() -> None:
    public = load_pem_public_key(public_pem(KEY).encode())
    assert isinstance(public, Ed25519PublicKey)
    assert read(public, sign(KEY, SAID)) == SAID


def test_any_jose_library_can_check_it() -> None:
    header = jwt.get_unverified_header(sign(KEY, SAID))
    assert (header["alg"], header["typ"]) == ("EdDSA", TYPE)
    claims = jwt.decode(sign(KEY, SAID), KEY.public_key(), algorithms=["EdDSA"])
    assert (claims["jti"], claims["sub"]) == (str(UUID(int=1)), str(UUID(int=2)))


def test_the_same_secret_makes_the_same_key() -> None:
    assert read(receipt_key(b"a secret of the installation").public_key(), sign(KEY, SAID)) == SAID


@pytest.mark.parametrize(
    "forged",
    [
        sign(receipt_key(b"another"), SAID),
        sign(KEY, SAID)[:-2],
        sign(KEY, SAID) + b"x",
        b"",
        b"a.b.c",
        jwt.encode({"jti": str(UUID(int=1))}, KEY, algorithm="EdDSA").encode(),
        jwt.encode({"jti": str(UUID(int=1))}, KEY, algorithm="EdDSA", headers={"typ": TYPE}).encode(),
        jwt.encode({"jti": "x"}, "s" * 32, algorithm="HS256", headers={"typ": TYPE}).encode(),
        jwt.encode({"jti": "x"}, "", algorithm="none", headers={"typ": TYPE}).encode(),
    ],
    ids=["key", "cut", "longer", "empty", "none", "type", "claims", "hmac", "unsigned"],
)
def test_what_we_did_not_sign_is_no_receipt(forged: bytes) -> None:
    with pytest.raises(NoReceipt):
        read(KEY.public_key(), forged)


def test_another_statement_under_the_signature_is_no_receipt() -> None:
    head, _, signature = sign(KEY, SAID).split(b".")
    other = sign(receipt_key(b"another"), replace(SAID, assets=5)).split(b".")[1]
    with pytest.raises(NoReceipt):
        read(KEY.public_key(), b".".join((head, other, signature)))

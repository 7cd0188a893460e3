"""A01–A08: no access token but ours is believed, however it is bent; and ours only in its time."""

import base64
import hashlib
import hmac
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from adapters.clock import FixedClock
from adapters.settings import NamedSecret
from api.credentials.access_tokens import LEEWAY_SECONDS, MAX_LENGTH, AccessTokens
from api.credentials.refresh_tokens import RefreshToken, RefreshTokens

NOW = datetime(2026, 5, 17, 8, 9, 10, tzinfo=UTC)
SECRET = b"0123456789abcdef0123456789abcdef"
OLD = b"fedcba9876543210fedcba9876543210"
RING = (NamedSecret(kid="new", secret=SECRET), NamedSecret(kid="old", secret=OLD))
LIFE = timedelta(minutes=15)


def tokens(ring: tuple[NamedSecret, ...] = RING, now: datetime = NOW) -> AccessTokens:
    return AccessTokens(ring, issuer="darkroom", audience="doors", life=LIFE, clock=FixedClock(now))


def claims(**other: Any) -> dict[str, Any]:
    now = int(NOW.timestamp())
    said = {
        "iss": "darkroom",
        "aud": "doors",
        "sub": str(uuid4()),
        "sid": str(uuid4()),
        "role": "user",
        "ver": 1,
        "pos": "cG9z",
        "iat": now,
        "nbf": now,
        "exp": now + 900,
        "jti": str(uuid4()),
        **other,
    }
    return {name: value for name, value in said.items() if value is not ...}


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def signed(
    said: object, header: dict[str, Any] | None = None, *, secret: bytes = SECRET, raw: bytes | None = None
) -> str:
    """A token made by hand, with a right signature over whatever it says."""
    head = {"alg": "HS256", "typ": "at+jwt", "kid": "new"} if header is None else header
    body = raw if raw is not None else json.dumps(said).encode()
    text = f"{b64(json.dumps(head).encode())}.{b64(body)}"
    return f"{text}.{b64(hmac.digest(secret, text.encode(), hashlib.sha256))}"


def minted(maker: AccessTokens | None = None) -> str:
    return (maker or tokens()).mint(
        user_id=uuid4(), session_id=uuid4(), role="admin", version=3, position="cG9z"
    )


def test_what_is_minted_is_read() -> None:
    user, session = uuid4(), uuid4()
    text = tokens().mint(user_id=user, session_id=session, role="admin", version=3, position="cG9z")
    said = tokens().read(text)
    assert said is not None
    assert (said.user_id, said.session_id, said.role, said.version) == (user, session, "admin", 3)
    assert (said.position, said.expires_at - said.issued_at) == ("cG9z", 900)
    assert len(text) < MAX_LENGTH
    assert jwt.get_unverified_header(text) == {"alg": "HS256", "typ": "at+jwt", "kid": "new"}


def test_the_hand_made_token_of_these_tests_is_believed() -> None:
    assert tokens().read(signed(claims())) is not None


@pytest.mark.parametrize(
    "alg", ["none", "None", "nOnE", "NONE", "", "hs256", "HS384", "HS512", "ES256", "PS256"]
)
def test_a01_no_other_algorithm_is_believed(alg: str) -> None:
    header = {"alg": alg, "typ": "at+jwt", "kid": "new"}
    text = signed(claims(), header)
    assert tokens().read(text) is None
    assert tokens().read(text.rpartition(".")[0] + ".") is None


def test_a01_a_signature_by_another_kind_of_key_is_not_believed() -> None:
    headers = {"typ": "at+jwt", "kid": "new"}
    elliptic = jwt.encode(claims(), ec.generate_private_key(ec.SECP256R1()), "ES256", headers=headers)
    rivest = rsa.generate_private_key(65537, 2048)
    for text in (
        elliptic,
        jwt.encode(claims(), rivest, "PS256", headers=headers),
        jwt.encode(claims(), rivest, "RS256", headers=headers),
        jwt.encode(claims(), SECRET * 2, "HS512", headers=headers),
        signed(claims(), secret=b"another secret of thirty-two byte"),
        signed(claims(), secret=b""),
    ):
        assert tokens().read(text) is None


@pytest.mark.parametrize(
    "kid",
    [
        "../../etc/passwd",
        "new' or '1'='1",
        "http://127.0.0.1/key",
        "new\0",
        "n" * 10_240,
        "",
        "New",
        None,
        ["new"],
        {"new": 1},
        7,
        True,
    ],
)
def test_a02_a_key_id_only_ever_names_one_of_ours(kid: object) -> None:
    assert tokens().read(signed(claims(), {"alg": "HS256", "typ": "at+jwt", "kid": kid})) is None


@pytest.mark.parametrize(
    "extra",
    [
        {"jku": "http://127.0.0.1/keys"},
        {"x5u": "http://127.0.0.1/cert"},
        {"jwk": {"kty": "oct", "k": b64(SECRET)}},
        {"x5c": ["MIIB"]},
        {"crit": ["exp"], "exp": 1},
        {"crit": ["b64"], "b64": False},
        {"crit": []},
        {"zip": "DEF"},
        {"cty": "JWT"},
        {"enc": "A256GCM"},
    ],
)
def test_a02_a03_a_header_that_asks_for_more_is_refused(extra: dict[str, Any]) -> None:
    assert tokens().read(signed(claims(), {"alg": "HS256", "typ": "at+jwt", "kid": "new", **extra})) is None


@pytest.mark.parametrize(
    "name", ["iss", "aud", "sub", "sid", "role", "ver", "pos", "iat", "nbf", "exp", "jti"]
)
@pytest.mark.parametrize("value", [..., None, [], {}, True, "", 1.5, -1, "wrong", "9" * 400])
def test_a04_each_claim_is_there_and_of_its_type(name: str, value: object) -> None:
    if name in {"pos", "jti"} and isinstance(value, str):
        return  # of any spelling: a position is looked at by whoever waits for it
    assert tokens().read(signed(claims(**{name: value}))) is None


@pytest.mark.parametrize(
    "other",
    [
        {"exp": int(NOW.timestamp())},
        {"exp": int(NOW.timestamp()) - 1},
        {"exp": str(int(NOW.timestamp()) + 900)},
        {"exp": float(NOW.timestamp() + 900)},
        {"iat": int(NOW.timestamp()) + 60, "nbf": int(NOW.timestamp()) + 60},
        {"nbf": int(NOW.timestamp()) + 60},
        {"aud": ["doors"]},
        {"aud": ["doors", "others"]},
        {"aud": "others"},
        {"iss": "somebody"},
        {"role": "root"},
        {"sub": "ada"},
        {"ver": "1"},
    ],
)
def test_a04_claims_that_are_out_of_time_or_for_others(other: dict[str, Any]) -> None:
    assert tokens().read(signed(claims(**other))) is None


@pytest.mark.parametrize("number", ["1e400", "-1e400", "NaN", "Infinity", "1" * 5000])
def test_a04_times_that_are_hardly_numbers(number: str) -> None:
    raw = json.dumps(claims()).replace(str(claims()["exp"]), number).encode()
    assert tokens().read(signed(None, raw=raw)) is None


@pytest.mark.parametrize("raw", [b"", b"null", b"[]", b"7", b'"x"', b"{", b"\xff\xfe{}", b"[" * 900])
def test_a04_what_is_no_object_says_nothing(raw: bytes) -> None:
    assert tokens().read(signed(None, raw=raw)) is None


def test_a_clock_that_is_a_little_behind_believes_a_fresh_token_and_none_believes_an_old_one() -> None:
    text = minted()
    assert tokens(now=NOW - timedelta(seconds=LEEWAY_SECONDS)).read(text) is not None
    assert tokens(now=NOW - timedelta(seconds=LEEWAY_SECONDS + 1)).read(text) is None
    assert tokens(now=NOW + LIFE - timedelta(seconds=1)).read(text) is not None
    assert tokens(now=NOW + LIFE).read(text) is None


@pytest.mark.parametrize("typ", ["JWT", "jwt", "at+JWT", "AT+JWT", "application/at+jwt", "rt+jwt", None, ""])
def test_a05_a_token_of_another_type_is_refused(typ: object) -> None:
    assert tokens().read(signed(claims(), {"alg": "HS256", "typ": typ, "kid": "new"})) is None


def test_a05_refresh_tokens_are_no_access_tokens_and_the_reverse() -> None:
    refreshing = RefreshTokens(RING)
    text = refreshing.write(
        RefreshToken(
            session_id=uuid4(),
            user_id=uuid4(),
            account_key="0" * 64,
            generation=0,
            partition=1,
            offset=2,
            expires_at=NOW,
        )
    )
    assert tokens().read(text) is None
    assert tokens().read(text.removeprefix("dr1.")) is None
    with pytest.raises(ValueError):
        refreshing.read(minted())
    with pytest.raises(ValueError):
        refreshing.read("dr1." + minted())


def test_a06_public_vectors_are_not_ours() -> None:
    """Examples of RFC 7515 (A.1), RFC 7519 (6.1) and RFC 8037 (A.4), as they are printed there."""
    printed = (
        (
            "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtc"
            "GxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
        ),
        (
            "eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ij"
            "p0cnVlfQ."
        ),
        (
            "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcMg3AIbQR6dWbhijcN"
            "R4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
        ),
    )
    own = base64.urlsafe_b64decode(
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow=="
    )
    assert jwt.PyJWS().decode(printed[0], own, algorithms=["HS256"])  # it is as it was printed
    with_their_key = tokens((NamedSecret(kid="new", secret=own), *RING))
    for text in printed:
        assert with_their_key.read(text) is None


def test_a06_one_bit_of_the_signature_is_enough() -> None:
    head, _, signature = minted().rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "=")
    for bit in range(len(raw) * 8):
        bent = bytearray(raw)
        bent[bit // 8] ^= 1 << bit % 8
        assert tokens().read(f"{head}.{b64(bytes(bent))}") is None
    for length in range(len(raw)):
        assert tokens().read(f"{head}.{b64(raw[:length])}") is None


def test_a07_a_token_has_one_spelling() -> None:
    text = minted()
    for other in (text + "=", text + " ", "\n" + text, text.replace(".", ".="), text + ".", text + "\0"):
        assert tokens().read(other) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "...",
        "a.b.c.d.e",  # an encrypted token has five parts
        "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..aXY.Y2lwaGVy.dGFn",
        "a" * 1_000_000,
        "é.é.é",
        f"{'a' * 400_000}.{'b' * 400_000}.{'c' * 43}",
    ],
)
def test_a08_what_can_be_none_of_ours_costs_nothing(text: str) -> None:
    read = tokens().read
    began = time.thread_time()  # others may have the machine meanwhile
    assert read(text) is None
    assert time.thread_time() - began < 0.1


def test_a09_a_retired_secret_is_believed_until_it_is_taken_out() -> None:
    before = minted(tokens((RING[1],)))
    assert tokens(RING).read(before) is not None
    assert tokens((RING[0],)).read(before) is None
    assert tokens((RING[1], RING[0])).read(minted()) is not None

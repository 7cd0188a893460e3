"""Addresses of objects stay the same inside a window, and hold for at least one more."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1
from hypothesis import given
from hypothesis import strategies as st

from adapters.cdn import CdnSigner
from adapters.object_store import InMemoryObjectStore
from api.addresses import Addresses
from api.asset_problems import VersionLost
from api.etags import matches, require_version

WINDOW = timedelta(hours=1)
SIGNED = Addresses(store=InMemoryObjectStore(), window=WINDOW)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(MOMENTS, st.timedeltas(timedelta(0), WINDOW))
def test_an_address_is_stable_in_its_window_and_outlives_it(now: datetime, span: timedelta) -> None:
    later = now + span
    first = SIGNED.view("a/b", now=now, content_type="image/jpeg")
    second = SIGNED.view("a/b", now=later, content_type="image/jpeg")
    assert (first == second) == (SIGNED.number(now) == SIGNED.number(later))
    expires = datetime.fromisoformat(parse_qs(urlsplit(first).query)["expires"][0])
    assert expires - now > WINDOW - timedelta(seconds=1)


NOON = datetime(2026, 5, 17, 12, 0, 30, tzinfo=UTC)
CDN = Addresses(store=InMemoryObjectStore(), window=WINDOW, cdn_url="https://cdn.example.org")


def signed_cdn() -> tuple[Addresses, rsa.RSAPrivateKey]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - quick, and for a test
    return replace(CDN, cdn_signer=CdnSigner(key_id="K2JCJMDEHXQW5F", key=key)), key


def test_on_a_cdn_pictures_are_permanent_and_quoted() -> None:
    moments = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    shown = {CDN.view("a/b c.jpg", now=now, content_type="image/jpeg") for now in moments}
    assert shown == {"https://cdn.example.org/a/b%20c.jpg"}


def test_u10_what_is_saved_comes_from_the_store_as_an_attachment_cdn_or_not() -> None:
    saved = CDN.save("a/b", now=NOON, content_type="image/jpeg", file_name="x.jpg")
    assert urlsplit(saved).hostname == "store.invalid"
    assert parse_qs(urlsplit(saved).query)["attachment"] == ["true"]


def test_a_cdn_that_asks_for_signatures_gets_cloudfronts() -> None:
    addresses, key = signed_cdn()
    address = addresses.view("a/b", now=NOON, content_type="image/jpeg")
    assert address == addresses.view("a/b", now=NOON + timedelta(minutes=9), content_type="image/jpeg")
    url, _, query = address.partition("?")
    said = {name: values[0] for name, values in parse_qs(query).items()}
    assert (url, said["Key-Pair-Id"]) == ("https://cdn.example.org/a/b", "K2JCJMDEHXQW5F")
    assert int(said["Expires"]) == datetime(2026, 5, 17, 14, tzinfo=UTC).timestamp()
    policy = {
        "Statement": [
            {"Resource": url, "Condition": {"DateLessThan": {"AWS:EpochTime": int(said["Expires"])}}}
        ]
    }
    signature = base64.b64decode(said["Signature"].translate(str.maketrans("-_~", "+=/")))
    text = json.dumps(policy, separators=(",", ":")).encode()
    key.public_key().verify(signature, text, padding.PKCS1v15(), SHA1())  # noqa: S303 - CloudFront's choice


def test_what_strangers_get_soon_ends_and_is_never_unsigned() -> None:
    for addresses in (SIGNED, CDN):
        first = addresses.brief.view("a/b", now=NOON, content_type="image/jpeg")
        expires = datetime.fromisoformat(parse_qs(urlsplit(first).query)["expires"][0])
        assert timedelta(minutes=1) <= expires - NOON <= timedelta(minutes=2)
    signed, _ = signed_cdn()
    address = signed.brief.view("a/b", now=NOON, content_type="image/jpeg")
    (expires_at,) = parse_qs(urlsplit(address).query)["Expires"]
    assert int(expires_at) - NOON.timestamp() <= 120


def test_if_match_counts_the_version_alone() -> None:
    for header in ('"3-0.12-7"', 'W/"3-5.9-1"', '"2-0.1-1", "3-0.1-1"', "*", None):
        require_version(header, 3)
    for header in ('"4-0.12-7"', '"33-0.12-7"', "", '"3"', "3", '"-3-0"', '"x"'):
        with pytest.raises(VersionLost):
            require_version(header, 3)


def test_if_none_match() -> None:
    assert matches('"a"', '"a"')
    assert matches('W/"a"', '"a"')
    assert matches('"b" , "a"', '"a"')
    assert matches("*", '"a"')
    assert not matches(None, '"a"')
    assert not matches('"ab"', '"a"')
    assert not matches("", '"a"')

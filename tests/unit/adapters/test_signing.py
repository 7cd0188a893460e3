"""Signed addresses and forms, compared with those of Amazon's own library."""

import base64
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from adapters.object_store.signing import Signer, content_disposition

AT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
SIGNER = Signer(
    endpoint="https://store.example.org:8443",
    bucket="pictures",
    region="eu-central-1",
    access_key="AKIAEXAMPLE",
    secret_key="secret",
)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_the_signature_is_the_one_that_amazon_would_make(key: str) -> None:
    ours = SIGNER.get(
        key,
        signed_at=AT,
        expires_at=AT + timedelta(hours=1),
        overrides={"response-content-type": "image/png", "response-content-disposition": "inline; é ~/+"},
    )
    query = dict(parse_qsl(urlsplit(ours).query))
    signature = query.pop("X-Amz-Signature")
    theirs = S3SigV4QueryAuth(Credentials(SIGNER.access_key, SIGNER.secret_key), "s3", SIGNER.region)
    request = AWSRequest(
        "GET", f"{urlsplit(ours)._replace(query='').geturl()}?{urlsplit(ours).query.rpartition('&')[0]}"
    )
    request.context["timestamp"] = query["X-Amz-Date"]
    canonical = theirs.canonical_request(request)
    assert theirs.signature(theirs.string_to_sign(request, canonical), request) == signature
    assert query["X-Amz-Expires"] == "3600"


def test_the_own_port_of_a_scheme_is_not_signed_because_no_client_sends_it() -> None:
    def signature(endpoint: str) -> str:
        signer = Signer(endpoint=endpoint, bucket="b", region="r", access_key="a", secret_key="s")
        url = signer.get("k", signed_at=AT, expires_at=AT + timedelta(hours=1), overrides={})
        return url.rpartition("=")[2]

    assert signature("https://h:443") == signature("https://h")
    assert signature("http://h:80") == signature("http://h")
    assert signature("http://h:8080") != signature("http://h")


def test_an_address_is_valid_for_a_second_at_least_and_a_week_at_most() -> None:
    with pytest.raises(ValueError, match="a second"):
        SIGNER.get("k", signed_at=AT, expires_at=AT, overrides={})
    url = SIGNER.get("k", signed_at=AT, expires_at=AT + timedelta(days=30), overrides={})
    assert "X-Amz-Expires=604800&" in url


def test_a_form_fixes_key_type_and_size_in_its_policy() -> None:
    post = SIGNER.post(
        "k", signed_at=AT, expires_at=AT + timedelta(minutes=15), content_type="image/png", size=7
    )
    policy = json.loads(base64.b64decode(post.fields["policy"]))
    assert post.url == "https://store.example.org:8443/pictures"
    assert policy["expiration"] == "2026-03-04T05:21:07Z"
    for condition in ({"bucket": "pictures"}, {"key": "k"}, {"Content-Type": "image/png"}):
        assert condition in policy["conditions"]
    assert ["content-length-range", 7, 7] in policy["conditions"]
    assert "secret" not in json.dumps([post.url, dict(post.fields)])
    assert "secret" not in repr(SIGNER)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        (None, "attachment"),
        ("", "attachment"),
        ("..", "attachment"),
        ("\r\n", "attachment"),
        ("a.jpg", "attachment; filename=\"a.jpg\"; filename*=UTF-8''a.jpg"),
        ("é;%.jpg", "attachment; filename=\"___.jpg\"; filename*=UTF-8''%C3%A9%3B%25.jpg"),
        ("../../etc/passwd", "attachment; filename=\"_.._etc_passwd\"; filename*=UTF-8''_.._etc_passwd"),
        ('a"b\\c', "attachment; filename=\"a_b_c\"; filename*=UTF-8''a_b_c"),
        ("gpj.\u202eexe", "attachment; filename=\"gpj.exe\"; filename*=UTF-8''gpj.exe"),
    ],
)
def test_a_strangers_file_name_becomes_a_harmless_header(name: str | None, wanted: str) -> None:
    assert content_disposition(name, attachment=True) == wanted


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_no_file_name_breaks_out_of_its_header(name: str) -> None:
    header = content_disposition(name, attachment=False)
    assert header.isascii()
    assert header.isprintable()
    assert header.count('"') in (0, 2)
    assert len(header) < 3000

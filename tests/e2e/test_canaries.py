"""Canary secrets are let loose in the running product, and found nowhere that they don't belong (L02)."""

import base64
import time
from typing import Any

import httpx
import pytest

from tests.e2e.canaries import Canaries, places
from tests.e2e.owner import Owner, Stream, send_direct
from tests.e2e.product import Product
from tests.photographs import CAMERA, LATITUDE, photograph

SECRETS = (
    "ID_SECRET",
    "ACCOUNT_KEY_SECRET",
    "TOKEN_SECRET",
    "JWT_SECRET",
    "JWT_REFRESH_SECRET",
    "S3_SECRET_KEY",
)


@pytest.fixture
def canaries(product: Product) -> Canaries:
    loose = Canaries({"the place of a photograph": str(LATITUDE), "a camera": CAMERA})
    for name in SECRETS:
        loose.known(name, product.world.env[name].rpartition(":")[2])
    for entry in product.world.env["API_KEYS"].split(","):
        loose.known(f"the key of {entry.split(':')[1]}", entry.split(":")[0])
    loose.known("MASTER_KEY", product.world.env["MASTER_KEY"].partition(":")[2])
    return loose


@pytest.fixture
def answers() -> list[httpx.Response]:
    return []


@pytest.fixture
def ada(product: Product, answers: list[httpx.Response]) -> Owner:
    """An owner whose answers are kept."""
    owner = product.owner("ada")
    owner.http.event_hooks["response"].append(answers.append)
    return owner


def test_l02_what_owners_say_stays_between_them_and_their_store(
    product: Product, canaries: Canaries, answers: list[httpx.Response], ada: Owner
) -> None:
    words = {name: canaries.word(f"a {name}") for name in ("title", "description", "tags")}
    with Stream(ada) as stream:
        form = ada.upload_form(photograph(500, 400, tint=230), f"{canaries.word('a file name')}.jpg", **words)
        ada.wait(form)
        stream.wait_for("asset.ready", form["asset_id"])
    granted = ada.presign(photograph(400, 300, tint=231), title=canaries.word("a granted title"))
    canaries.known("an upload token", granted["upload_token"])
    canaries.known("a policy's signature", granted["fields"]["x-amz-signature"])
    assert send_direct(granted, photograph(400, 300, tint=231)).is_success
    detail = ada.wait(ada.complete(granted))
    for name, variant in detail["variants"].items():
        canaries.signatures(name, variant["url"])
    broken = ada.upload_form(b"\xff\xd8\xff" + canaries.word("bytes of no picture").encode() * 50, "x.jpg")
    ada.wait(broken, status="failed")
    _misused(ada, canaries)
    assert _found(product, canaries, answers) == []


def _misused(ada: Owner, canaries: Canaries) -> None:
    """Secrets where they don't belong: in paths, queries, headers and bodies that are refused."""
    http, key = ada.http, {"Idempotency-Key": canaries.word("an Idempotency-Key")}
    body: dict[str, Any] = {"file_name": "x.jpg", "content_type": "image/jpeg", "size": 1000}
    http.post("/v1/uploads/presign", json=body, headers=key)
    for refused in (
        http.get("/v1/assets", headers={"Authorization": f"Bearer {canaries.word('a wrong key')}"}),
        http.get("/v1/assets", headers={"Authorization": f"Basic {canaries.word('basic credentials')}"}),
        http.get("/v1/assets", params={"cursor": canaries.word("a cursor")}),
        http.get("/v1/assets", params={"after": canaries.word("a position")}),
        http.post("/v1/uploads/presign", json=body | {"size": canaries.word("a size")}),
        http.post("/v1/uploads/presign", json=body | {"password": canaries.word("a field")}),
        http.post("/v1/uploads/presign", json=body | {"title": "other"}, headers=key),
        http.post("/v1/uploads/complete", json={"upload_token": canaries.word("a forged token")}),
        http.post("/v1/uploads", content=canaries.word("a broken form").encode()),
    ):
        assert 400 <= refused.status_code < 500
    # A path is told back to whoever asked for it, and to nobody else.
    httpx.get(f"{ada.url}/v1/assets/{canaries.word('a path')}", params={"token": canaries.word("a query")})
    httpx.get(f"{ada.url}/health", headers={"Cookie": canaries.word("a cookie"), "Host": "localhost"})


def test_l02_what_people_say_at_the_doors_is_told_to_nobody(
    product: Product, canaries: Canaries, answers: list[httpx.Response]
) -> None:
    with httpx.Client(base_url=product.url, timeout=30.0, event_hooks={"response": [answers.append]}) as http:
        email = f"{canaries.word('an address')}@example.org"
        password = f"{canaries.word('a password')} of two lamps"
        said = _signed_in(http, canaries, "register", {"email": email, "password": password})
        http.headers["Authorization"] = f"Bearer {said['access_token']}"
        _keyed(http, canaries)
        fresh = {"old": password, "new": f"{canaries.word('a new password')} by the sea"}
        assert http.post("/v1/auth/password", json=fresh).status_code == 204
        _guessed(http, canaries, email)
        said = _signed_in(http, canaries, "login", {"email": email, "password": fresh["new"]})
        first = {"refresh_token": said["refresh_token"]}
        said = _signed_in(http, canaries, "refresh", first)
        _signed_in(http, canaries, "refresh", {"refresh_token": said["refresh_token"]})
        for _ in range(100):  # that is theft, as soon as the read models know
            if http.post("/v1/auth/refresh", json=first).status_code == 401:
                break
            time.sleep(0.05)
        else:
            pytest.fail("an old token is as good as new")
    assert _found(product, canaries, answers) == []


def _signed_in(http: httpx.Client, canaries: Canaries, door: str, body: dict[str, str]) -> dict[str, str]:
    """Registers, logs in or refreshes; all tokens of the answer are let loose, whole and in their parts."""
    answer = http.post(f"/v1/auth/{door}", json=body)
    assert answer.status_code in {200, 201}, answer.text
    said: dict[str, str] = answer.json()
    for name in ("access_token", "refresh_token"):
        canaries.known(f"the {name} of {door} {len(canaries.loose)}", said[name])
        canaries.known(
            f"the end of the {name} of {door} {len(canaries.loose)}", said[name].rpartition(".")[2]
        )
    return said


def _keyed(http: httpx.Client, canaries: Canaries) -> None:
    """A key of one's own: issued, used, misspelt, revoked."""
    issued = http.post(
        "/v1/api-keys", json={"name": canaries.word("a key's name"), "scopes": ["assets:read"]}
    )
    assert issued.status_code == 201, issued.text
    key = issued.json()["key"]
    canaries.known("an issued key", key)
    canaries.known("an issued key's secret", key.split("_", 2)[2])  # which may hold that sign, too
    for shown in (key, key + "x"):
        http.get("/v1/assets", headers={"Authorization": f"Bearer {shown}"})
    assert http.delete(f"/v1/api-keys/{issued.json()['id']}").status_code == 204


def _guessed(http: httpx.Client, canaries: Canaries, email: str) -> None:
    """Wrong passwords, wrong tokens, and secrets where they don't belong."""
    for body in (
        {"email": email, "password": canaries.word("a wrong password")},
        {"email": f"{canaries.word('an unknown address')}@example.org", "password": "wrong"},
        {"email": canaries.word("no address"), "password": canaries.word("a password for no address")},
        {"email": email, "password": "x", "secret": canaries.word("a field")},
    ):
        assert http.post("/v1/auth/login", json=body).status_code in {401, 422}
    forged = {"refresh_token": f"dr1.{canaries.word('a forged token')}"}
    assert http.post("/v1/auth/refresh", json=forged).status_code == 401
    http.post("/v1/auth/refresh", headers={"Cookie": f"darkroom_refresh={canaries.word('a forged cookie')}"})
    weak = {"email": f"{canaries.word('a weak one')}@example.org", "password": "password"}
    assert http.post("/v1/auth/register", json=weak).status_code == 422


def _found(product: Product, canaries: Canaries, answers: list[httpx.Response]) -> list[str]:
    return [found for place, told in places(product, answers) for found in canaries.found_in(place, told)]


def test_the_search_finds_what_is_there(canaries: Canaries) -> None:
    word = canaries.word("a word")
    for told in (word, word.upper(), f'"{word}"', word.encode().hex(), f"https://x/?q={word}"):
        assert canaries.found_in("a place", told.encode()) == ["a word in a place"]
    for before in ("", "a", "ab"):
        told = base64.b64encode(f"{before}{word}cde".encode()).decode()
        assert canaries.found_in("a place", told.encode()) == ["a word in a place"]
    assert canaries.found_in("a place", b"nothing") == []

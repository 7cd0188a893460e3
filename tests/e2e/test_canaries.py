"""Canary secrets are let loose in the running product, and found nowhere that they don't belong (L02)."""

import base64
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

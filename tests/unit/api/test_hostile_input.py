"""Hostile JSON (H03) and hostile strings (H04) at every place of every operation that is described."""

import json
import unicodedata
from typing import Any, Final

import httpx
import pytest

from tests.unit.api.described import (
    JSON_TYPE,
    Asked,
    Operation,
    filled,
    holes,
    operations,
    request_for,
)
from tests.unit.api.doors import ADA, ROOT, Stage, upload
from tests.unit.api.people import is_problem, somebody
from tests.unit.api.test_strict_json import HOSTILE
from tests.unit.api.test_uploads import PRESIGN

STRINGS: Final = {
    "NUL": "a\0b",
    "control characters": "".join(map(chr, range(1, 32))) + "\x7f\x80\x9f",
    "right to left": "\u202egpj.exe\u2066\u2069",
    "emoji": "👩‍👩‍👧‍👦🏳️‍🌈",
    "composed": unicodedata.normalize("NFC", "é가Å"),
    "decomposed": unicodedata.normalize("NFD", "é가Å"),
    "combining": "a" + "\u0301" * 500,
    "no characters": "\ufffe\uffff\ufdd0",
    "byte order mark": "\ufeffx",
    "line separators": "a\u2028b\u2029c\u0085d",
    "carriage return": "a\r\nX-Injected: 1\r\n\r\n",
    "SQL": "'; drop schema api cascade; --",
    "SQL with a cast": "1'::int or $$a$$ = $$a$$ /*",
    "HTML": "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>",
    "template": "{{7*7}}${7*7}%{7*7}#{7*7}",
    "format": "%s%n%d%999999999s{0.__class__}",
    "path": "../../../../etc/passwd",
    "path, encoded": "..%2f..%2fetc%2fpasswd",
    "blank": " \t\u00a0\u3000",
    "empty": "",
    "long": "x" * 9000,
    "a number": "1e400",
    "not a number": "NaN",
    "null": "null",
}
VALUES: Final[tuple[Any, ...]] = (None, True, -1, 10**18, 1.5, [], [[]], {}, {"a": {}}, "x" * 15_000)
SURROGATES: Final = ('"\\ud800"', '"\\udfff\\ud800"')
BODIES: Final = [operation for operation in operations() if operation.body is not None]
PLACES: Final = [
    pytest.param(operation, parameter["in"], parameter["name"], id=f"{operation.name} {parameter['name']}")
    for operation in operations()
    for parameter in operation.parameters
    if parameter["in"] != "cookie"
]


async def sent(on: Stage, asked: Asked, key: str) -> httpx.Response:
    return await on.client(key).request(
        asked.method,
        asked.path,
        params=asked.params,
        headers={name.encode(): value for name, value in asked.headers.items()},
        content=asked.content,
    )


def is_fine(operation: Operation, answer: httpx.Response, what: object) -> None:
    """No fault, and nothing that the description does not know; text in place of a path's id may miss it."""
    assert answer.status_code < 500, (operation.name, what, answer.text)
    assert answer.status_code in operation.statuses | {404, 405}, (operation.name, what, answer.status_code)
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json", (operation.name, what)
        assert answer.json()["status"] == answer.status_code
    assert "x-injected" not in answer.headers


@pytest.mark.parametrize("operation", BODIES, ids=lambda operation: operation.name)
async def test_h03_hostile_json_is_the_clients_fault(on: Stage, operation: Operation) -> None:
    for name, data in HOSTILE.items():
        answer = await sent(on, request_for(operation, content=data), ROOT)
        assert 400 <= answer.status_code < 500, (operation.name, name)
        is_fine(operation, answer, name)


@pytest.mark.parametrize("operation", BODIES, ids=lambda operation: operation.name)
async def test_h03_values_of_other_types_are_the_clients_fault(on: Stage, operation: Operation) -> None:
    body = operation.sample()
    assert body
    for path in holes(body):
        for value in VALUES:
            content = json.dumps(filled(body, path, value)).encode()
            is_fine(operation, await sent(on, request_for(operation, content=content), ROOT), (path, value))
    for extra in ("owner_id", "role", "status", "__proto__", "user_id", ""):
        content = json.dumps({**body, extra: "admin"}).encode()
        is_fine(operation, await sent(on, request_for(operation, content=content), ROOT), extra)


@pytest.mark.parametrize("operation", BODIES, ids=lambda operation: operation.name)
async def test_h04_hostile_strings_in_bodies(on: Stage, operation: Operation) -> None:
    body = operation.sample()
    for path in holes(body):
        for name, text in STRINGS.items():
            content = json.dumps(filled(body, path, text)).encode()
            is_fine(operation, await sent(on, request_for(operation, content=content), ROOT), (path, name))
        for surrogate in SURROGATES:
            content = json.dumps(filled(body, path, "@")).replace('"@"', surrogate).encode()
            answer = await sent(on, request_for(operation, content=content), ROOT)
            assert 400 <= answer.status_code < 500, (operation.name, path)
            is_fine(operation, answer, (path, surrogate))


@pytest.mark.parametrize(("operation", "place", "name"), PLACES)
async def test_h04_hostile_strings_beside_bodies(
    on: Stage, operation: Operation, place: str, name: str
) -> None:
    for what, text in STRINGS.items():
        asked = request_for(operation, place=place, name=name, text=text)
        is_fine(operation, await sent(on, asked, ADA), what)


@pytest.mark.parametrize("name", STRINGS)
async def test_h04_words_come_back_as_they_were_or_are_refused(on: Stage, name: str) -> None:
    text = STRINGS[name][:200]
    accepted, _ = await upload(on)
    answer = await on.client().post(
        "/v1/uploads/presign", json={**PRESIGN, "title": text, "description": text}
    )
    assert answer.status_code == (400 if "\0" in text else 201)
    if answer.status_code == 201:
        on.reads.catch_up()
        detail = (await on.client().get(f"/v1/assets/{answer.json()['asset_id']}")).json()
        assert (detail["title"], detail["description"]) == (text, text)
    assert (await on.client().get(f"/v1/assets/{accepted['asset_id']}")).status_code == 200


async def test_the_description_names_bodies_and_places() -> None:
    assert {operation.name for operation in BODIES} >= {
        "POST /v1/uploads/presign",
        "POST /v1/uploads/complete",
    }
    assert len(PLACES) > 10
    assert all(request_for(operation).headers["content-type"] == JSON_TYPE.encode() for operation in BODIES)


@pytest.mark.parametrize(
    "moment", ["1", "0.5", "2026-03-01", "2026-03-01T12:00:00", "0001-01-01T00:00:00+14:00"]
)
@pytest.mark.parametrize(
    ("path", "name"), [("/v1/assets", "from"), ("/v1/audit", "since"), ("/v1/dead-letters", "until")]
)
async def test_h12_a_moment_has_a_date_a_time_and_a_zone(
    on: Stage, path: str, name: str, moment: str
) -> None:
    admin = await somebody(on, role="admin")
    answer = await admin.client().get(path, params={name: moment})
    is_problem(answer, 422, "invalid-request")
    assert answer.json()["errors"][0]["location"] == f"query.{name}"

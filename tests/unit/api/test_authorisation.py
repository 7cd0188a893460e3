"""A18, A20: who may do what, as one table over every operation that the description knows.

A row says what each caller is answered on something that is the user's own: `nobody` has no credential,
`expired` and `revoked` hold tokens of the user's that are worth nothing, `key` is an API key of the user's
without the scope that is needed, `other` is another person, `admin` an administrator who logged in.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest

from ops.docs_openapi import described
from tests.unit.api.doors import JPEG, Stage, ready, stage, started
from tests.unit.api.people import PASSWORD, Person, log_in, person_of, somebody

CALLERS: Final = ("nobody", "expired", "revoked", "key", "other", "user", "admin")
OPEN: Final = [
    "/v1/auth/register",
    "/v1/auth/login",
    "/v1/auth/refresh",
    "/v1/erasures",
    "/s/",
    "/health",
    "/livez",
    "/readyz",
]

#                                                  nobody expired revoked  key  other user admin
TABLE: Final[dict[str, tuple[int, int, int, int, int, int, int]]] = {
    "POST /v1/auth/register":                         (201, 201, 201, 201, 201, 201, 201),
    "POST /v1/auth/login":                            (200, 200, 200, 200, 200, 200, 200),
    "POST /v1/auth/refresh":                          (200, 200, 200, 200, 200, 200, 200),
    "POST /v1/auth/logout":                           (401, 401, 401, 403, 204, 204, 204),
    "POST /v1/auth/password":                         (401, 401, 401, 403, 204, 204, 204),
    "GET /v1/auth/me":                                (401, 401, 401, 200, 200, 200, 200),
    "GET /v1/auth/sessions":                          (401, 401, 401, 403, 200, 200, 200),
    "DELETE /v1/auth/sessions/{session_id}":          (401, 401, 401, 403, 404, 204, 404),
    "GET /v1/auth/activity":                          (401, 401, 401, 403, 200, 200, 200),
    "POST /v1/api-keys":                              (401, 401, 401, 403, 201, 201, 201),
    "GET /v1/api-keys":                               (401, 401, 401, 403, 200, 200, 200),
    "DELETE /v1/api-keys/{key_id}":                   (401, 401, 401, 403, 404, 204, 404),
    "POST /v1/uploads/presign":                       (401, 401, 401, 403, 201, 201, 201),
    "POST /v1/uploads/complete":                      (401, 401, 401, 403, 404, 202, 404),
    "POST /v1/uploads/multipart":                     (401, 401, 401, 403, 201, 201, 201),
    "GET /v1/uploads/{upload_id}/parts":              (401, 401, 401, 403, 404, 200, 404),
    "POST /v1/uploads/{upload_id}/parts":             (401, 401, 401, 403, 404, 200, 404),
    "DELETE /v1/uploads/{upload_id}":                 (401, 401, 401, 403, 404, 204, 404),
    "POST /v1/uploads":                               (401, 401, 401, 403, 202, 202, 202),
    "GET /v1/assets":                                 (401, 401, 401, 403, 200, 200, 200),
    "GET /v1/assets/{asset_id}":                      (401, 401, 401, 403, 404, 200, 404),
    "GET /v1/assets/{asset_id}/status":               (401, 401, 401, 403, 404, 200, 404),
    "GET /v1/assets/{asset_id}/variants/{name}":      (401, 401, 401, 403, 404, 307, 404),
    "GET /v1/assets/{asset_id}/download":             (401, 401, 401, 403, 404, 307, 404),
    "PATCH /v1/assets/{asset_id}":                    (401, 401, 401, 403, 404, 200, 404),
    "DELETE /v1/assets/{asset_id}":                   (401, 401, 401, 403, 404, 204, 404),
    "POST /v1/assets/{asset_id}/restore":             (401, 401, 401, 403, 404, 200, 404),
    "POST /v1/assets/{asset_id}/reprocess":           (401, 401, 401, 403, 404, 202, 404),
    "GET /v1/assets/{asset_id}/history":              (401, 401, 401, 403, 404, 200, 404),
    "GET /v1/assets/{asset_id}/metadata":             (401, 401, 401, 403, 404, 200, 404),
    "POST /v1/assets/{asset_id}/links":               (401, 401, 401, 403, 404, 201, 404),
    "GET /v1/assets/{asset_id}/links":                (401, 401, 401, 403, 404, 200, 404),
    "DELETE /v1/assets/{asset_id}/links/{link_id}":   (401, 401, 401, 403, 404, 204, 404),
    "GET /s/{token}":                                 (307, 307, 307, 307, 307, 307, 307),
    "GET /v1/storage/stats":                          (401, 401, 401, 403, 200, 200, 200),
    "GET /v1/usage":                                  (401, 401, 401, 403, 200, 200, 200),
    "GET /v1/jobs":                                   (401, 401, 401, 403, 200, 200, 200),
    "GET /v1/jobs/stats":                             (401, 401, 401, 403, 403, 403, 200),
    "GET /v1/jobs/{job_id}":                          (401, 401, 401, 403, 404, 200, 200),
    "POST /v1/jobs/{job_id}/retry":                   (401, 401, 401, 403, 404, 409, 409),
    "DELETE /v1/jobs/{job_id}":                       (401, 401, 401, 403, 404, 409, 409),
    "GET /v1/dead-letters":                           (401, 401, 401, 403, 403, 403, 200),
    "GET /v1/dead-letters/{letter_id}":               (401, 401, 401, 403, 403, 403, 404),
    "POST /v1/dead-letters/{letter_id}/redrive":      (401, 401, 401, 403, 403, 403, 404),
    "DELETE /v1/dead-letters/{letter_id}":            (401, 401, 401, 403, 403, 403, 404),
    "POST /v1/workers/{component}/resume":           (401, 401, 401, 403, 403, 403, 202),
    "POST /v1/runs":                                  (401, 401, 401, 403, 202, 202, 202),
    "GET /v1/runs":                                   (401, 401, 401, 403, 200, 200, 200),
    "GET /v1/runs/{run_id}":                          (401, 401, 401, 403, 404, 200, 200),
    "POST /v1/runs/{run_id}/{step}":                  (401, 401, 401, 403, 404, 200, 200),
    "GET /v1/notifications/stream":                   (401, 401, 401, 403, 200, 200, 200),
    "POST /v1/notifications/session":                (401, 401, 401, 403, 204, 204, 204),
    "POST /v1/notifications/ticket":                 (401, 401, 401, 403, 200, 200, 200),
    "GET /v1/users":                                  (401, 401, 401, 403, 403, 403, 200),
    "PATCH /v1/users/{user_id}":                      (401, 401, 401, 403, 403, 403, 200),
    "DELETE /v1/users/{user_id}":                     (401, 401, 401, 403, 404, 202, 202),
    "GET /v1/erasures/{erasure_id}":                  (404, 404, 404, 404, 404, 404, 404),
    "GET /v1/audit":                                  (401, 401, 401, 403, 403, 403, 200),
    "GET /v1/projections":                           (401, 401, 401, 403, 403, 403, 200),
    "GET /v1/health":                                (401, 401, 401, 403, 403, 403, 200),
    "GET /health":                                    (200, 200, 200, 200, 200, 200, 200),
    "GET /livez":                                     (200, 200, 200, 200, 200, 200, 200),
    "GET /readyz":                                    (200, 200, 200, 200, 200, 200, 200),
}  # fmt: skip
READS: Final = [name for name in TABLE if name.startswith("GET")]


@dataclass
class Cast:
    """The user, what is theirs, and everybody else, on a stage of their own."""

    on: Stage
    user: Person
    other: Person
    admin: Person
    credentials: dict[str, str | None] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    upload_token: str = ""
    parts_token: str = ""


@asynccontextmanager
async def cast() -> AsyncIterator[Cast]:
    off = dict.fromkeys(("RATE_REGISTRATIONS", "RATE_LOGIN_NETWORK", "RATE_LOGIN_ACCOUNT"), "off")
    async with stage(**off) as on, on.living():
        early = await somebody(on)
        on.clock.advance(timedelta(minutes=20))
        user, elsewhere, gone = [person_of(on, await log_in(on)) for _ in range(3)]
        made = Cast(
            on,
            user,
            await somebody(on, "ben@example.org"),
            await somebody(on, "root@example.org", role="admin"),
        )
        await gone.client().post("/v1/auth/logout")
        made.credentials = {
            "nobody": None,
            "expired": early.access,
            "revoked": gone.access,
            "other": made.other.access,
            "user": user.access,
            "admin": made.admin.access,
        }
        await _belongings(made, elsewhere)
        yield made


async def _belongings(made: Cast, elsewhere: Person) -> None:
    on, client = made.on, made.user.client()
    accepted = (await client.post("/v1/uploads", files={"file": ("harbour.jpg", JPEG, "image/jpeg")})).json()
    completed: Any = on.events()[-1]
    await on.append(started(completed, on.clock.now()))
    beside = f"assets/{completed.asset_id}/original/metadata.json"
    await on.store.put(beside, b'{"exif":{"Model":"NIKON Z 6"}}', content_type="application/json")
    await on.append(replace(ready(completed, on.clock.now()), metadata_key=beside))
    size = {"file_name": "b.jpg", "content_type": "image/jpeg", "size": len(JPEG)}
    granted = (await client.post("/v1/uploads/presign", json=size)).json()
    await on.store.put(granted["fields"]["key"], JPEG[::-1], content_type="image/jpeg")
    in_parts = (await client.post("/v1/uploads/multipart", json=size)).json()
    on.reads.catch_up()
    on.reads.keeps_up = True
    key = (await client.post("/v1/api-keys", json={"name": "k", "scopes": ["assets:read"]})).json()
    on.reads.keeps_up = True
    link = (await client.post(f"/v1/assets/{accepted['asset_id']}/links", json={})).json()
    sessions = (await elsewhere.client().get("/v1/auth/sessions")).json()["items"]
    run_id = (await client.post("/v1/runs", json={"kind": "regenerate"})).json()["run_id"]
    await client.post(f"/v1/runs/{run_id}/cancel")  # one that is open would stand in another's way
    made.upload_token = granted["upload_token"]
    made.parts_token = in_parts["upload_token"]
    made.names = {
        "upload_id": in_parts["upload_id"],
        "session_id": next(item["id"] for item in sessions if item["current"]),
        "key_id": key["id"],
        "asset_id": accepted["asset_id"],
        "job_id": accepted["job_id"],
        "letter_id": "0-0",
        "name": "small",
        "component": "variants",
        "user_id": str(made.user.user_id),
        "erasure_id": str(uuid4()),
        "link_id": link["id"],
        "run_id": run_id,
        "step": "cancel",
        "token": link["url"].rpartition("/")[2],
    }


OPERATIONS: Final = {
    f"{method.upper()} {path}": operation
    for path, item in json.loads(described())["paths"].items()
    for method, operation in item.items()
}


def test_every_operation_has_its_row_and_every_row_its_operation() -> None:
    assert OPERATIONS.keys() == TABLE.keys()


def test_what_is_open_to_strangers_is_said_to_be_so_and_nothing_else_is() -> None:
    for name, operation in OPERATIONS.items():
        path = name.partition(" ")[2]
        assert ("security" not in operation) == path.startswith(tuple(OPEN)), name
        assert (TABLE[name][0] == 401) == ("security" in operation), name


async def test_each_caller_reads_what_the_table_says() -> None:
    answered = {}
    async with cast() as made:
        for operation in READS:
            answered[operation] = tuple([await _answered(made, operation, caller) for caller in CALLERS])
    assert answered == {operation: TABLE[operation] for operation in READS}


@pytest.mark.parametrize("operation", [name for name in TABLE if name not in READS])
async def test_each_caller_writes_what_the_table_says(operation: str) -> None:
    async with cast() as made:
        answered = [await _answered(made, operation, caller) for caller in CALLERS[:-1]]
    async with cast() as made:  # of whom the others erased, an administrator would find nobody
        answered.append(await _answered(made, operation, "admin"))
    assert tuple(answered) == TABLE[operation]


async def _answered(made: Cast, operation: str, caller: str) -> int:
    if caller == "key":
        needed = [*OPERATIONS[operation].get("security", [{"key": []}])[0]["key"]]
        made.credentials["key"] = await _key_without(made, needed)
    return (await _ask(made, operation, caller)).status_code


async def _key_without(made: Cast, needed: list[str]) -> str:
    """An API key of the user's that has every scope of theirs but what is needed."""
    scopes = [scope for scope in ("assets:read", "assets:write", "generate") if scope not in needed]
    answer = await made.user.client().post("/v1/api-keys", json={"name": "without", "scopes": scopes})
    return str(answer.json()["key"])


async def _ask(made: Cast, operation: str, caller: str) -> httpx.Response:
    method, _, template = operation.partition(" ")
    path = template.format(**made.names)
    asked: dict[str, Any] = {}
    body = _body(made, operation, caller)
    if "files" in body:
        asked = body
    elif body:
        asked = {"json": body}
    if "{upload_id}" in template:
        asked["headers"] = {"Upload-Token": made.parts_token}
    client = made.on.client(made.credentials[caller])
    if template != "/v1/notifications/stream":
        return await client.request(method, path, **asked)
    return await client.head(path)  # the same door, without waiting for what never ends


def _body(made: Cast, operation: str, caller: str) -> dict[str, Any]:
    person = {"other": made.other, "admin": made.admin}.get(caller, made.user)
    bodies: dict[str, dict[str, Any]] = {
        "POST /v1/auth/register": {"email": f"{uuid4().hex}@example.org", "password": PASSWORD},
        "POST /v1/auth/login": {"email": "ada@example.org", "password": PASSWORD},
        "POST /v1/auth/refresh": {"refresh_token": person.refresh},
        "POST /v1/auth/password": {"old": PASSWORD, "new": "seven blue boats on a lake"},
        "POST /v1/api-keys": {"name": "another", "scopes": ["assets:read"]},
        "POST /v1/uploads/presign": {"file_name": "a.jpg", "content_type": "image/jpeg", "size": 7},
        "POST /v1/uploads/multipart": {"file_name": "a.jpg", "content_type": "image/jpeg", "size": 7},
        "POST /v1/uploads/{upload_id}/parts": {"parts": [1]},
        "POST /v1/uploads/complete": {"upload_token": made.upload_token},
        "POST /v1/uploads": {"files": {"file": ("harbour.jpg", JPEG + b"another", "image/jpeg")}},
        "PATCH /v1/users/{user_id}": {"role": "admin"},
        "DELETE /v1/users/{user_id}": {"password": PASSWORD},
        "PATCH /v1/assets/{asset_id}": {"title": "Bay"},
        "POST /v1/runs": {"kind": "regenerate"},
        "POST /v1/assets/{asset_id}/links": {"variant": "small"},
    }
    return bodies.get(operation, {})


async def test_a20_what_is_somebody_elses_looks_like_what_never_was() -> None:
    async with cast() as made:
        theirs = made.names
        nobodys = theirs | {name: str(uuid4()) for name in theirs if name.endswith("_id")}
        for operation in (name for name in TABLE if "_id}" in name and "erasure" not in name):
            answers = []
            for made.names in (theirs, nobodys):
                answers.append(await _ask(made, operation, "other"))
            one, other = [{**answer.json(), "instance": ""} for answer in answers]
            assert one == other, operation
            assert answers[0].headers.keys() == answers[1].headers.keys()

"""Hostile strings on a real database (H04): what fakes would take, Postgres and the log must survive too."""

import json
from collections.abc import Iterator

import httpx
import psycopg
import pytest

from tests.integration.api.running import ADA, BEN, RunningDoors, open_doors
from tests.servers import World
from tests.unit.api.described import Asked, Operation, filled, holes, operations, request_for
from tests.unit.api.test_hostile_input import STRINGS

ADMIN = "admin-key-0123456789abcdef"
# Those that a database, a log or a store could stumble over; the others differ for browsers alone.
SHARP = {
    name: STRINGS[name]
    for name in (
        "NUL",
        "control characters",
        "no characters",
        "SQL",
        "SQL with a cast",
        "format",
        "path",
        "long",
    )
}
PRESIGN = {"content_type": "image/jpeg", "size": 1000}


@pytest.fixture(scope="module")
def doors(world: World) -> Iterator[RunningDoors]:
    keys = f"{ADA}:ada:user,{BEN}:ben:user,{ADMIN}:root:admin"
    with open_doors(world, API_KEYS=keys) as opened:
        yield opened


@pytest.fixture(scope="module")
def admin(doors: RunningDoors) -> httpx.Client:
    return doors.client(ADMIN)


def sent(client: httpx.Client, asked: Asked) -> httpx.Response:
    return client.request(
        asked.method,
        asked.path,
        params=asked.params,
        headers={name.encode(): value for name, value in asked.headers.items()},
        content=asked.content,
    )


def is_fine(operation: Operation, answer: httpx.Response, what: object) -> None:
    assert answer.status_code in operation.statuses - {500} | {404, 405}, (operation.name, what, answer.text)


def test_h04_hostile_strings_beside_bodies_reach_no_fault(admin: httpx.Client) -> None:
    for operation in operations():
        for parameter in operation.parameters:
            for name, text in SHARP.items():
                if parameter["in"] == "header" and not text.isprintable():
                    continue  # the parser's business: tests/unit/api/test_listener.py
                place = (parameter["in"], parameter["name"])
                asked = request_for(operation, place=place[0], name=place[1], text=text)
                is_fine(operation, sent(admin, asked), (*place, name))


def test_h04_hostile_strings_in_bodies_reach_no_fault(admin: httpx.Client) -> None:
    for operation in operations():
        body = operation.sample() if operation.body is not None else {}
        for path in holes(body):
            for name, text in SHARP.items():
                content = json.dumps(filled(body, path, text)).encode()
                is_fine(operation, sent(admin, request_for(operation, content=content)), (path, name))


@pytest.mark.parametrize("name", [name for name in STRINGS if name not in {"NUL", "empty", "blank"}])
def test_h04_words_come_back_from_log_and_database_as_they_were(doors: RunningDoors, name: str) -> None:
    text = STRINGS[name][:200]
    client = doors.client()
    body = {**PRESIGN, "file_name": f"{text[:200]}.jpg", "title": text, "description": text}
    granted = client.post("/v1/uploads/presign", json=body)
    assert granted.status_code == 201, granted.text
    detail = client.get(granted.headers["location"]).json()
    assert (detail["title"], detail["description"], detail["file_name"]) == (text, text, f"{text}.jpg")


def test_h04_everything_is_still_there(doors: RunningDoors) -> None:
    assert doors.client().get("/v1/assets").status_code == 200
    with psycopg.connect(doors.world.env["DATABASE_URL"]) as connection:
        found = {row[0] for row in connection.execute("select nspname from pg_namespace")}
    assert {"api", "infra", "live"} <= found
    assert '"level": "error"' not in doors.api.output()
    assert "Traceback" not in doors.api.output()

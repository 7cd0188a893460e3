"""The description of the API stands beside the code, fits it, and every example in it is true."""

import json
import re
from typing import Any

import pytest

from api.problems import CATALOGUE
from ops.docs_openapi import FILE, described

DOCUMENT: dict[str, Any] = json.loads(described())
OPERATIONS = [
    (method.upper(), path, operation)
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
]


STRANGERS = {
    "/v1/auth/register",
    "/v1/auth/login",
    "/v1/auth/refresh",
    "/v1/erasures/{erasure_id}",
}


def test_the_committed_description_is_the_codes() -> None:
    assert FILE.read_text() == described(), "run `python -m ops docs openapi`"


DOORS = {
    ("POST", "/v1/uploads/presign"),
    ("POST", "/v1/uploads/multipart"),
    ("GET", "/v1/uploads/{upload_id}/parts"),
    ("POST", "/v1/uploads/{upload_id}/parts"),
    ("DELETE", "/v1/uploads/{upload_id}"),
    ("POST", "/v1/uploads/complete"),
    ("POST", "/v1/uploads"),
    ("GET", "/v1/assets"),
    ("GET", "/v1/assets/{asset_id}"),
    ("GET", "/v1/assets/{asset_id}/status"),
    ("GET", "/v1/assets/{asset_id}/variants/{name}"),
    ("GET", "/v1/assets/{asset_id}/download"),
    ("PATCH", "/v1/assets/{asset_id}"),
    ("DELETE", "/v1/assets/{asset_id}"),
    ("POST", "/v1/assets/{asset_id}/restore"),
    ("POST", "/v1/assets/{asset_id}/reprocess"),
    ("GET", "/v1/assets/{asset_id}/history"),
    ("GET", "/v1/assets/{asset_id}/metadata"),
    ("POST", "/v1/assets/{asset_id}/links"),
    ("GET", "/v1/assets/{asset_id}/links"),
    ("DELETE", "/v1/assets/{asset_id}/links/{link_id}"),
    ("GET", "/s/{token}"),
    ("GET", "/v1/jobs"),
    ("GET", "/v1/jobs/stats"),
    ("GET", "/v1/jobs/{job_id}"),
    ("POST", "/v1/jobs/{job_id}/retry"),
    ("DELETE", "/v1/jobs/{job_id}"),
    ("GET", "/v1/dead-letters"),
    ("GET", "/v1/dead-letters/{letter_id}"),
    ("POST", "/v1/dead-letters/{letter_id}/redrive"),
    ("POST", "/v1/workers/{component}/resume"),
    ("DELETE", "/v1/dead-letters/{letter_id}"),
    ("POST", "/v1/runs"),
    ("GET", "/v1/runs"),
    ("GET", "/v1/runs/{run_id}"),
    ("POST", "/v1/runs/{run_id}/{step}"),
    ("GET", "/v1/notifications/stream"),
    ("POST", "/v1/notifications/session"),
    ("POST", "/v1/notifications/ticket"),
    ("POST", "/v1/auth/register"),
    ("POST", "/v1/auth/login"),
    ("POST", "/v1/auth/refresh"),
    ("POST", "/v1/auth/logout"),
    ("POST", "/v1/auth/password"),
    ("GET", "/v1/auth/me"),
    ("GET", "/v1/auth/sessions"),
    ("DELETE", "/v1/auth/sessions/{session_id}"),
    ("GET", "/v1/auth/activity"),
    ("POST", "/v1/api-keys"),
    ("GET", "/v1/api-keys"),
    ("DELETE", "/v1/api-keys/{key_id}"),
    ("GET", "/v1/users"),
    ("PATCH", "/v1/users/{user_id}"),
    ("DELETE", "/v1/users/{user_id}"),
    ("GET", "/v1/erasures/{erasure_id}"),
    ("GET", "/v1/projections"),
    ("GET", "/v1/health"),
    ("GET", "/v1/audit"),
    ("GET", "/v1/storage/stats"),
    ("GET", "/v1/usage"),
    ("GET", "/health"),
    ("GET", "/livez"),
    ("GET", "/readyz"),
}


def test_every_door_is_described() -> None:
    assert {(method, path) for method, path, _ in OPERATIONS} == DOORS
    assert DOCUMENT["openapi"].startswith("3.1")


APPENDS_NOTHING = {("POST", "/v1/uploads/{upload_id}/parts")}


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_an_operation_is_complete(method: str, path: str, operation: dict[str, Any]) -> None:
    assert operation["summary"]
    assert operation["description"]
    assert operation["tags"]
    assert re.fullmatch(r"[a-z_]+", operation["operationId"])
    answers = operation["responses"]
    assert {"400", "500"} <= answers.keys()
    if path.startswith("/v1/"):
        assert "503" in answers
    if path.startswith("/v1/") and path not in STRANGERS:
        (needed,) = operation["security"]
        assert needed.keys() == {"key"}
        assert {"401", "403"} <= answers.keys()
    if "requestBody" in operation:
        assert {"413", "415", "422"} <= answers.keys()
    if method in {"POST", "PATCH", "DELETE"} and (method, path) not in APPENDS_NOTHING:
        assert "Idempotency-Key" in {parameter["name"] for parameter in operation["parameters"]}
    if method == "GET" and path.startswith(("/v1/assets", "/v1/jobs", "/v1/auth", "/v1/users", "/v1/audit")):
        assert {"after", "Darkroom-Position"} <= {p["name"] for p in operation["parameters"]}


def references(value: Any) -> set[str]:
    match value:
        case dict():
            own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
            return own.union(*(references(inner) for inner in value.values()))
        case list():
            return set[str]().union(*(references(inner) for inner in value))
        case _:
            return set()


def test_every_reference_leads_somewhere() -> None:
    for reference in references(DOCUMENT):
        found: Any = DOCUMENT
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
        assert found


def test_every_problem_is_shown_with_its_type_and_status() -> None:
    shown = {
        example["value"]["type"]: int(name.removeprefix("Problem"))
        for name, answer in DOCUMENT["components"]["responses"].items()
        for example in answer["content"]["application/problem+json"]["examples"].values()
    }
    assert shown == {
        f"/problems/{kind.type_}": kind.status for kind in CATALOGUE if kind.status not in {405, 431}
    }


def test_bodies_have_examples() -> None:
    for name in (
        "RequestUpload",
        "CompleteUpload",
        "UploadAccepted",
        "Variant",
        "Register",
        "SignedIn",
        "IssueApiKey",
    ):
        schema = DOCUMENT["components"]["schemas"][name]
        for field in schema["required"]:
            properties = schema["properties"][field]
            assert "examples" in properties or properties.get("format") in {"uuid", "date-time"}, (
                name,
                field,
            )

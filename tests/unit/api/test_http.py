"""The habits of every door: problems, limits, hosts, origins, headers, types."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import structlog

from api import bodies, health
from tests.unit.api.doors import ADA, JPEG, Stage, stage
from tests.unit.api.people import is_problem
from tests.unit.api.test_strict_json import HOSTILE
from tests.unit.api.test_uploads import PRESIGN

JSON_ROUTES = ("/v1/uploads/presign", "/v1/uploads/complete")
PROBLEM = "application/problem+json"


@pytest.mark.parametrize("route", JSON_ROUTES)
@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
async def test_hostile_json_is_a_problem_of_the_client(on: Stage, route: str, data: bytes) -> None:
    answer = await on.client().post(route, content=data, headers={"content-type": "application/json"})
    if len(data) > on.settings.limits.json_bytes:
        is_problem(answer, 413, "too-large")
    else:
        is_problem(answer, 400, "malformed-request")


@pytest.mark.parametrize("route", JSON_ROUTES)
@pytest.mark.parametrize("value", [None, True, 1, 1.5, "text", [], [{}], {}, {"upload_token": 1}, {"x": {}}])
async def test_json_of_another_shape_is_invalid(on: Stage, route: str, value: Any) -> None:
    headers = {"content-type": "application/json"}
    answer = await on.client().post(route, content=json.dumps(value), headers=headers)
    is_problem(answer, 422, "invalid-request")
    assert answer.json()["errors"]
    assert all(error["location"].startswith("body") for error in answer.json()["errors"])


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "text/plain"},
        {"content-type": "multipart/form-data; boundary=x"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "application/json; charset=latin-1"},
        {"content-type": "application/json", "content-encoding": "gzip"},
    ],
)
async def test_bodies_of_other_types_are_not_read(on: Stage, headers: dict[str, str]) -> None:
    for route in JSON_ROUTES:
        answer = await on.client().post(route, content=b"{}", headers=headers)
        is_problem(answer, 415, "unsupported-media-type")


async def endless() -> AsyncIterator[bytes]:
    while True:
        yield b" " * 1000


@pytest.mark.parametrize("content", [b" " * 20_001, endless()], ids=["declared", "endless"])
async def test_bodies_end_at_their_limit(on: Stage, content: Any) -> None:
    headers = {"content-type": "application/json"}
    answer = await on.client().post("/v1/uploads/presign", content=content, headers=headers)
    is_problem(answer, 413, "too-large")
    assert answer.json()["limit"] == 20_000
    assert answer.headers["connection"] == "close"


async def test_a_declared_size_is_refused_without_reading(on: Stage) -> None:
    taken = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal taken
        for _ in range(1000):
            taken += 1
            yield b" " * 1_000_000

    headers = {"content-type": "application/json", "content-length": "1000000000", "expect": "100-continue"}
    answer = await on.client().post("/v1/uploads/presign", content=body(), headers=headers)
    is_problem(answer, 413, "too-large")
    assert taken == 0


async def test_whoever_stops_sending_is_cut(on: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "JSON_SECONDS", 0.05)

    async def stalled() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(10)

    headers = {"content-type": "application/json"}
    answer = await on.client().post("/v1/uploads/presign", content=stalled(), headers=headers)
    is_problem(answer, 408, "request-timeout")
    assert answer.headers["connection"] == "close"


@pytest.mark.parametrize("length", ["+1", "-1", "1e3", "x", "٣"])
async def test_impossible_lengths(on: Stage, length: str) -> None:
    headers = {b"content-type": b"application/json", b"content-length": length.encode()}
    answer = await on.client().post("/v1/uploads/presign", content=b"{}", headers=headers)
    is_problem(answer, 400, "malformed-request")


async def test_unknown_paths_and_methods(on: Stage) -> None:
    is_problem(await on.client().get("/v1/nothing"), 404, "not-found")
    is_problem(await on.client().get("/v1/assets/"), 404, "not-found")
    answer = await on.client().delete("/v1/assets")
    is_problem(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] == "GET"
    is_problem(await on.client().get("/v1/assets/not-an-id"), 422, "invalid-request")


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic YTpi",
        "Bearer wrong",
        f"Token {ADA}",
        ADA,
        f"Bearer {ADA}x",
        "Bearer " + "x" * 5000,
    ],
)
async def test_only_believed_credentials_enter(on: Stage, authorization: str) -> None:
    client = on.client(None)
    for method, path in (("GET", "/v1/assets"), ("POST", "/v1/uploads/presign"), ("POST", "/v1/uploads")):
        answer = await client.request(method, path, headers={"Authorization": authorization})
        is_problem(answer, 401, "unauthenticated")
        assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "hosts", [[], ["testserver", "testserver"], ["evil.example"], ["testserver.evil.example"], [""]]
)
async def test_other_hosts_are_not_answered_for(on: Stage, hosts: list[str]) -> None:
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/health",
        "query_string": b"",
        "headers": [(b"host", host.encode()) for host in hosts],
    }
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        raise AssertionError

    await on.doors.asgi(scope, receive, send)
    assert sent[0]["status"] == 400
    assert json.loads(sent[1]["body"])["type"] == "/problems/unknown-host"


async def test_host_names_are_compared_without_port_and_case(on: Stage) -> None:
    for host in ("testserver", "TESTSERVER:8000"):
        answer = await on.client().get("/health", headers={"host": host})
        assert answer.status_code == 200


async def test_every_answer_carries_its_headers(on: Stage) -> None:
    for path in ("/health", "/v1/nothing", "/v1/assets", "/docs"):
        headers = (await on.client().get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe-inline" not in headers["content-security-policy"].partition("style-src")[0]


async def test_a_request_id_is_taken_over_where_it_is_one(on: Stage) -> None:
    given = str(uuid4())
    answer = await on.client().get("/health", headers={"X-Request-Id": given})
    assert answer.headers["x-request-id"] == given
    for hostile in ("1", "a" * 5000, "x\u2028y"):
        answer = await on.client().get("/health", headers={b"X-Request-Id": hostile.encode()})
        assert UUID(answer.headers["x-request-id"]).version == 7


async def test_the_requests_id_and_trace_travel_with_its_events(on: Stage) -> None:
    given, trace = str(uuid4()), "0af7651916cd43dd8448eb211c80319c"
    headers = {"X-Request-Id": given, "traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    await on.client().post("/v1/uploads/presign", json=PRESIGN, headers=headers)
    said = dict(on.log.records[-1].headers)
    assert said["correlationid"].decode() == given
    assert trace in said["traceparent"].decode()


async def test_a_fault_of_ours_tells_nothing(on: Stage) -> None:
    async def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("select secret from /etc/passwd")

    on.reads.assets_page = broken  # type: ignore[method-assign]
    with structlog.testing.capture_logs() as lines:
        answer = await on.client().get("/v1/assets")
    is_problem(answer, 500, "internal")
    assert [line["event"] for line in lines] == ["request_failed", "request"]
    assert "secret" not in answer.text
    assert "detail" not in answer.json()


ORIGIN = "https://gallery.example.org"


@pytest.mark.parametrize(
    "origin", [ORIGIN, "null", f"{ORIGIN}.evil.example", "https://evil.example", "http://gallery.example.org"]
)
async def test_only_listed_origins_may_call(origin: str) -> None:
    async with stage(CORS_ORIGIN=f"{ORIGIN},https://other.example.org") as on:
        asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        flight = await on.client(None).options("/v1/uploads/presign", headers=asked)
        answers = [
            await on.client().get("/v1/assets", headers={"Origin": origin}),
            await on.client(None).get("/v1/assets", headers={"Origin": origin}),
        ]
    for answer in (flight, *answers):
        assert answer.headers.get("access-control-allow-origin") == (ORIGIN if origin == ORIGIN else None)
        assert "access-control-allow-credentials" not in answer.headers
        assert "Origin" in answer.headers["vary"]
    assert flight.status_code == (204 if origin == ORIGIN else 405)


async def test_probes_need_no_credential_and_tell_the_truth(on: Stage) -> None:
    client = on.client(None)
    assert (await client.get("/health")).json() == {"status": "ok"}
    assert (await client.get("/livez")).status_code == 200
    ready = await client.get("/readyz")
    assert (ready.status_code, set(ready.json()["checks"].values())) == (200, {"ok"})


@pytest.mark.parametrize("missing", ["event_log", "object_store", "read_store", "presets", "subject_keys"])
async def test_not_ready_without_what_is_needed(on: Stage, missing: str) -> None:
    match missing:
        case "event_log":
            on.log.closed = True
        case "object_store":
            from adapters.object_store import StoreUnavailable

            on.store.failure = StoreUnavailable("away")
        case "read_store":
            on.reads.down = True
        case "presets":
            on.presets.__init__()  # type: ignore[misc]
        case _:
            on.keys.current = False
    answer = await on.client(None).get("/readyz")
    assert answer.status_code == 503
    away = [name for name, state in answer.json()["checks"].items() if state != "ok"]
    assert away == [missing]
    assert (await on.client(None).get("/livez")).status_code == 200


async def test_what_does_not_answer_in_time_is_away(on: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent() -> bool:
        await asyncio.sleep(10)
        return True

    monkeypatch.setattr(health, "PATIENCE_SECONDS", 0.05)
    on.reads.answer = silent  # type: ignore[method-assign]
    on.doors.fastapi.state.probes = health.Probes(health.checks_of(on.parts), on.loops)
    answer = await on.client(None).get("/readyz")
    assert (answer.status_code, answer.json()["checks"]["read_store"]) == (503, "unavailable")


async def test_a_stuck_loop_is_a_reason_to_restart(on: Stage) -> None:
    on.loops.expect("a loop that never beats")
    on.age(timedelta(seconds=31))
    assert (await on.client(None).get("/livez")).status_code == 503


async def test_logs_and_metrics_name_templates_not_paths(
    on: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    from prometheus_client import generate_latest

    await on.client().get(f"/v1/assets/{uuid4()}?cursor=secret-cursor")
    await on.client().get("/secret-path")
    await on.client().request("SECRETMETHOD", "/health")
    metrics = generate_latest(on.metrics.registry).decode()
    assert 'route="/v1/assets/{asset_id}",status="404"' in metrics
    assert 'route="unmatched",status="404"' in metrics
    assert 'method="OTHER"' in metrics
    assert "secret" not in (metrics + capsys.readouterr().out).lower()


async def test_the_pages_are_served_from_here_alone(on: Stage) -> None:
    client = on.client(None)
    for page in ("/docs", "/redoc"):
        answer = await client.get(page)
        assert answer.status_code == 200
        assert "//" not in answer.text.replace("<!DOCTYPE", "")
        assert "<script>" not in answer.text
        for link in [part.split('"')[0] for part in answer.text.split('="') if part.startswith("/")]:
            assert (await client.get(link)).status_code == 200
    async with stage(API_DOCS="false") as closed:
        assert (await closed.client(None).get("/docs")).status_code == 404


async def test_problem_types_can_be_followed(on: Stage) -> None:
    assert "410" in (await on.client(None).get("/problems/upload-gone")).text
    is_problem(await on.client(None).get("/problems/nothing"), 404, "not-found")


async def test_forms_that_are_json_and_the_reverse(on: Stage) -> None:
    is_problem(await on.client().post("/v1/uploads", json=PRESIGN), 415, "unsupported-media-type")
    answer = await on.client().post("/v1/uploads/presign", files={"file": ("a.jpg", JPEG, "image/jpeg")})
    is_problem(answer, 415, "unsupported-media-type")


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/v1/api-keys", "GET, POST"),
        ("/v1/users/00000000-0000-4000-8000-000000000001", "DELETE, PATCH"),
        ("/v1/assets", "GET"),
        ("/v1/assets/00000000-0000-4000-8000-000000000001", "DELETE, GET, PATCH"),
        ("/v1/jobs/stats", "GET"),
        ("/v1/uploads/presign", "POST"),
    ],
)
async def test_a_refused_method_is_told_of_all_that_are_allowed(on: Stage, path: str, methods: str) -> None:
    for method in {"PUT", "DELETE", "PATCH"} - set(methods.split(", ")):
        answer = await on.client().request(method, path)
        is_problem(answer, 405, "method-not-allowed")
        assert answer.headers["allow"] == methods

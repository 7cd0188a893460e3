"""What a browser, a proxy or a stranger can't make the doors do: H05 to H09, H13, H14, H15, L01, L04."""

import json
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
import structlog

from tests.unit.api.doors import ADA, JPEG, Stage, stage, upload
from tests.unit.api.people import is_problem
from tests.unit.api.test_forms import END, FILE, TYPE
from tests.unit.api.test_http import ORIGIN
from tests.unit.api.test_uploads import PRESIGN

CRLF = "x\r\nSet-Cookie: stolen=1\r\n\r\n<script>"
REFLECTED = [CRLF, "\n", "\r", "\0", "a\x7fb", "\u2028", "\u202e", "é\r\nX: y"]


@pytest.mark.parametrize("text", REFLECTED)
async def test_h05_no_value_becomes_a_header(on: Stage, text: str) -> None:
    accepted, _ = await upload(on)
    client, asset = on.client(), accepted["asset_id"]
    answers = [
        await client.get("/v1/assets", params={"status": text, "cursor": text, "limit": text, "after": text}),
        await client.get(f"/v1/assets/{quote(text, safe='')}"),
        await client.get(f"/v1/assets/{asset}/variants/{quote(text, safe='')}"),
        await client.get(f"/v1/assets/{asset}/download", params={"variant": text}),
        await client.get(f"/problems/{quote(text, safe='')}"),
        await client.post("/v1/uploads/presign", json={**PRESIGN, "file_name": text + ".jpg", "title": text}),
    ]
    for answer in answers:
        assert answer.status_code < 500
        assert "set-cookie" not in answer.headers
        for value in answer.headers.values():
            assert value.isprintable()
            assert "<script>" not in value


@pytest.mark.parametrize(
    "name",
    ["a\r\nb.jpg", 'quote".jpg', "semi;colon=1.jpg", "ü–.jpg", "../../x.jpg", "a\u202egpj.exe", "%0d%0a.jpg"],
)
async def test_h05_a_file_name_stays_inside_its_header(on: Stage, name: str) -> None:
    answer = await on.client().post("/v1/uploads/presign", json={**PRESIGN, "file_name": name})
    assert answer.status_code in {201, 422}
    moved = await _downloaded(on, name)
    if moved is not None:
        assert "\r" not in moved
        assert "\n" not in moved


async def _downloaded(on: Stage, name: str) -> str | None:
    files = {"file": (name, JPEG, "image/jpeg")}
    answer = await on.client().post("/v1/uploads", files=files)
    if answer.status_code != 202:
        return None
    on.reads.catch_up()
    moved = await on.client().get(f"/v1/assets/{answer.json()['asset_id']}/download")
    location: str | None = moved.headers.get("location")
    return location


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        f"{ORIGIN}.evil.example",
        "https://evil.example",
        "http://gallery.example.org",
        "",
        "*",
        ORIGIN + "/",
    ],
)
async def test_h06_other_origins_learn_nothing(origin: str) -> None:
    async with stage(CORS_ORIGIN=ORIGIN) as on:
        for method in ("GET", "POST", "DELETE", "PUT", "TRACE"):
            asked = {"Origin": origin, "Access-Control-Request-Method": method}
            flight = await on.client(None).options("/v1/assets", headers=asked)
            assert not [name for name in flight.headers if name.startswith("access-control-")]
        answer = await on.client().get("/v1/assets", headers={"Origin": origin})
        assert not [name for name in answer.headers if name.startswith("access-control-")]


async def test_h06_a_listed_origin_may_do_what_is_listed_and_never_with_cookies() -> None:
    async with stage(CORS_ORIGIN=ORIGIN) as on:
        asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "PUT"}
        flight = (await on.client(None).options("/v1/assets", headers=asked)).headers
        assert flight["access-control-allow-origin"] == ORIGIN
        assert "PUT" not in flight["access-control-allow-methods"]
        assert "*" not in flight["access-control-allow-headers"]
        assert "access-control-allow-credentials" not in flight


async def test_h07_addresses_come_from_the_settings_alone(on: Stage) -> None:
    accepted, _ = await upload(on)
    headers = {
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "https",
        "Forwarded": "host=evil.example",
        "X-Original-URL": "/v1/jobs",
    }
    for path in ("/v1/assets", f"/v1/assets/{accepted['asset_id']}", "/docs", "/openapi.json"):
        answer = await on.client(**headers).get(path)
        assert answer.status_code == 200
        assert "evil.example" not in answer.text + str(answer.headers)


@pytest.mark.parametrize("accept", ["", "*/*", "text/html", "application/xml;q=1", "x" * 5000, "a/b/c;;;,,"])
async def test_h08_whatever_is_accepted_json_is_what_there_is(on: Stage, accept: str) -> None:
    assert (await on.client(Accept=accept).get("/v1/assets")).headers["content-type"] == "application/json"
    is_problem(await on.client(Accept=accept).get(f"/v1/assets/{uuid4()}"), 404, "not-found")


async def test_h08_refusals_name_no_part_of_ours(on: Stage) -> None:
    client = on.client()
    answers = [
        await client.get("/v1/nothing"),
        await client.put("/v1/assets"),
        await client.post("/v1/uploads/presign", content=b"<xml/>", headers={"content-type": "text/xml"}),
        await client.get("/v1/assets", params={"limit": "x"}),
        await client.get("/v1/assets/1"),
    ]
    for answer in answers:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json().keys() >= {"type", "title", "status", "instance"}
        told = (answer.text + str(answer.headers)).lower()
        for word in ("traceback", "uvicorn", "fastapi", "starlette", "pydantic", "python", "select ", ".py"):
            assert word not in told


@pytest.mark.parametrize("limit", ["0", "-1", "1000000000", "1e9", "NaN", "", "9" * 5000, "٣", "1\x00"])
async def test_h09_pages_are_bounded(on: Stage, limit: str) -> None:
    is_problem(await on.client().get("/v1/assets", params={"limit": limit}), 422, "invalid-request")


@pytest.mark.parametrize("cursor", ["", "x", "a.b.c", "k." + "A" * 900, "\0", "é" * 100, "x" * 5000])
async def test_h09_forged_cursors_are_refused(on: Stage, cursor: str) -> None:
    is_problem(await on.client().get("/v1/assets", params={"cursor": cursor}), 422, "invalid-request")


async def test_h13_ranges_multiply_nothing(on: Stage) -> None:
    ranges = "bytes=" + ",".join(f"{n}-{n}" for n in range(10_000))
    for path in ("/v1/assets", "/docs/redoc.js", "/openapi.json"):
        plain = await on.client().get(path)
        ranged = await on.client().get(path, headers={"Range": ranges})
        assert (ranged.status_code, len(ranged.content)) == (200, len(plain.content))


@pytest.mark.parametrize(
    "coding", ["gzip", "deflate", "br", "zstd", "gzip, identity", "identity, gzip", "x" * 999]
)
async def test_h13_nothing_is_unpacked(on: Stage, coding: str) -> None:
    json_type = {"content-type": "application/json", "content-encoding": coding}
    is_problem(
        await on.client().post("/v1/uploads/presign", content=b"\x1f\x8b", headers=json_type), 415, UNREAD
    )
    form = {**TYPE, "content-encoding": coding}
    is_problem(await on.client().post("/v1/uploads", content=FILE + JPEG + END, headers=form), 415, UNREAD)


UNREAD = "unsupported-media-type"
AWAY = [
    "//evil.example",
    "/\\evil.example",
    "/%2f%2fevil.example",
    "/v1/assets//evil.example",
    "/docs/..//evil.example/",
]


@pytest.mark.parametrize("path", AWAY)
async def test_h14_nobody_is_sent_away(on: Stage, path: str) -> None:
    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": b"next=https://evil.example&url=//evil.example",
        "headers": [(b"host", b"testserver"), (b"authorization", f"Bearer {ADA}".encode())],
        "client": ("127.0.0.1", 1),
    }
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        raise AssertionError

    await on.doors.asgi(scope, receive, send)
    assert sent[0]["status"] in {404, 422}
    assert b"location" not in dict(sent[0]["headers"])


async def test_h14_the_description_can_be_hidden() -> None:
    async with stage(API_DOCS="false") as on:
        for path in ("/docs", "/redoc", "/openapi.json", "/docs/redoc.js", "/problems/not-found"):
            is_problem(await on.client().get(path), 404, "not-found")
        assert (await on.client().get("/v1/assets")).status_code == 200


async def test_h14_every_answer_whatever_it_is_carries_its_headers() -> None:
    async with stage(RATE_READS="1/hour", DARKROOM_ENV="development") as on:
        answers = [
            await on.client().get("/v1/assets"),
            await on.client().get("/v1/assets"),
            await on.client(None).get("/v1/assets"),
            await on.client().get("/health", headers={"host": "evil.example"}),
            await on.client().delete("/health"),
            await on.client().head("/health"),
            await on.client().options("/v1/assets"),
            await on.client().post("/v1/uploads/presign", content=b"{"),
            await on.client(None).get("/docs"),
        ]
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        script = answer.headers["content-security-policy"].partition("script-src")[2].partition(";")[0]
        assert "unsafe" not in script
        assert answer.headers["x-request-id"]


PARTS = {
    "100,000 parts": b"".join(
        b'--X\r\nContent-Disposition: form-data; name="x"\r\n\r\n\r\n' for _ in range(100_000)
    ),
    "a giant part header": b"--X\r\nContent-Disposition: form-data; name=" + b"x" * 500_000,
    "a giant header name": b"--X\r\n" + b"x" * 500_000,
    "a huge preamble": b"x" * 500_000 + b"\r\n" + FILE + JPEG + END,
    "line ends for a preamble": b"\r\n" * 250_000 + FILE + JPEG + END,
    "a giant epilogue": FILE + JPEG + END + b"x" * 500_000,
    "boundaries in boundaries": b"--X" * 100_000,
}


@pytest.mark.parametrize("body", PARTS.values(), ids=PARTS)
async def test_h15_forms_built_to_hurt_are_refused(on: Stage, body: bytes) -> None:
    answer = await on.client().post("/v1/uploads", content=body, headers=TYPE)
    assert answer.status_code in {400, 413, 422}
    assert answer.headers["content-type"] == "application/problem+json"
    assert on.events() == []


async def test_l01_a_strangers_text_is_no_line_of_its_own(on: Stage) -> None:
    with structlog.testing.capture_logs() as lines:
        await on.client(**{"User-Agent": "forged", "Referer": "forged"}).get(
            f"/v1/assets/{quote(CRLF, safe='')}"
        )
        await on.client().request("FORGED", "/v1/forged?x=forged")
    assert "forged" not in json.dumps(lines, default=str).lower()
    assert "stolen" not in json.dumps(lines, default=str)


@pytest.mark.parametrize(
    "path", ["/metrics", "/v1/metrics", "/admin", "/debug", "/server-status", "/.env", "/livez/metrics"]
)
async def test_l04_metrics_are_not_among_the_doors(on: Stage, path: str) -> None:
    is_problem(await on.client().get(path), 404, "not-found")
    assert on.settings.runtime.metrics_host == "127.0.0.1"

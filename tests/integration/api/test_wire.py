"""Bytes that are no proper HTTP, or come too slowly, sent by hand to a running process (H01, H02)."""

import json
import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.integration.api.running import ADA, RunningDoors, open_doors
from tests.servers import World


@pytest.fixture(scope="module")
def doors(world: World) -> Iterator[RunningDoors]:
    with open_doors(world, REQUEST_HEAD_TIMEOUT="1") as opened:
        yield opened


def exchange(doors: RunningDoors, data: bytes, seconds: float = 5.0) -> tuple[int, bytes]:
    """Sends the bytes and reads until the server is done; the first status and everything."""
    parts = urlsplit(doors.url)
    assert parts.hostname
    assert parts.port
    with socket.create_connection((parts.hostname, parts.port), timeout=seconds) as connection:
        connection.sendall(data)
        answer = b""
        try:
            while chunk := connection.recv(65536):
                answer += chunk
                if b"connection: close" not in answer and whole(answer):
                    break
        except (TimeoutError, ConnectionResetError):
            pass
    status = int(answer.split(b" ")[1]) if answer.startswith(b"HTTP/1.1 ") else 0
    return status, answer


def whole(answer: bytes) -> bool:
    head, found, body = answer.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return bool(found) and bool(lengths) and len(body) >= int(lengths[0].partition(b":")[2])


HEAD = b"GET /v1/assets HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + ADA.encode() + b"\r\n"
POST = HEAD.replace(b"GET /v1/assets ", b"POST /v1/uploads/presign ") + b"Content-Type: application/json\r\n"

REFUSED = {
    "length and chunks": POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "a signed length": POST + b"Content-Length: +2\r\n\r\n{}",
    "an unknown coding": POST + b"Transfer-Encoding: xchunked\r\n\r\n{}",
    "a broken chunk": POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    "a chunk without its end": POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}XX0\r\n\r\n",
    "a space before the colon": HEAD + b"X-A : b\r\n\r\n",
    "a folded header": HEAD + b"X-A: b\r\n c\r\n\r\n",
    "a NUL in a header": HEAD + b"X-A: a\0b\r\n\r\n",
    "two hosts": HEAD + b"Host: 127.0.0.1\r\n\r\n",
    "no host": HEAD.replace(b"Host: 127.0.0.1\r\n", b"") + b"\r\n",
    "another host": HEAD.replace(b"127.0.0.1", b"evil.example") + b"\r\n",
    "another host by its prefix": HEAD.replace(b"127.0.0.1", b"127.0.0.1.evil.example") + b"\r\n",
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 100,
    "an unknown version": HEAD.replace(b"HTTP/1.1", b"HTTP/9.9") + b"\r\n",
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
def test_broken_requests_are_refused(doors: RunningDoors, data: bytes) -> None:
    status, answer = exchange(doors, data)
    assert status == 400, answer
    assert b"Traceback" not in answer


ODD_PATHS = [
    b"/%00",
    b"/v1/assets/%2e%2e/x",
    b"/v1/assets/%ff%fe",
    b"//evil.example/x",
    b"/v1/assets/" + b"a" * 8000,
]


@pytest.mark.parametrize("path", ODD_PATHS)
def test_odd_paths_are_problems(doors: RunningDoors, path: bytes) -> None:
    status, answer = exchange(doors, HEAD.replace(b"/v1/assets", path) + b"\r\n")
    assert status in {400, 404, 422}, answer
    head, _, body = answer.partition(b"\r\n\r\n")
    if status != 400:
        assert b"application/problem+json" in head
        assert json.loads(body)["status"] == status


def test_the_servers_name_and_version_are_not_told(doors: RunningDoors) -> None:
    _, answer = exchange(doors, HEAD + b"\r\n")
    head = answer.partition(b"\r\n\r\n")[0].lower()
    assert b"\r\nserver:" not in head
    assert b"uvicorn" not in head


def test_a_large_body_is_refused_before_it_is_sent(doors: RunningDoors) -> None:
    status, answer = exchange(doors, POST + b"Content-Length: 99999999999\r\nExpect: 100-continue\r\n\r\n")
    assert status == 413, answer
    assert b"100 Continue" not in answer


def connected(doors: RunningDoors) -> socket.socket:
    parts = urlsplit(doors.url)
    return socket.create_connection((parts.hostname or "", parts.port or 0), timeout=40)


def test_h02_slow_heads_are_cut_and_nobody_else_notices(doors: RunningDoors) -> None:
    began = time.monotonic()
    slow = [connected(doors) for _ in range(200)]
    for number, connection in enumerate(slow):
        connection.sendall(HEAD[: number % 3 * 20])
    for _ in range(10):
        asked = time.monotonic()
        assert doors.client().get("/v1/assets").status_code == 200
        assert time.monotonic() - asked < 5
    answers = [connection.recv(100) for connection in slow]
    assert time.monotonic() - began < 40
    assert {answer[:12] for answer in answers} == {b"", b"HTTP/1.1 408"}
    for connection in slow:
        connection.close()


def test_h02_a_head_without_end_is_cut(doors: RunningDoors) -> None:
    with connected(doors) as connection:
        connection.sendall(HEAD)
        sent = 0
        try:
            while sent < 10_000_000:
                sent += connection.send(b"X: " + b"y" * 1000 + b"\r\n")
        except ConnectionError:
            pass
    assert sent < 10_000_000

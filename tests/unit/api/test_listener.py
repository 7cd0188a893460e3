"""The listener and raw bytes: smuggling (H01), slow and endless clients (H02), who names a network (A16)."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

import pytest

from api import bodies, connections
from api.crowds import Crowds
from tests.unit.api.doors import ADA
from tests.unit.api.listening import HEAD, POST, Listening, listening

CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
async def there() -> AsyncIterator[Listening]:
    async with listening() as opened:
        yield opened


REFUSED = {
    "length and chunks": POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n",
    "two codings": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "a coding after chunked": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "an unknown coding": POST + b"Transfer-Encoding: xchunked\r\n\r\n{}",
    "two lengths": POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "the same length twice": POST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "a list of lengths": POST + b"Content-Length: 2, 2\r\n\r\n{}",
    "a signed length": POST + b"Content-Length: +2\r\n\r\n{}",
    "a negative length": POST + b"Content-Length: -2\r\n\r\n{}",
    "a length in hex": POST + b"Content-Length: 0x2\r\n\r\n{}",
    "a space in a length": POST + b"Content-Length: 1 2\r\n\r\n{}",
    "a length beyond 64 bits": POST + b"Content-Length: 99999999999999999999999\r\n\r\n{}",
    "a broken chunk": CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n",
    "a signed chunk": CHUNKED + b"+2\r\n{}\r\n0\r\n\r\n",
    "a chunk without its end": CHUNKED + b"2\r\n{}XX0\r\n\r\n",
    "a chunk with a bare LF": CHUNKED + b"2\n{}\r\n0\r\n\r\n",
    "a chunk beyond 64 bits": CHUNKED + b"fffffffffffffffff\r\n{}\r\n0\r\n\r\n",
    "a space before the colon": HEAD + b"X-A : b\r\n\r\n",
    "a length with a space before the colon": POST + b"Content-Length : 2\r\n\r\n{}",
    "a folded header": HEAD + b"X-A: b\r\n c\r\n\r\n",
    "a header that begins with a space": HEAD.replace(b"Host", b" Host") + b"\r\n",
    "a header without a name": HEAD + b": b\r\n\r\n",
    "a bare LF after a header": HEAD + b"X-A: b\n\r\n",
    "a bare LF after the line": HEAD.replace(b"HTTP/1.1\r\n", b"HTTP/1.1\n") + b"\r\n",
    "a bare CR in a header": HEAD + b"X-A: b\rc\r\n\r\n",
    "a NUL in a header": HEAD + b"X-A: a\0b\r\n\r\n",
    "two hosts": HEAD + b"Host: 127.0.0.1\r\n\r\n",
    "two hosts that differ": HEAD + b"Host: evil.example\r\n\r\n",
    "no host": HEAD.replace(b"Host: 127.0.0.1\r\n", b"") + b"\r\n",
    "an empty host": HEAD.replace(b"Host: 127.0.0.1", b"Host:") + b"\r\n",
    "another host": HEAD.replace(b"127.0.0.1", b"evil.example") + b"\r\n",
    "a host behind an at": HEAD.replace(b"127.0.0.1", b"127.0.0.1@evil.example") + b"\r\n",
    "another host by its prefix": HEAD.replace(b"127.0.0.1", b"127.0.0.1.evil.example") + b"\r\n",
    "a path that begins with an at": HEAD.replace(b"/v1/assets", b"@evil.example/") + b"\r\n",
    "a path without its slash": HEAD.replace(b"/v1/assets", b"v1/assets") + b"\r\n",
    "no path": HEAD.replace(b"/v1/assets ", b"") + b"\r\n",
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 100,
    "an unknown version": HEAD.replace(b"HTTP/1.1", b"HTTP/9.9") + b"\r\n",
    "HTTP/2 in the clear": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/0.9": b"GET /\r\n\r\n",
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
async def test_h01_what_two_readers_could_read_differently_is_refused(there: Listening, data: bytes) -> None:
    async with asyncio.timeout(10), there.wire() as wire:
        await wire.send(data + HEAD + b"\r\n")  # a second request that must not be reached
        answer = await wire.answer()
        assert answer is not None
        assert answer.status == 400
        assert answer.headers["content-type"] == "application/problem+json"
        assert json.loads(answer.body)["status"] == 400
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert b"Traceback" not in answer.body
        if answer.headers.get("connection") != "close":  # framed well, and refused for its host alone
            assert json.loads(answer.body)["type"] == "/problems/unknown-host"
        else:
            assert await wire.ended()
    assert there.on.events() == []


ABSOLUTE = b"GET http://evil.example/v1/assets HTTP/1.1\r\n"


async def test_h07_what_an_absolute_path_names_is_not_believed(there: Listening) -> None:
    answer = await there.exchange(HEAD.replace(b"GET /v1/assets HTTP/1.1\r\n", ABSOLUTE) + b"\r\n")
    assert answer is not None
    assert answer.status == 200
    assert b"evil.example" not in answer.body + str(answer.headers).encode()


@pytest.mark.parametrize(
    "path", [b"/v1/assets/%00", b"/%ff%fe", b"//evil.example/x", b"/v1/../x", b"/" + b"a" * 8000]
)
async def test_h04_odd_paths_are_problems(there: Listening, path: bytes) -> None:
    answer = await there.exchange(HEAD.replace(b"/v1/assets", path) + b"\r\n")
    assert answer is not None
    assert answer.status in {400, 404, 422}
    assert answer.headers["content-type"] == "application/problem+json"


async def test_h02_a_head_that_comes_slowly_is_cut() -> None:
    async with listening(REQUEST_HEAD_TIMEOUT="0.6") as there, asyncio.timeout(10), there.wire() as wire:
        await wire.send(HEAD[:10])
        for _ in range(3):
            await asyncio.sleep(0.05)
            await wire.send(b"x")
        answer = await wire.answer()
        assert answer is not None
        assert answer.status == 408
        assert json.loads(answer.body)["type"] == "/problems/request-timeout"
        assert await wire.ended()


@pytest.mark.parametrize("said", [b"", b"\r\n"])
async def test_h02_a_connection_that_says_nothing_is_cut(said: bytes) -> None:
    async with listening(REQUEST_HEAD_TIMEOUT="0.1") as there, asyncio.timeout(10), there.wire() as wire:
        await wire.send(said)
        assert await wire.answer() is None


async def test_h02_line_ends_between_requests_hold_nothing_open() -> None:
    async with listening(REQUEST_HEAD_TIMEOUT="0.2") as there, asyncio.timeout(10), there.wire() as wire:
        await wire.send(HEAD + b"\r\n")
        assert await wire.answer() is not None
        await wire.send(b"\r\n")
        await asyncio.sleep(0.1)
        await wire.send(b"\r\n")
        assert await wire.answer() is None


async def test_h02_others_are_served_meanwhile_and_a_good_connection_lives_on() -> None:
    async with listening(REQUEST_HEAD_TIMEOUT="1") as there, asyncio.timeout(20), there.wire() as wire:
        slow = [await asyncio.open_connection("127.0.0.1", there.port) for _ in range(100)]
        try:
            for _, writer in slow:
                writer.write(HEAD[:30])
            for _ in range(4):  # for longer than one head may take
                await wire.send(HEAD + b"\r\n")
                answer = await wire.answer()
                assert answer is not None
                assert answer.status == 200
                await asyncio.sleep(0.35)
            for reader, _ in slow:
                assert (await reader.read(20)).startswith(b"HTTP/1.1 408")
        finally:
            for _, writer in slow:
                writer.close()


@pytest.mark.parametrize("head", [HEAD + b"X-A: ", HEAD[:4] + b"/", HEAD + b"X: y\r\n" * 100])
async def test_h02_a_head_ends_at_its_limit(there: Listening, head: bytes) -> None:
    async with asyncio.timeout(10), there.wire() as wire:
        await wire.send(head)
        piece = b"X: y\r\n" * 200 if head.endswith(b"\r\n") else b"y" * 1000
        sent = 0
        with contextlib.suppress(ConnectionError):  # whoever sends on may lose the answer
            while sent < 2 * connections.MAX_HEAD_BYTES:
                await wire.send(piece)
                sent += len(piece)
                await asyncio.sleep(0)
        assert await wire.ended()
    said = there.on.metrics.registry.get_sample_value
    assert said("darkroom_http_connections_cut_total", {"reason": "head_too_large"}) == 1
    assert said("darkroom_http_problems_total", {"problem": "head-too-large"}) == 1


async def test_h02_the_end_of_a_body_is_no_head(there: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MAX_HEAD_BYTES", 1000)
    async with asyncio.timeout(10), there.wire() as wire:
        await wire.send(HEAD + b"Content-Length: 5000\r\n\r\n")
        assert await wire.answer() is not None
        await wire.send(b"x" * 5000)
        await wire.send(HEAD + b"\r\n")
        answer = await wire.answer()
        assert answer is not None
        assert answer.status == 200


async def test_h02_a_body_nobody_waits_for_does_not_hold_the_connection(
    there: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "LEFTOVER_SECONDS", 0.2)
    async with asyncio.timeout(10), there.wire() as wire:
        await wire.send(HEAD + b"Content-Length: 1000000\r\n\r\n")
        answer = await wire.answer()
        assert answer is not None
        assert answer.status == 200
        await wire.send(b"x" * 10)
        assert await wire.ended()


async def test_h02_a_body_in_time_leaves_the_connection_open(
    there: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "LEFTOVER_SECONDS", 0.1)
    async with asyncio.timeout(10), there.wire() as wire:
        await wire.send(HEAD + b"Content-Length: 10\r\n\r\n")
        assert await wire.answer() is not None
        await wire.send(b"x" * 10)
        await asyncio.sleep(0.2)
        await wire.send(HEAD + b"\r\n")
        answer = await wire.answer()
        assert answer is not None
        assert answer.status == 200


async def test_h02_a_slow_body_is_cut(there: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "JSON_SECONDS", 0.2)
    async with asyncio.timeout(10), there.wire() as wire:
        await wire.send(POST + b"Content-Length: 100\r\n\r\n{")
        answer = await wire.answer()
        assert answer is not None
        assert (answer.status, answer.headers["connection"]) == (408, "close")
        assert await wire.ended()


async def test_h02_an_endless_body_ends_at_the_limit(there: Listening) -> None:
    async with asyncio.timeout(20), there.wire() as wire:
        await wire.send(CHUNKED)
        for _ in range(60):
            await wire.send(b"3e8\r\n" + b" " * 1000 + b"\r\n")
        await wire.send(b"0\r\n\r\n")
        answer = await wire.answer()
        assert answer is not None
        assert (answer.status, json.loads(answer.body)["limit"]) == (413, 20_000)


async def test_pipelined_requests_are_answered_in_order(there: Listening) -> None:
    async with asyncio.timeout(10), there.wire() as wire:
        await wire.send(HEAD + b"\r\n" + POST + b"Content-Length: 2\r\n\r\n{}" + HEAD + b"\r\n")
        answers = [await wire.answer() for _ in range(3)]
        assert [answer and answer.status for answer in answers] == [200, 422, 200]


FORWARDED = b"GET /v1/assets HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Forwarded-For: %s\r\n\r\n"


async def test_a16_a_stranger_can_not_name_its_network() -> None:
    async with listening(RATE_STRANGERS="2/hour") as there:
        answers = [await there.exchange(FORWARDED % b"192.0.2.%d" % number) for number in range(4)]
        assert [answer and answer.status for answer in answers] == [401, 401, 429, 429]


async def test_a16_a_trusted_proxy_names_the_network_and_only_the_last_it_saw() -> None:
    async with listening(RATE_STRANGERS="1/hour", TRUSTED_PROXIES="127.0.0.0/8") as there:
        spoofed = [b"203.0.113.%d, 192.0.2.7" % number for number in range(3)]
        answers = [await there.exchange(FORWARDED % network) for network in (*spoofed, b"192.0.2.8")]
        assert [answer and answer.status for answer in answers] == [401, 429, 429, 401]


async def test_h01_the_key_reaches_the_doors(there: Listening) -> None:
    answer = await there.exchange(HEAD + b"\r\n")
    assert answer is not None
    assert answer.status == 200
    assert ADA.encode() not in answer.body


async def test_h02_one_network_does_not_hold_all_connections() -> None:
    async with listening(CONNECTIONS_PER_NETWORK="3") as there, contextlib.AsyncExitStack() as held:
        wires = [await held.enter_async_context(there.wire()) for _ in range(3)]
        for wire in wires:
            await wire.send(HEAD + b"\r\n")
            answer = await wire.answer()
            assert answer is not None
            assert answer.status == 200
        async with asyncio.timeout(10), there.wire() as fourth:
            assert await fourth.ended()
        wires[0].writer.close()
        await wires[0].writer.wait_closed()
        async with asyncio.timeout(10):
            while not await _answered(there):
                pass  # the door has to hear that one has gone


async def _answered(there: Listening) -> bool:
    async with there.wire() as wire:
        with contextlib.suppress(ConnectionError):
            await wire.send(HEAD + b"\r\n")
            return await wire.answer() is not None
    return False


def test_h02_proxies_that_are_trusted_are_no_network() -> None:
    crowds = Crowds(1, ["10.0.0.0/8"])
    assert [crowds.enter("10.1.2.3") for _ in range(3)] == [""] * 3
    assert [crowds.enter("2001:db8::1"), crowds.enter("2001:db8::2")] == ["2001:db8::/64", None]
    crowds.leave("2001:db8::/64")
    assert crowds.enter("2001:db8::2") == "2001:db8::/64"
    assert [Crowds(0).enter("192.0.2.1"), Crowds(1, ["*"]).enter("192.0.2.1")] == ["", ""]

"""A stream behind the real listener holds little, and knows at once when nobody listens any more."""

import asyncio
import gc
from collections.abc import AsyncIterator

import pytest
from starlette.requests import Request

from api.lasting import leave, left
from api.notifications.stream import PATH
from tests.unit.api.doors import ADA
from tests.unit.api.listening import Listening, Wire, listening
from tests.unit.api.test_stream_bounds import until

ASKED = f"GET {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {ADA}\r\n\r\n".encode()


@pytest.fixture
async def there() -> AsyncIterator[Listening]:
    async with listening(SSE_HEARTBEAT="60") as opened, asyncio.timeout(20):
        yield opened


async def began(wire: Wire, sent: bytes = ASKED) -> None:
    await wire.send(sent)
    head = await wire.reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert b"x-request-id" in head
    await wire.reader.readuntil(b"\n\n")


def ended(there: Listening, reason: str) -> float | None:
    name = "darkroom_sse_streams_ended_total"
    return there.on.metrics.registry.get_sample_value(name, {"reason": reason})


async def test_a_stream_ends_with_its_connection(there: Listening) -> None:
    async with there.wire() as wire:
        await began(wire)
        assert len(there.on.doors.hub) == 1
        assert not [task for task in asyncio.all_tasks() if task.get_name() == "stream-watch"]
    await until(lambda: not len(there.on.doors.hub))
    assert ended(there, "client") == 1


async def test_a_stream_ends_with_its_connection_though_another_request_waits_behind_it() -> None:
    """The server tells only the newest request that its connection ended, and hears of it in writing."""
    async with asyncio.timeout(20), listening(SSE_HEARTBEAT="0.1") as there, there.wire() as wire:
        await began(wire, ASKED + b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert len(there.on.doors.hub) == 1
        wire.writer.close()
        await until(lambda: not len(there.on.doors.hub))


async def test_after_a_stream_the_connection_answers_on(there: Listening) -> None:
    async with there.wire() as wire:
        await began(wire)
        there.on.doors.hub.close()
        assert b"reconnect" in await wire.reader.readuntil(b"0\r\n\r\n")
        await wire.send(b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        answer = await wire.answer()
        assert answer is not None
        assert answer.status == 200
    assert ended(there, "shutdown") == 1


async def test_a_stream_holds_nothing_of_the_request_that_opened_it(there: Listening) -> None:
    async with there.wire() as wire:
        await began(wire)
        gc.collect()
        held = [each for each in gc.get_objects() if isinstance(each, Request)]
        assert [each for each in held if each.scope.get("path") == PATH] == []


def test_what_is_left_is_taken_with_all_else_of_the_scope() -> None:
    async def rest(receive: object, send: object) -> None: ...

    headers = [(b"authorization", b"Bearer x")]
    scope = {"type": "http", "method": "GET", "path": "/x", "headers": headers, "app": object()}
    assert left(scope) is None
    assert scope["headers"] == headers
    leave(scope, rest)
    assert left(scope) is rest
    assert scope == {"type": "http", "method": "GET", "path": "/x"}
    assert headers == []

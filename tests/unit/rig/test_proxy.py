"""Each weather of the proxy, seen by a client of an echoing server behind it."""

import asyncio
import struct
import time
from collections.abc import AsyncIterator

import pytest

from tests.rig.proxy import CALM, SLOW_DOWN, Proxy, Weather

PIECE = b"0123456789"
RESET = b"(reset)"
NOTHING = (b"", RESET)


class Echo:
    """Gives back what it gets; `got` is how many bytes reached it."""

    def __init__(self) -> None:
        self.got = 0
        self.says: bytes | None = None
        self.port = 0

    async def serve(self) -> asyncio.Server:
        server = await asyncio.start_server(self._meet, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                self.got += len(data)
                writer.write(self.says or data)
                await writer.drain()
        except ConnectionError:
            pass  # a reset, as some of these tests want it
        finally:
            writer.close()


@pytest.fixture
async def echo() -> AsyncIterator[Echo]:
    echo = Echo()
    server = await echo.serve()
    yield echo
    server.close()


@pytest.fixture
async def proxy(echo: Echo) -> AsyncIterator[Proxy]:
    with Proxy(("127.0.0.1", echo.port), seed=7) as proxy:
        yield proxy


async def said(proxy: Proxy, data: bytes, *, wanted: int | None = None, seconds: float = 5.0) -> bytes:
    """What comes back for the data, until so many bytes came or the wire ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        writer.write(data)
        await writer.drain()
        back = b""
        async with asyncio.timeout(seconds):
            while len(back) < (len(data) if wanted is None else wanted):
                piece = await reader.read(65536)
                if not piece:
                    break
                back += piece
        return back
    except ConnectionResetError:
        return RESET
    finally:
        writer.close()


async def test_in_calm_weather_everything_passes(proxy: Proxy, echo: Echo) -> None:
    long = PIECE * 50_000
    assert await said(proxy, long) == long
    assert echo.got == len(long)


async def test_latency_holds_up_each_way(proxy: Proxy) -> None:
    proxy.now(Weather(latency=0.1))
    began = time.monotonic()
    assert await said(proxy, PIECE) == PIECE
    assert time.monotonic() - began >= 0.2


async def test_a_narrow_wire_takes_its_time(proxy: Proxy) -> None:
    proxy.now(Weather(bandwidth=20_000))
    began = time.monotonic()
    assert await said(proxy, PIECE * 400) == PIECE * 400
    assert time.monotonic() - began >= 0.2


async def test_a_request_is_cut_after_so_many_bytes(proxy: Proxy, echo: Echo) -> None:
    proxy.now(Weather(cut_up=4))
    await said(proxy, PIECE)
    assert echo.got <= 4


async def test_an_answer_is_cut_after_so_many_bytes(proxy: Proxy) -> None:
    proxy.now(Weather(cut_down=4))
    assert await said(proxy, PIECE) == PIECE[:4]


async def test_an_answer_is_kept_back_although_the_server_gave_it(proxy: Proxy, echo: Echo) -> None:
    proxy.now(Weather(cut_down=0))
    assert await said(proxy, PIECE) == b""
    assert echo.got == len(PIECE)


async def test_a_reset_is_no_end(proxy: Proxy) -> None:
    proxy.now(Weather(cut_down=4, reset=True))
    assert await said(proxy, PIECE, wanted=99) == RESET
    proxy.now(Weather(cut_down=4))
    assert await said(proxy, PIECE, wanted=99) == PIECE[:4]


async def test_a_black_hole_takes_everything_and_gives_nothing(proxy: Proxy, echo: Echo) -> None:
    proxy.now(Weather(blackhole=True))
    with pytest.raises(TimeoutError):
        await said(proxy, PIECE, seconds=0.3)
    assert echo.got == 0


async def test_a_refusal_ends_at_once(proxy: Proxy, echo: Echo) -> None:
    proxy.now(Weather(refused=True))
    assert await said(proxy, PIECE) in NOTHING
    assert echo.got == 0


async def test_a_request_of_http_is_answered_in_the_servers_place(proxy: Proxy, echo: Echo) -> None:
    proxy.now(Weather(answer=SLOW_DOWN))
    assert await said(proxy, b"GET / HTTP/1.1\r\n\r\n", wanted=9999) == SLOW_DOWN
    assert (echo.got, proxy.hit) == (0, 1)
    assert await said(proxy, PIECE) == PIECE


async def test_some_are_hit_and_some_are_not(proxy: Proxy) -> None:
    proxy.now(Weather(refused=True, chance=0.5))
    ends = [await said(proxy, PIECE) in NOTHING for _ in range(20)]
    assert ends.count(True) == proxy.hit
    assert 0 < proxy.hit < 20 == proxy.connections


async def test_after_the_weather_it_is_calm_and_what_was_open_is_cut(proxy: Proxy) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(PIECE)
    assert await reader.read(99) == PIECE
    with proxy.weather(Weather(refused=True)):
        assert await reader.read(99) == b""
        assert await said(proxy, PIECE) in NOTHING
    writer.close()
    assert proxy._weather == CALM
    assert await said(proxy, PIECE) == PIECE


async def test_a_broker_is_called_by_the_proxys_port(echo: Echo) -> None:
    with Proxy(("127.0.0.1", echo.port), broker=True) as proxy:
        inside = b"127.0.0.1" + struct.pack(">i", echo.port)
        outside = b"127.0.0.1" + struct.pack(">i", proxy.port)
        for said_by_it in (b"ab" + inside + b"cd" + inside, b"ends with a 1", inside[:-1], b"12"):
            echo.says = said_by_it
            wanted = said_by_it.replace(inside, outside)
            assert await said(proxy, PIECE, wanted=len(wanted)) == wanted

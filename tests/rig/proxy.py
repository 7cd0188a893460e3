"""A TCP proxy before one server, which makes its wire slow, narrow, short, broken or dead while it runs.

It knows nothing of what passes, with two exceptions that are asked for: requests of HTTP can be answered
in the server's place, and a broker's address in what it says of itself can be replaced by the proxy's, so
that clients who are told where the brokers are come back to the proxy.
"""

import asyncio
import contextlib
import random
import socket
import struct
import threading
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from typing import Any, Final, Self

_CHUNK: Final = 65536
_METHODS: Final = (b"GET ", b"PUT ", b"HEAD ", b"POST ", b"DELETE ")
_SPLIT_SECONDS: Final = 0.02


def _refusal(status: bytes, code: bytes) -> bytes:
    """An answer of S3's that is an error."""
    said = b"<Error><Code>%b</Code><Message>No.</Message></Error>" % code
    return (
        b"HTTP/1.1 %b\r\nContent-Type: application/xml\r\nConnection: close\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (status, len(said), said)
    )


SLOW_DOWN: Final = _refusal(b"503 Slow Down", b"SlowDown")
"""What S3 says when it is asked too much; an `answer`."""
TIME_TOO_SKEWED: Final = _refusal(b"403 Forbidden", b"RequestTimeTooSkewed")
"""What it says to whose clock is more than a quarter of an hour from its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """How the wire behaves. A connection keeps that of its beginning; `answer` is decided at each request.

    `latency` holds up every piece, each way, in seconds; `bandwidth` is bytes a second, each way.
    `cut_up` and `cut_down` end the connection once so many bytes went to the server, or came back from it: 0
    of the latter lets a request through and keeps its answer back. `reset` makes that end a reset.
    `blackhole` takes everything and gives nothing. `refused` closes at once. `answer` goes out in place of
    the server's to a request of HTTP, which the server never sees, and ends the connection.
    `chance` is the part of the connections, or of the requests, that any of this happens to.
    """

    latency: float = 0.0
    bandwidth: float | None = None
    cut_up: int | None = None
    cut_down: int | None = None
    reset: bool = False
    blackhole: bool = False
    refused: bool = False
    answer: bytes | None = None
    chance: float = 1.0


CALM: Final = Weather()


class _Cut(Exception):
    """The wire breaks here."""


class Proxy:
    """Listens on 127.0.0.1 between `start` and `close`, in a thread and a loop of its own.

    `seed` decides which connections are hit where the chance is below 1. With `broker`, the server is a
    Kafka broker that calls itself by the address `to`.
    """

    def __init__(self, to: tuple[str, int], *, seed: int = 0, broker: bool = False) -> None:
        self.port = 0
        self.connections = 0
        self.hit = 0
        self._to = to
        self._random = random.Random(seed)
        self._weather = CALM
        self._broker = broker
        self._open: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._server: asyncio.Server | None = None

    @property
    def address(self) -> str:
        """host:port for clients."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> Self:
        """Begins to listen, on a free port."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        return self

    def close(self) -> None:
        """Ends every connection and listens no more."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def now(self, weather: Weather) -> None:
        """From here on new connections and requests meet this weather; open ones go on in theirs."""
        self._weather = weather

    @contextlib.contextmanager
    def weather(self, weather: Weather, *, cut: bool = True) -> Iterator[None]:
        """This weather inside the block, calm after it; `cut` ends what is open at each change."""
        self.now(weather)
        if cut:
            self.cut()
        try:
            yield
        finally:
            self.now(CALM)
            if cut:
                self.cut()

    def cut(self) -> None:
        """Ends every connection that is open now."""

        async def end() -> None:
            for task in self._open:
                task.cancel()

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(10)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._meet, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _end(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        self.connections += 1
        weather = self._drawn()
        try:
            if not weather.refused:
                await self._connect(_Side(reader, writer), weather)
        except (_Cut, OSError, asyncio.CancelledError):
            pass  # the wire broke, as it was meant to or by either end
        finally:
            _break(writer, reset=weather.reset)
            self._open.discard(task)

    def _drawn(self) -> Weather:
        """The weather of a new connection; `answer` is drawn anew at each of its requests."""
        weather = self._weather
        if weather == CALM or weather.answer is not None:
            return weather
        if self._random.random() >= weather.chance:
            return CALM
        self.hit += 1
        return weather

    async def _connect(self, client: "_Side", weather: Weather) -> None:
        if weather.blackhole:
            while await client.reader.read(_CHUNK):
                pass
            return
        server = _Side(*await asyncio.open_connection(*self._to))
        try:
            await _first(self._up(client, server, weather), self._down(server, client, weather))
        finally:
            _break(server.writer, reset=False)

    async def _up(self, client: "_Side", server: "_Side", weather: Weather) -> None:
        passed = 0
        while data := await client.reader.read(_CHUNK):
            if data.startswith(_METHODS):
                await self._answer(client)
            passed = await _pass(data, server, weather, passed, weather.cut_up)

    async def _answer(self, client: "_Side") -> None:
        """Answers a request in the server's place, where the weather now is such."""
        now = self._weather
        if now.answer is None or self._random.random() >= now.chance:
            return
        self.hit += 1
        client.writer.write(now.answer)
        await client.writer.drain()
        raise _Cut

    async def _down(self, server: "_Side", client: "_Side", weather: Weather) -> None:
        passed = 0
        if weather.cut_down == 0:
            await server.reader.read(1)
            raise _Cut
        while data := await server.reader.read(_CHUNK):
            if self._broker:
                data = await self._renamed(data, server.reader)
            passed = await _pass(data, client, weather, passed, weather.cut_down)

    async def _renamed(self, data: bytes, reader: asyncio.StreamReader) -> bytes:
        """The data with the broker's address replaced; Kafka writes it as a host and four bytes of port."""
        host = self._to[0].encode()
        old, new = (host + struct.pack(">i", port) for port in (self._to[1], self.port))
        # An address may be split between two reads; more is waited for, but not for long.
        while any(data.endswith(old[:length]) for length in range(1, len(old))):
            try:
                async with asyncio.timeout(_SPLIT_SECONDS):
                    more = await reader.read(_CHUNK)
            except TimeoutError:
                break
            if not more:
                break
            data += more
        return data.replace(old, new)


@dataclass(frozen=True, slots=True)
class _Side:
    """One end of a connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


async def _first(*ways: Coroutine[Any, Any, None]) -> None:
    """Runs both ways until one ends, and ends the other; raises what that one raised."""
    tasks = [asyncio.create_task(way) for way in ways]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _pass(data: bytes, to: _Side, weather: Weather, passed: int, most: int | None) -> int:
    """Sends data on through the weather; returns how many bytes passed so far, raises _Cut at the `most`."""
    if weather.latency:
        await asyncio.sleep(weather.latency)
    whole = most is None or passed + len(data) < most
    part = data if whole or most is None else data[: most - passed]
    if weather.bandwidth is None:
        to.writer.write(part)
        await to.writer.drain()
    else:
        step = max(1, int(weather.bandwidth / 20))
        for start in range(0, len(part), step):
            await asyncio.sleep(step / weather.bandwidth)
            to.writer.write(part[start : start + step])
            await to.writer.drain()
    if not whole:
        raise _Cut
    return passed + len(data)


def _break(writer: asyncio.StreamWriter, *, reset: bool) -> None:
    """Ends one side; a reset throws away what it has not read."""
    sock = writer.get_extra_info("socket")
    if reset and sock is not None:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
        return
    with contextlib.suppress(OSError, RuntimeError):
        writer.close()

"""The doors behind their real listener, in this process, and bytes sent to it by hand."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from api.serving import listen, server_of
from tests.unit.api.doors import ADA, Stage, stage

HEAD = b"GET /v1/assets HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + ADA.encode() + b"\r\n"
POST = HEAD.replace(b"GET /v1/assets ", b"POST /v1/uploads/presign ") + b"Content-Type: application/json\r\n"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer as it came."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Wire:
    """One connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self) -> Answer | None:
        """The next answer; None when the connection ends instead."""
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        first, *lines = head[:-4].decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return Answer(int(first.split(" ")[1]), headers, body)

    async def ended(self) -> bool:
        """Waits until the other side closes; whatever still comes is left unread."""
        try:
            while await self.reader.read(65536):
                pass
        except ConnectionError:
            return True
        return True


@dataclass(frozen=True, slots=True)
class Listening:
    """The stage and its listener."""

    on: Stage
    port: int

    @asynccontextmanager
    async def wire(self) -> AsyncIterator[Wire]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield Wire(reader, writer)
        finally:
            writer.close()

    async def exchange(self, data: bytes) -> Answer | None:
        """What a fresh connection answers to these bytes."""
        async with asyncio.timeout(10), self.wire() as wire:
            await wire.send(data)
            return await wire.answer()


@asynccontextmanager
async def listening(**environ: str) -> AsyncIterator[Listening]:
    """A listener on any free port, for the hosts 127.0.0.1 and testserver."""
    given = {"ALLOWED_HOSTS": "127.0.0.1,testserver", "PORT": "0", "API_SHUTDOWN_GRACE": "1", **environ}
    async with stage(**given) as on:
        listener = listen(on.settings.doors)
        server = server_of(on.doors, on.settings.doors)
        await server.startup(sockets=[listener])
        try:
            yield Listening(on, listener.getsockname()[1])
        finally:
            on.doors.hub.close()
            await server.shutdown(sockets=[listener])

"""Live streams as a benchmark hears them: raw, one connection each, what was said with its moment."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

Heard = Callable[[Mapping[str, Any], float], None]


class Ear:
    """One open stream; `heard` is called with each entry's data and the moment it came (perf_counter)."""

    def __init__(self, writer: asyncio.StreamWriter, task: asyncio.Task[None]) -> None:
        self._writer, self._task = writer, task

    @property
    def ended(self) -> bool:
        """Whether the other side has ended it."""
        return self._task.done()

    async def close(self) -> None:
        """Leaves."""
        self._task.cancel()
        self._writer.close()


async def listen(url: str, token: str, heard: Heard | None = None) -> Ear:
    """Opens a stream and returns once its first block is there; raises ConnectionError where refused."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=2**16)
    writer.write(
        f"GET /v1/notifications/stream HTTP/1.1\r\nHost: {parts.netloc}\r\n"
        f"Authorization: Bearer {token}\r\n\r\n".encode()
    )
    head = await reader.readuntil(b"\r\n\r\n")
    if b" 200 " not in head.split(b"\r\n", 1)[0]:
        writer.close()
        raise ConnectionError(head.split(b"\r\n", 1)[0].decode())
    await reader.readuntil(b"\n\n")
    return Ear(writer, asyncio.create_task(_read(reader, heard)))


async def _read(reader: asyncio.StreamReader, heard: Heard | None) -> None:
    while line := await reader.readline():
        if heard is not None and line.startswith(b"data: "):
            heard(json.loads(line[6:]), time.perf_counter())

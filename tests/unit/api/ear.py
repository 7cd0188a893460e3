"""Listens to a live stream over bare ASGI, as a browser's EventSource would, at any speed."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from tests.unit.api.doors import ADA, Stage


@dataclass
class Ear:
    """What was heard: (id, data) of each event; `last_id` moves on with heartbeats too."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    heard: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    last_id: str = ""
    ids: list[str] = field(default_factory=list)
    retries: list[int] = field(default_factory=list)
    ended: bool = False
    body: bytes = b""
    listening: asyncio.Event = field(default_factory=asyncio.Event)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    _rest: str = ""

    def __post_init__(self) -> None:
        self.listening.set()

    async def receive(self) -> dict[str, Any]:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        await self.listening.wait()
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            return
        self.body += message.get("body", b"")
        self._parse(message.get("body", b"").decode())
        self.ended = not message.get("more_body", False)
        self.changed.set()

    def _parse(self, text: str) -> None:
        *blocks, self._rest = (self._rest + text).split("\n\n")
        for block in blocks:
            fields = [line.partition(": ")[::2] for line in block.split("\n")]
            for name, value in fields:
                if name == "id":
                    self.last_id = value
                    self.ids.append(value)
                elif name == "retry":
                    self.retries.append(int(value))
            data = "\n".join(value for name, value in fields if name == "data")
            if data:
                self.heard.append((self.last_id, json.loads(data)))

    def kinds(self) -> list[str]:
        return [data["type"] for _, data in self.heard]

    def told(self) -> list[tuple[str, str]]:
        return [(data["type"], data["asset_id"]) for _, data in self.heard if data["asset_id"]]

    async def until(self, count: int) -> None:
        await self.eventually(lambda: len(self.heard) >= count)

    async def eventually(self, holds: Callable[[], bool], seconds: float = 30.0) -> None:
        """Waits until it holds, looking whenever something was heard."""
        async with asyncio.timeout(seconds):
            while not holds():
                self.changed.clear()
                await self.changed.wait()


@contextlib.asynccontextmanager
async def listen(
    on: Stage,
    key: str | None = ADA,
    last_id: str | None = None,
    query: str = "",
    method: str = "GET",
    **headers: str,
) -> AsyncIterator[Ear]:
    """One stream, open until the block's end."""
    ear = Ear()
    named = {"host": "testserver", **{name.replace("_", "-"): text for name, text in headers.items()}}
    if key is not None:
        named["authorization"] = f"Bearer {key}"
    if last_id is not None:
        named["last-event-id"] = last_id
    scope = {
        "type": "http",
        "method": method,
        "path": "/v1/notifications/stream",
        "query_string": query.encode(),
        "headers": [(name.encode(), text.encode()) for name, text in named.items()],
    }
    task = asyncio.create_task(on.doors.asgi(scope, ear.receive, ear.send))
    try:
        await ear.eventually(lambda: bool(ear.ids) or ear.ended)
        yield ear
    finally:
        ear.gone.set()
        ear.listening.set()
        async with asyncio.timeout(30):
            await task

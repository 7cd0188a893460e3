"""The door of the live streams: a bare ASGI application, since each stream costs memory while it lasts."""

import asyncio
import random
import time
from functools import partial
from typing import Final

import psycopg
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from api import lasting
from api.access import still_entered
from api.notifications import entries
from api.notifications.entrance import NEED, let_in
from api.notifications.hub import Hub, Listener
from api.notifications.resume import Start, TooFarBack, begin, merged, missed
from api.notifications.tailer import Tailer
from api.parts import Parts

PATH: Final = "/v1/notifications/stream"
# A client that takes nothing for so long is gone, or as good as gone.
SEND_SECONDS: Final = 30.0
# Clients that were cut together must not come back together.
RETRY_MS: Final = (1_000, 5_000)
# One write to the socket: enough to be cheap, little enough that a client hears of progress.
BLOCK_BYTES: Final = 64_000
# Whoever logged out, or whose key was revoked, hears nothing more after this and a heartbeat.
CREDENTIAL_SECONDS: Final = 5.0

_HEADERS: Final = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
)


class StreamDoor:
    """Answers GET with the caller's entries, from where it left off, until either side has enough."""

    def __init__(self, hub: Hub, tailer: Tailer) -> None:
        self._hub = hub
        self._tailer = tailer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Problems 401, 429 and 503 come before the first byte; the stream itself is left to the front."""
        request = Request(scope, receive, send)
        parts, caller, given = await let_in(request)
        # EventSource keeps its URL for ever: what it heard last counts before what it was opened with.
        token = request.headers.get("last-event-id") or request.query_params.get("after")
        listener = self._hub.join(caller.user_id)
        try:
            await self._hub.admit(listener)
            start = await begin(parts, self._tailer, token)
            await send({"type": "http.response.start", "status": 200, "headers": list(_HEADERS)})
        except BaseException:
            self._hub.leave(listener)
            raise
        if request.method == "HEAD":
            self._hub.leave(listener)
            await send({"type": "http.response.body", "body": b""})
            return
        stream = _Stream(parts, self._hub, self._tailer, listener, start, given, lasting.offered(scope))
        lasting.leave(scope, stream.run)


async def _gone(receive: Receive, listener: Listener) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    listener.end("client")


class _Stream:
    """One stream from its first block to its last, in a place that it gives back."""

    __slots__ = (
        "_asked_at",
        "_given",
        "_hub",
        "_listener",
        "_parts",
        "_seen",
        "_send",
        "_start",
        "_tailer",
        "_tells",
        "_until",
    )

    _send: Send

    def __init__(
        self,
        parts: Parts,
        hub: Hub,
        tailer: Tailer,
        listener: Listener,
        start: Start,
        given: str,
        tells: lasting.Tells | None,
    ) -> None:
        """`given` is the Authorization header that the caller stands for; `tells` knows when it is gone."""
        self._parts, self._hub, self._tailer = parts, hub, tailer
        self._listener, self._start, self._seen = listener, start, start.since
        self._given, self._tells = given, tells
        self._asked_at = time.monotonic()
        lifetime = parts.settings.doors.sse_lifetime.total_seconds()
        self._until = time.monotonic() + lifetime * random.uniform(0.9, 1.0)  # noqa: S311 - spread, no secret

    async def run(self, receive: Receive, send: Send) -> None:
        """Until either side has enough; the place is given back."""
        self._send = send
        watch = self._watched(receive)
        try:
            await self._say()
        except TimeoutError:
            self._listener.end("stalled")  # the server closes what is left of the connection
        finally:
            if watch is not None:
                watch.cancel()
            self._hub.leave(self._listener)

    def _watched(self, receive: Receive) -> asyncio.Task[None] | None:
        """The connection tells when it ends; only where it can't, a task of our own waits for it."""
        if self._tells is None:
            return asyncio.create_task(_gone(receive, self._listener), name="stream-watch")
        self._tells(partial(self._listener.end, "client"))
        return None

    async def _say(self) -> None:
        """Says what was missed, then what happens, and in silence that it lives; ends with its credential."""
        await self._write(entries.frame(self._seen, retry_ms=_retry()))
        try:
            await self._catch_up()
        except psycopg.Error:
            self._listener.end("unavailable")  # it comes again with the id of what it got
        while self._listener.ending is None:
            if not len(self._listener.outbox):
                await self._wait()
            await self._deliver()
            if time.monotonic() >= self._until:
                self._listener.end("lifetime")
            elif not await self._still():
                self._listener.end("credential")
        await self._finish()

    async def _still(self) -> bool:
        """Asked every few seconds; while nobody can say, the stream goes on."""
        if time.monotonic() - self._asked_at < CREDENTIAL_SECONDS:
            return True
        self._asked_at = time.monotonic()
        try:
            return await still_entered(self._parts, NEED, self._given)
        except psycopg.Error:
            return True

    async def _catch_up(self) -> None:
        if self._start.reset:
            await self._reset()
            return
        if self._start.since == self._start.live:
            return
        try:
            async for entry in missed(self._parts, self._tailer, self._listener, self._start):
                await self._write(entry.wire)
        except TooFarBack:
            await self._reset()
        self._seen = merged(self._start.since, self._start.live)

    async def _reset(self) -> None:
        self._seen = self._start.live
        await self._write(entries.notice(entries.RESET, self._seen, self._parts.clock.now()))

    async def _wait(self) -> None:
        """Until something is queued, or the heartbeat is due; then the heartbeat is said."""
        beat = self._parts.settings.doors.sse_heartbeat.total_seconds()
        left = max(0.0, self._until - time.monotonic())
        if await self._listener.woken(min(beat, left)) or len(self._listener.outbox):
            return
        # Nothing waits for this client, so it has seen all that was fanned out.
        self._seen = merged(self._seen, self._tailer.vector)
        await self._write(entries.frame(self._seen))

    async def _deliver(self) -> None:
        block = bytearray()
        for entry in self._listener.outbox.take():
            if entry.position.offset <= self._seen.get(entry.position.partition, -1):
                continue  # the client heard of it from a process that was ahead of this one
            vector = merged(self._seen, entry.vector)
            block += entry.wire if vector == entry.vector else entries.reframed(entry, vector)
            self._seen = vector
            if len(block) >= BLOCK_BYTES:
                await self._write(bytes(block))
                block.clear()
        if block:
            await self._write(bytes(block))

    async def _finish(self) -> None:
        """Says that the client should come again, unless it is gone or takes nothing."""
        if self._listener.ending == "client":
            return
        last = entries.notice(entries.RECONNECT, self._seen, self._parts.clock.now(), retry_ms=_retry())
        await self._write(last, more=False)

    async def _write(self, block: bytes, *, more: bool = True) -> None:
        async with asyncio.timeout(SEND_SECONDS):
            await self._send({"type": "http.response.body", "body": block, "more_body": more})


def _retry() -> int:
    return random.randint(*RETRY_MS)  # noqa: S311 - spread, no secret

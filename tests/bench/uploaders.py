"""People who upload, one photograph after the other or many at once, and what the stream tells them of it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp

from tests.bench.ears import listen

_PATIENCE_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """One upload: seconds from its 202 to the word that it is ready; `heard_at` is seconds since 1970."""

    asset_id: str
    seconds: float
    heard_at: float


@dataclass(slots=True)
class Uploader:
    """Somebody with a key, an open stream and one photograph.

    `answered` uploads had their 202; `ready` is how often the stream said so, of whatever was rendered.
    """

    session: aiohttp.ClientSession
    picture: bytes
    answered: int = 0
    ready: int = 0
    _ready: dict[str, float] = field(default_factory=dict)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def heard(self, said: Mapping[str, Any], moment: float) -> None:
        """An entry of the stream."""
        if said["type"] == "asset.ready":
            self.ready += 1
            self._ready[str(said["asset_id"])] = moment
            self._changed.set()

    async def upload(self) -> str:
        """Returns the asset's id once the upload is answered with 202."""
        form = aiohttp.FormData()
        form.add_field("file", self.picture, filename="harbour.jpg", content_type="image/jpeg")
        async with self.session.post("/v1/uploads?duplicate=allow", data=form) as answer:
            asset_id = str((await answer.json())["asset_id"])
        self.answered += 1
        return asset_id

    async def until(self, holds: Callable[[], bool], seconds: float = _PATIENCE_SECONDS) -> None:
        """Returns once it holds, looking at each word of the stream; raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while not holds():
                self._changed.clear()
                await self._changed.wait()

    async def waited(self) -> Wait:
        """Uploads, and waits until the stream says ready."""
        asset_id = await self.upload()
        began = time.perf_counter()
        await self.until(lambda: asset_id in self._ready)
        moment = self._ready[asset_id]
        heard_at = time.time() - (time.perf_counter() - moment)
        return Wait(asset_id=asset_id, seconds=max(0.0, moment - began), heard_at=heard_at)

    async def series(self, count: int) -> list[Wait]:
        """So many uploads, one after the other."""
        return [await self.waited() for _ in range(count)]

    async def history(self, asset_id: str) -> list[Mapping[str, Any]]:
        """The asset's steps, oldest first."""
        async with self.session.get(f"/v1/assets/{asset_id}/history") as answer:
            return list((await answer.json())["items"])


async def uploader(stack: AsyncExitStack, url: str, key: str, picture: bytes) -> Uploader:
    """Somebody who listens, until the stack is left."""
    session = aiohttp.ClientSession(url, headers={"Authorization": f"Bearer {key}"}, raise_for_status=True)
    made = Uploader(await stack.enter_async_context(session), picture)
    stack.push_async_callback((await listen(url, key, made.heard)).close)
    return made


async def many(upload: Callable[[], Awaitable[object]], count: int, *, at_once: int) -> None:
    """So many uploads, a few at a time; returns once all are answered."""
    left = iter(range(count))

    async def one_after_the_other() -> None:
        for _ in left:
            await upload()

    async with asyncio.TaskGroup() as uploads:
        for _ in range(at_once):
            uploads.create_task(one_after_the_other())

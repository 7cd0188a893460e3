"""An object store that keeps nobody waiting for it while it is silent."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable
from datetime import datetime
from typing import Any, Final, TypeVar

from adapters.object_store.protocol import (
    ObjectInfo,
    ObjectStore,
    Part,
    PresignedPost,
    StoreUnavailable,
    Unfinished,
)

T = TypeVar("T")

QUIET_SECONDS: Final = 2.0


class PromptStore:
    """Another store, for whoever has to answer soon.

    A call may last as long as its bytes take. Each time that one has lasted for `quiet` seconds more, the
    store is asked whether it is there at all (`reachable`, 3 s); where it is not, the call is cancelled and
    raises StoreUnavailable. One question serves all calls that wait. Belongs to one event loop.
    """

    def __init__(self, store: ObjectStore, *, quiet: float = QUIET_SECONDS) -> None:
        """Closes `store` when it is closed."""
        self._store = store
        self._quiet = quiet
        self._asking: asyncio.Task[bool] | None = None

    async def put(self, key: str, data: bytes | memoryview, *, content_type: str) -> str:
        """As the Protocol says."""
        return await self._soon(self._store.put(key, data, content_type=content_type))

    async def get(self, key: str) -> bytes:
        """As the Protocol says."""
        return await self._soon(self._store.get(key))

    async def view(self, key: str) -> memoryview:
        """As the Protocol says."""
        return await self._soon(self._store.view(key))

    async def head(self, key: str) -> ObjectInfo | None:
        """As the Protocol says."""
        return await self._soon(self._store.head(key))

    async def put_stream(
        self, key: str, chunks: AsyncIterator[bytes], *, content_type: str, max_bytes: int
    ) -> ObjectInfo:
        """As the Protocol says; what a silent store has of it is thrown away when it is there again."""
        return await self._soon(
            self._store.put_stream(key, chunks, content_type=content_type, max_bytes=max_bytes)
        )

    async def copy(self, source: str, target: str, *, if_match: str, content_type: str) -> ObjectInfo:
        """As the Protocol says."""
        return await self._soon(
            self._store.copy(source, target, if_match=if_match, content_type=content_type)
        )

    async def delete(self, keys: Iterable[str]) -> None:
        """As the Protocol says."""
        await self._soon(self._store.delete(keys))

    def list(self, prefix: str) -> AsyncIterator[ObjectInfo]:
        """As the Protocol says, and as slowly: no answer waits for a list."""
        return self._store.list(prefix)

    def presign_get(
        self,
        key: str,
        *,
        expires_at: datetime,
        signed_at: datetime,
        file_name: str | None = None,
        attachment: bool = False,
        content_type: str | None = None,
    ) -> str:
        """As the Protocol says."""
        return self._store.presign_get(
            key,
            expires_at=expires_at,
            signed_at=signed_at,
            file_name=file_name,
            attachment=attachment,
            content_type=content_type,
        )

    def presign_post(self, key: str, *, content_type: str, size: int, expires_at: datetime) -> PresignedPost:
        """As the Protocol says."""
        return self._store.presign_post(key, content_type=content_type, size=size, expires_at=expires_at)

    async def begin_parts(self, key: str, *, content_type: str) -> str:
        """As the Protocol says."""
        return await self._soon(self._store.begin_parts(key, content_type=content_type))

    async def parts(self, key: str, upload_id: str) -> tuple[Part, ...]:
        """As the Protocol says."""
        return await self._soon(self._store.parts(key, upload_id))

    async def join_parts(self, key: str, upload_id: str, parts: Iterable[Part]) -> None:
        """As the Protocol says."""
        await self._soon(self._store.join_parts(key, upload_id, parts))

    async def drop_parts(self, key: str, upload_id: str) -> None:
        """As the Protocol says."""
        await self._soon(self._store.drop_parts(key, upload_id))

    async def unfinished(self, prefix: str) -> tuple[Unfinished, ...]:
        """As the Protocol says."""
        return await self._soon(self._store.unfinished(prefix))

    def presign_part(self, key: str, upload_id: str, number: int, *, size: int, expires_at: datetime) -> str:
        """As the Protocol says."""
        return self._store.presign_part(key, upload_id, number, size=size, expires_at=expires_at)

    async def reachable(self) -> bool:
        """As the Protocol says."""
        return await self._store.reachable()

    async def close(self) -> None:
        """As the Protocol says."""
        await self._store.close()

    async def _soon(self, call: Coroutine[Any, Any, T]) -> T:
        calling = asyncio.create_task(call)
        calling.add_done_callback(_heard)
        try:
            while not (await asyncio.wait((calling,), timeout=self._quiet))[0]:
                if not await self._there() and not calling.done():
                    raise StoreUnavailable("the store does not answer")
            return calling.result()
        finally:
            calling.cancel()  # what it still has to put in order it does by itself

    async def _there(self) -> bool:
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._store.reachable())
        return await asyncio.shield(self._asking)


def _heard(call: asyncio.Task[Any]) -> None:
    """How a call ended that nobody waits for any more is of no interest."""
    if not call.cancelled():
        call.exception()

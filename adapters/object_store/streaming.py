"""Storing a stream of unknown length in bounded memory: whole when it is short, in parts when it is long."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from adapters.object_store.protocol import ObjectInfo, ObjectTooLarge

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

    from adapters.object_store.control import Control

T = TypeVar("T")

# S3 wants 5 MiB at least for all parts but the last.
PART_BYTES: Final = 8 * 1024 * 1024


class _Store(Protocol):
    async def put(self, key: str, data: bytes | memoryview, *, content_type: str) -> str: ...

    async def in_thread(self, call: "Callable[[Control], T]") -> T: ...


async def store_stream(
    store: _Store, key: str, chunks: AsyncIterator[bytes], *, content_type: str, max_bytes: int
) -> ObjectInfo:
    """As ObjectStore.put_stream says."""
    async with aclosing(_in_parts(key, chunks, max_bytes)) as parts:
        return await _store_parts(store, key, parts, content_type)


async def _store_parts(store: _Store, key: str, parts: AsyncIterator[bytes], content_type: str) -> ObjectInfo:
    first = await anext(parts)
    if len(first) < PART_BYTES:
        etag = await store.put(key, first, content_type=content_type)
        return ObjectInfo(key=key, size=len(first), etag=etag, content_type=content_type)
    upload_id = await store.in_thread(lambda control: control.begin_upload(key, content_type))
    upload = _Upload(store, key, upload_id)
    try:
        await upload.add(first)
        async for part in parts:
            await upload.add(part)
        etag = await upload.finish()
    except BaseException:
        # Cancelled or not: parts that nobody asks for again must not lie about.
        await asyncio.shield(upload.drop())
        raise
    return ObjectInfo(key=key, size=upload.size, etag=etag, content_type=content_type)


class _Upload:
    """A multipart upload under way."""

    def __init__(self, store: _Store, key: str, upload_id: str) -> None:
        self.size = 0
        self._store, self._key, self._upload_id = store, key, upload_id
        self._parts: list[CompletedPartTypeDef] = []
        self._in_hand: asyncio.Future[CompletedPartTypeDef] | None = None

    async def add(self, data: bytes) -> None:
        """Waits for the part before, and begins to send this one."""
        await self._settle()
        number = len(self._parts) + 1
        self.size += len(data)
        self._in_hand = asyncio.ensure_future(
            self._store.in_thread(
                lambda control: control.upload_part(self._key, self._upload_id, number, data)
            )
        )

    async def finish(self) -> str:
        """Makes the object; returns its ETag."""
        await self._settle()
        return await self._store.in_thread(
            lambda control: control.finish_upload(self._key, self._upload_id, self._parts)
        )

    async def drop(self) -> None:
        """Throws all parts away, after the one in hand has ended: a later one would stay."""
        if self._in_hand is not None:
            await asyncio.gather(self._in_hand, return_exceptions=True)
        await self._store.in_thread(lambda control: control.drop_upload(self._key, self._upload_id))

    async def _settle(self) -> None:
        if self._in_hand is not None:
            self._parts.append(await asyncio.shield(self._in_hand))
            self._in_hand = None


async def _in_parts(key: str, chunks: AsyncIterator[bytes], max_bytes: int) -> AsyncGenerator[bytes, None]:
    """The stream cut into parts of PART_BYTES and a rest, which may be empty only when it is all there is."""
    waiting, size, whole = bytearray(), 0, 0
    async for chunk in chunks:
        size += len(chunk)
        if size > max_bytes:
            raise ObjectTooLarge(key)
        waiting += chunk
        while len(waiting) >= PART_BYTES:
            yield bytes(waiting[:PART_BYTES])
            del waiting[:PART_BYTES]
            whole += 1
    if waiting or not whole:
        yield bytes(waiting)

"""An object store in memory, for tests."""

import hashlib
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote, urlencode

from adapters.object_store.protocol import (
    ObjectInfo,
    ObjectMissing,
    ObjectTooLarge,
    PreconditionFailed,
    PresignedPost,
    StoreError,
    StoreRefused,
)


@dataclass(frozen=True, slots=True)
class _Object:
    data: bytes
    content_type: str

    @property
    def etag(self) -> str:
        return hashlib.md5(self.data, usedforsecurity=False).hexdigest()


@dataclass(slots=True)
class InMemoryObjectStore:
    """Bytes in a dict. `failure` is raised by all calls that would reach a server."""

    failure: StoreError | None = None
    _objects: dict[str, _Object] = field(default_factory=dict)

    async def put(self, key: str, data: bytes | memoryview, *, content_type: str) -> str:
        """As the Protocol says."""
        self._answer()
        stored = self._objects[key] = _Object(bytes(data), content_type)
        return stored.etag

    async def get(self, key: str) -> bytes:
        """As the Protocol says."""
        return self._object(key).data

    async def view(self, key: str) -> memoryview:
        """As the Protocol says."""
        return memoryview(await self.get(key))

    async def head(self, key: str) -> ObjectInfo | None:
        """As the Protocol says."""
        self._answer()
        return self._info(key) if key in self._objects else None

    async def put_stream(
        self, key: str, chunks: AsyncIterator[bytes], *, content_type: str, max_bytes: int
    ) -> ObjectInfo:
        """As the Protocol says."""
        data = bytearray()
        async for chunk in chunks:
            data += chunk
            if len(data) > max_bytes:
                raise ObjectTooLarge(key)
        await self.put(key, bytes(data), content_type=content_type)
        return self._info(key)

    async def copy(self, source: str, target: str, *, if_match: str, content_type: str) -> ObjectInfo:
        """As the Protocol says."""
        found = self._object(source)
        if found.etag != if_match:
            raise PreconditionFailed(source)
        self._objects[target] = _Object(found.data, content_type)
        return self._info(target)

    async def delete(self, keys: Iterable[str]) -> None:
        """As the Protocol says."""
        self._answer()
        for key in keys:
            self._objects.pop(key, None)

    async def list(self, prefix: str) -> AsyncIterator[ObjectInfo]:
        """As the Protocol says."""
        self._answer()
        for key in sorted(self._objects):
            if key.startswith(prefix):
                found = self._objects[key]
                yield ObjectInfo(key=key, size=len(found.data), etag=found.etag, content_type="")

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
        """An address that leads nowhere, but holds what it was made of."""
        said = {
            "expires": expires_at.isoformat(),
            "signed": signed_at.isoformat(),
            "name": file_name or "",
            "attachment": str(attachment).lower(),
            "type": content_type or "",
        }
        return f"http://store.invalid/{quote(key)}?{urlencode(said)}"

    def presign_post(self, key: str, *, content_type: str, size: int, expires_at: datetime) -> PresignedPost:
        """A form for `accept_post`."""
        fields = {
            "key": key,
            "Content-Type": content_type,
            "x-size": str(size),
            "x-expires": expires_at.isoformat(),
        }
        return PresignedPost(url="http://store.invalid/", fields=fields)

    def accept_post(self, post: PresignedPost, data: bytes) -> None:
        """What the store does when a browser sends the form; raises StoreRefused on a wrong size."""
        if str(len(data)) != post.fields["x-size"]:
            raise StoreRefused("the size is not the one that the policy fixes")
        self._objects[post.fields["key"]] = _Object(data, post.fields["Content-Type"])

    async def reachable(self) -> bool:
        """Whether calls succeed."""
        return self.failure is None

    async def close(self) -> None:
        """Nothing to let go of."""

    def _answer(self) -> None:
        if self.failure is not None:
            raise self.failure

    def _object(self, key: str) -> _Object:
        self._answer()
        if key not in self._objects:
            raise ObjectMissing(key)
        return self._objects[key]

    def _info(self, key: str) -> ObjectInfo:
        found = self._objects[key]
        return ObjectInfo(key=key, size=len(found.data), etag=found.etag, content_type=found.content_type)

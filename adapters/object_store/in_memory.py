"""An object store in memory, for tests."""

import hashlib
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qs, quote, urlencode, urlsplit
from uuid import uuid4

from adapters.object_store.protocol import (
    ObjectInfo,
    ObjectMissing,
    ObjectTooLarge,
    Part,
    PreconditionFailed,
    PresignedPost,
    StoreError,
    StoreRefused,
    Unfinished,
)


@dataclass(frozen=True, slots=True)
class _Object:
    data: bytes
    content_type: str
    modified_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def etag(self) -> str:
        return hashlib.md5(self.data, usedforsecurity=False).hexdigest()


@dataclass(slots=True)
class _InParts:
    key: str
    content_type: str
    begun_at: datetime
    parts: dict[int, bytes] = field(default_factory=dict)


@dataclass(slots=True)
class InMemoryObjectStore:
    """Bytes in a dict. `failure` is raised by all calls that would reach a server."""

    failure: StoreError | None = None
    _objects: dict[str, _Object] = field(default_factory=dict)
    _in_parts: dict[str, _InParts] = field(default_factory=dict)

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
                yield ObjectInfo(
                    key=key,
                    size=len(found.data),
                    etag=found.etag,
                    content_type="",
                    modified_at=found.modified_at,
                )

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

    async def begin_parts(self, key: str, *, content_type: str) -> str:
        """As the Protocol says."""
        self._answer()
        upload_id = str(uuid4())
        self._in_parts[upload_id] = _InParts(key, content_type, datetime.now(UTC))
        return upload_id

    async def parts(self, key: str, upload_id: str) -> tuple[Part, ...]:
        """As the Protocol says."""
        self._answer()
        found = self._in_parts.get(upload_id)
        if found is None or found.key != key:
            return ()
        return tuple(
            Part(number=number, size=len(data), etag=_Object(data, "").etag)
            for number, data in sorted(found.parts.items())
        )

    async def join_parts(self, key: str, upload_id: str, parts: Iterable[Part]) -> None:
        """As the Protocol says."""
        self._answer()
        found = self._in_parts.get(upload_id)
        if found is None or found.key != key:
            raise ObjectMissing(key)
        data = b"".join(found.parts[part.number] for part in parts)
        self._objects[key] = _Object(data, found.content_type)
        del self._in_parts[upload_id]

    async def drop_parts(self, key: str, upload_id: str) -> None:
        """As the Protocol says."""
        del key
        self._answer()
        self._in_parts.pop(upload_id, None)

    async def unfinished(self, prefix: str) -> tuple[Unfinished, ...]:
        """As the Protocol says."""
        self._answer()
        return tuple(
            Unfinished(key=each.key, upload_id=upload_id, begun_at=each.begun_at)
            for upload_id, each in self._in_parts.items()
            if each.key.startswith(prefix)
        )

    def presign_part(self, key: str, upload_id: str, number: int, *, size: int, expires_at: datetime) -> str:
        """An address for `accept_part`."""
        said = {"upload": upload_id, "part": number, "size": size, "expires": expires_at.isoformat()}
        return f"http://store.invalid/{quote(key)}?{urlencode(said)}"

    def accept_part(self, address: str, data: bytes) -> None:
        """What the store does when somebody PUTs to the address; raises StoreRefused on a wrong size."""
        said = parse_qs(urlsplit(address).query)
        if str(len(data)) != said["size"][0]:
            raise StoreRefused("the size is not the one that was signed")
        if (found := self._in_parts.get(said["upload"][0])) is None:
            raise StoreRefused("there is no such upload")
        found.parts[int(said["part"][0])] = data

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

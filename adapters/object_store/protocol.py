"""What an object store promises, and how it can fail.

StoreError
├── ObjectMissing        no such object
├── PreconditionFailed   the object is not the one that was meant
├── ObjectTooLarge       a stream went on past its bound
├── StoreRefused         the store said no for good: credentials, bucket, an invalid request
└── StoreUnavailable     an outage: trying again later is right
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class StoreError(Exception):
    """A call to the object store that did not do what it was asked for."""


class ObjectMissing(StoreError):
    """There is no object of this key."""


class PreconditionFailed(StoreError):
    """The object has another ETag than the one that was asked for."""


class ObjectTooLarge(StoreError):
    """The stream held more bytes than allowed; nothing was stored."""


class StoreRefused(StoreError):
    """The store refuses for good: trying again with the same settings is no use.

    `code` is the store's own word for why, where it said one (`RequestTimeTooSkewed`).
    """

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code


class StoreUnavailable(StoreError):
    """The store can't be reached or is failing; trying again later is right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectInfo:
    """An object without its bytes: `size` in bytes, `etag` without quotes.

    `modified_at` is told by listings alone, by the store's clock.
    """

    key: str
    size: int
    etag: str
    content_type: str
    modified_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part that arrived: `number` from 1, `size` in bytes, `etag` without quotes."""

    number: int
    size: int
    etag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """An upload in parts that was begun, and neither joined nor dropped."""

    key: str
    upload_id: str
    begun_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PresignedPost:
    """A form that a browser sends to `url`: `fields` first, the file as the last field, named `file`."""

    url: str
    fields: Mapping[str, str]


class ObjectStore(Protocol):
    """Keys to bytes. Every call may raise StoreUnavailable or StoreRefused beside what it names."""

    async def put(self, key: str, data: bytes | memoryview, *, content_type: str) -> str:
        """Stores the bytes under the key, replacing what was there; returns the ETag."""
        ...

    async def get(self, key: str) -> bytes:
        """The object's bytes, all of them; raises ObjectMissing."""
        ...

    async def view(self, key: str) -> memoryview:
        """As `get`, in the memory that they came in: large objects are not copied once more."""
        ...

    async def head(self, key: str) -> ObjectInfo | None:
        """The object without its bytes, or None where there is none."""
        ...

    async def put_stream(
        self, key: str, chunks: AsyncIterator[bytes], *, content_type: str, max_bytes: int
    ) -> ObjectInfo:
        """Stores a stream in bounded memory.

        Raises ObjectTooLarge as soon as more than `max_bytes` came; then, and whenever the stream itself
        raises or the call is cancelled, nothing is stored.
        """
        ...

    async def copy(self, source: str, target: str, *, if_match: str, content_type: str) -> ObjectInfo:
        """Copies the source where its ETag is `if_match`; raises ObjectMissing, PreconditionFailed."""
        ...

    async def delete(self, keys: Iterable[str]) -> None:
        """Deletes the objects; keys that are not there do no harm."""
        ...

    def list(self, prefix: str) -> AsyncIterator[ObjectInfo]:
        """All objects whose keys begin with the prefix, by key; their content type is left empty."""
        ...

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
        """An address that anybody can download the object from until `expires_at`.

        The same arguments give the same address. The answer carries `content_type` where one is given, and
        a Content-Disposition where a name is given or it is to be an attachment.
        """
        ...

    def presign_post(self, key: str, *, content_type: str, size: int, expires_at: datetime) -> PresignedPost:
        """A form by which anybody can upload exactly `size` bytes of this type to this key, until then."""
        ...

    async def begin_parts(self, key: str, *, content_type: str) -> str:
        """Begins an upload in parts; returns the store's id for it."""
        ...

    async def parts(self, key: str, upload_id: str) -> tuple[Part, ...]:
        """The parts that arrived, by number; none where the upload was joined, dropped or never begun."""
        ...

    async def join_parts(self, key: str, upload_id: str, parts: Iterable[Part]) -> None:
        """Makes the object of its parts; raises ObjectMissing where there is no such upload.

        Its ETag is no digest of its bytes.
        """
        ...

    async def drop_parts(self, key: str, upload_id: str) -> None:
        """Throws the parts away; an upload that is not there does no harm."""
        ...

    async def unfinished(self, prefix: str) -> tuple[Unfinished, ...]:
        """The uploads in parts under way to keys that begin with the prefix, the oldest first."""
        ...

    def presign_part(self, key: str, upload_id: str, number: int, *, size: int, expires_at: datetime) -> str:
        """An address to which anybody can PUT exactly `size` bytes as this part, until then."""
        ...

    async def reachable(self) -> bool:
        """Whether the store answers for our bucket right now; never raises."""
        ...

    async def close(self) -> None:
        """Lets go of all resources."""
        ...

"""The object store on S3 and its like.

Two libraries share the work: obstore has the hot path (put, get, head, list, delete) at a fifth of boto3's
cost, retries built in. boto3 does what obstore can't (conditional copies, parts), and is loaded when that is
first asked for: it costs a process 25 MB and half a second, and a worker never needs it.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeVar

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from adapters.clock import Clock, SystemClock
from adapters.object_store.failures import watched
from adapters.object_store.protocol import (
    ObjectInfo,
    ObjectMissing,
    Part,
    PresignedPost,
    StoreUnavailable,
    Unfinished,
)
from adapters.object_store.signing import Signer, content_disposition
from adapters.object_store.streaming import store_stream
from adapters.settings import StoreSettings
from adapters.telemetry.metrics import StoreMetrics

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

    from adapters.object_store.control import Control

T = TypeVar("T")

_THREADS: Final = 8
_PROBE_SECONDS: Final = 3.0
_DELETE_BATCH: Final = 1000

# A call's last breath on the library's own threads still needs the interpreter: a process that ends within it
# is aborted (1 in 10 was; with this pause none of 60).
_LAST_BREATH_SECONDS: Final = 0.05


class S3ObjectStore:
    """As the Protocol says. Connects at its first call; belongs to one event loop."""

    def __init__(self, store: StoreSettings, *, metrics: StoreMetrics, clock: Clock | None = None) -> None:
        """For the bucket and addresses of the settings; `clock` dates upload forms."""
        self._clock = clock or SystemClock()
        self._settings = store
        self._metrics = metrics
        self._store = _hot(store)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="store")
        self._signer = Signer(
            endpoint=store.public_endpoint,
            bucket=store.bucket,
            region=store.region,
            access_key=store.access_key,
            secret_key=store.secret_key.get_secret_value(),
        )

    @cached_property
    def _control(self) -> "Control":
        from adapters.object_store.control import Control

        return Control(self._settings)

    async def put(self, key: str, data: bytes | memoryview, *, content_type: str) -> str:
        """As the Protocol says."""
        with watched(self._metrics, "put", key):
            done = await obstore.put_async(
                self._store, key, data, attributes={"Content-Type": content_type}, use_multipart=False
            )
        return (done["e_tag"] or "").strip('"')

    async def get(self, key: str) -> bytes:
        """As the Protocol says."""
        return bytes(await self.view(key))

    async def view(self, key: str) -> memoryview:
        """As the Protocol says."""
        with watched(self._metrics, "get", key):
            found = await obstore.get_async(self._store, key)
            data = memoryview(await found.bytes_async())
            if len(data) != found.meta["size"]:
                raise StoreUnavailable(f"{key}: {len(data)} of {found.meta['size']} bytes came")
        return data

    async def head(self, key: str) -> ObjectInfo | None:
        """As the Protocol says."""
        try:
            with watched(self._metrics, "head", key):
                # obstore's own head() leaves the content type out.
                found = await obstore.get_async(self._store, key, options={"head": True})
        except ObjectMissing:
            return None
        return ObjectInfo(
            key=key,
            size=found.meta["size"],
            etag=(found.meta["e_tag"] or "").strip('"'),
            content_type=str(found.attributes.get("Content-Type", "")),
        )

    async def put_stream(
        self, key: str, chunks: AsyncIterator[bytes], *, content_type: str, max_bytes: int
    ) -> ObjectInfo:
        """As the Protocol says. Streams longer than a part (8 MiB) are sent in parts, two in memory."""
        with watched(self._metrics, "put_stream", key):
            return await store_stream(self, key, chunks, content_type=content_type, max_bytes=max_bytes)

    async def copy(self, source: str, target: str, *, if_match: str, content_type: str) -> ObjectInfo:
        """As the Protocol says."""
        with watched(self._metrics, "copy", source):
            etag = await self.in_thread(
                lambda control: control.copy(source, target, if_match=if_match, content_type=content_type)
            )
            made = await self.head(target)
            if made is None:
                raise StoreUnavailable(f"{target} was copied and is not there")
        return ObjectInfo(key=target, size=made.size, etag=made.etag or etag, content_type=content_type)

    async def delete(self, keys: Iterable[str]) -> None:
        """As the Protocol says."""
        waiting = list(dict.fromkeys(keys))
        with watched(self._metrics, "delete", waiting[0] if waiting else ""):
            for start in range(0, len(waiting), _DELETE_BATCH):
                await obstore.delete_async(self._store, waiting[start : start + _DELETE_BATCH])

    async def list(self, prefix: str) -> AsyncIterator[ObjectInfo]:
        """As the Protocol says."""
        pages: Any = obstore.list(self._store, prefix=prefix)
        while True:
            with watched(self._metrics, "list", prefix):
                page = await anext(pages, None)
            if page is None:
                return
            for found in page:
                etag = (found["e_tag"] or "").strip('"')
                yield ObjectInfo(
                    key=found["path"],
                    size=found["size"],
                    etag=etag,
                    content_type="",
                    modified_at=found["last_modified"],
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
        """As the Protocol says."""
        overrides: dict[str, str] = {}
        if content_type is not None:
            overrides["response-content-type"] = content_type
        if file_name is not None or attachment:
            overrides["response-content-disposition"] = content_disposition(file_name, attachment=attachment)
        return self._signer.get(key, signed_at=signed_at, expires_at=expires_at, overrides=overrides)

    def presign_post(self, key: str, *, content_type: str, size: int, expires_at: datetime) -> PresignedPost:
        """As the Protocol says."""
        now = self._clock.now()
        return self._signer.post(
            key, signed_at=now, expires_at=expires_at, content_type=content_type, size=size
        )

    async def begin_parts(self, key: str, *, content_type: str) -> str:
        """As the Protocol says."""
        with watched(self._metrics, "parts", key):
            return await self.in_thread(lambda control: control.begin_upload(key, content_type))

    async def parts(self, key: str, upload_id: str) -> tuple[Part, ...]:
        """As the Protocol says."""
        try:
            with watched(self._metrics, "parts", key):
                return await self.in_thread(lambda control: control.parts(key, upload_id))
        except ObjectMissing:
            return ()

    async def join_parts(self, key: str, upload_id: str, parts: Iterable[Part]) -> None:
        """As the Protocol says."""
        named: list[CompletedPartTypeDef] = [
            {"ETag": f'"{part.etag}"', "PartNumber": part.number} for part in parts
        ]
        with watched(self._metrics, "parts", key):
            await self.in_thread(lambda control: control.finish_upload(key, upload_id, named))

    async def drop_parts(self, key: str, upload_id: str) -> None:
        """As the Protocol says."""
        with contextlib.suppress(ObjectMissing), watched(self._metrics, "parts", key):
            await self.in_thread(lambda control: control.drop_upload(key, upload_id))

    async def unfinished(self, prefix: str) -> tuple[Unfinished, ...]:
        """As the Protocol says."""
        with watched(self._metrics, "parts", prefix):
            return await self.in_thread(lambda control: control.unfinished(prefix))

    def presign_part(self, key: str, upload_id: str, number: int, *, size: int, expires_at: datetime) -> str:
        """As the Protocol says."""
        part = {"partNumber": str(number), "uploadId": upload_id}
        return self._signer.put(
            key, signed_at=self._clock.now(), expires_at=expires_at, size=size, parameters=part
        )

    async def reachable(self) -> bool:
        """As the Protocol says; answers within 3 s."""
        try:
            async with asyncio.timeout(_PROBE_SECONDS):
                await obstore.list_with_delimiter_async(self._store, prefix="no-such-prefix/")
        except (BaseError, OSError, TimeoutError):
            return False
        return True

    async def close(self) -> None:
        """As the Protocol says."""
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)
        if "_control" in self.__dict__:
            self._control.close()
        await asyncio.sleep(_LAST_BREATH_SECONDS)

    async def in_thread(self, call: "Callable[[Control], T]") -> T:
        """Runs a blocking call in one of the store's threads; a cancelled one runs on to its end."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, lambda: call(self._control))


def _hot(store: StoreSettings) -> S3Store:
    return S3Store(
        store.bucket,
        endpoint=store.endpoint,
        region=store.region,
        access_key_id=store.access_key,
        secret_access_key=store.secret_key.get_secret_value(),
        virtual_hosted_style_request=False,
        client_options={
            "allow_http": store.endpoint.startswith("http:"),
            "connect_timeout": timedelta(seconds=2),
            "timeout": timedelta(seconds=20),
        },
        retry_config={
            "max_retries": 3,
            "retry_timeout": timedelta(seconds=10),
            "backoff": {
                "init_backoff": timedelta(milliseconds=50),
                "max_backoff": timedelta(seconds=1),
                "base": 2,
            },
        },
    )

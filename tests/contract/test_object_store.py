"""The contract of an object store, met by the one in memory and by S3's like, as it is and promptly."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest

from adapters.object_store import (
    InMemoryObjectStore,
    ObjectMissing,
    ObjectStore,
    ObjectTooLarge,
    PreconditionFailed,
    PromptStore,
    S3ObjectStore,
)
from adapters.telemetry import Metrics
from tests.servers import World

PART = 8 * 1024 * 1024


@pytest.fixture(params=["memory", "s3", "prompt"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[ObjectStore]:
    if request.param == "memory":
        yield InMemoryObjectStore()
        return
    world: World = request.getfixturevalue("world")
    real = S3ObjectStore(world.settings().store, metrics=Metrics().store)
    store = PromptStore(real) if request.param == "prompt" else real
    yield store
    await store.close()


@pytest.fixture
def folder() -> str:
    """A prefix of the test's own, with characters that need care in addresses."""
    return f"t/{uuid4()}/a b+ü%"


async def chunks(parts: Iterable[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def keys(store: ObjectStore, prefix: str) -> list[str]:
    return [found.key async for found in store.list(prefix)]


@pytest.mark.parametrize("data", [b"", b"x", bytes(range(256)) * 5000], ids=["empty", "one", "many"])
async def test_what_was_put_is_got_and_described(store: ObjectStore, folder: str, data: bytes) -> None:
    etag = await store.put(f"{folder}/x", data, content_type="image/jpeg")
    info = await store.head(f"{folder}/x")
    assert await store.get(f"{folder}/x") == data
    assert bytes(await store.view(f"{folder}/x")) == data
    assert info is not None
    assert (info.size, info.etag, info.content_type) == (len(data), etag, "image/jpeg")
    assert etag
    assert '"' not in etag


async def test_a_view_of_memory_can_be_put(store: ObjectStore, folder: str) -> None:
    await store.put(f"{folder}/x", memoryview(b"0123456789")[2:5], content_type="image/webp")
    assert await store.get(f"{folder}/x") == b"234"


async def test_a_put_replaces(store: ObjectStore, folder: str) -> None:
    first = await store.put(f"{folder}/x", b"one", content_type="image/jpeg")
    second = await store.put(f"{folder}/x", b"two", content_type="image/png")
    info = await store.head(f"{folder}/x")
    assert first != second
    assert await store.get(f"{folder}/x") == b"two"
    assert info is not None
    assert info.content_type == "image/png"


async def test_what_is_not_there_is_missing(store: ObjectStore, folder: str) -> None:
    assert await store.head(f"{folder}/none") is None
    with pytest.raises(ObjectMissing):
        await store.get(f"{folder}/none")
    with pytest.raises(ObjectMissing):
        await store.copy(f"{folder}/none", f"{folder}/y", if_match="0" * 32, content_type="image/jpeg")


async def test_a_copy_is_made_of_the_object_that_was_meant(store: ObjectStore, folder: str) -> None:
    etag = await store.put(f"{folder}/x", b"meant", content_type="text/html")
    made = await store.copy(f"{folder}/x", f"{folder}/y", if_match=etag, content_type="image/png")
    await store.put(f"{folder}/x", b"another", content_type="text/html")
    with pytest.raises(PreconditionFailed):
        await store.copy(f"{folder}/x", f"{folder}/z", if_match=etag, content_type="image/png")
    assert await store.get(f"{folder}/y") == b"meant"
    assert await store.head(f"{folder}/y") == made
    assert made.content_type == "image/png"
    assert await store.head(f"{folder}/z") is None


async def test_deleting_is_for_many_and_can_be_repeated(store: ObjectStore, folder: str) -> None:
    names = [f"{folder}/{number}" for number in range(5)]
    await asyncio.gather(*(store.put(name, b"x", content_type="image/jpeg") for name in names))
    await store.delete(names[:3])
    await store.delete([*names[:4], f"{folder}/none"])
    await store.delete([])
    assert await keys(store, f"{folder}/") == names[4:]


async def test_a_listing_holds_what_begins_with_the_prefix(store: ObjectStore, folder: str) -> None:
    names = sorted(f"{folder}/{number:04}" for number in range(30))
    await asyncio.gather(*(store.put(name, b"abc", content_type="image/jpeg") for name in names))
    found = [info async for info in store.list(f"{folder}/")]
    assert [info.key for info in found] == names
    assert {info.size for info in found} == {3}
    assert await keys(store, f"{folder}/none/") == []


@pytest.mark.parametrize("size", [0, 10, PART - 1, PART, PART + 1, 2 * PART + 5])
async def test_a_stream_is_stored_whole(store: ObjectStore, folder: str, size: int) -> None:
    data = os.urandom(size)
    pieces = [data[start : start + 300_000] for start in range(0, size, 300_000)]
    info = await store.put_stream(f"{folder}/s", chunks(pieces), content_type="image/jpeg", max_bytes=size)
    assert await store.get(f"{folder}/s") == data
    assert await store.head(f"{folder}/s") == info
    assert info.size == size


@pytest.mark.parametrize("limit", [10, PART + 10])
async def test_of_a_stream_that_goes_on_too_long_nothing_is_stored(
    store: ObjectStore, folder: str, limit: int
) -> None:
    with pytest.raises(ObjectTooLarge):
        await store.put_stream(
            f"{folder}/s", chunks([bytes(limit), b"x"]), content_type="image/jpeg", max_bytes=limit
        )
    assert await store.head(f"{folder}/s") is None


@pytest.mark.parametrize("size", [10, PART + 10])
async def test_of_a_stream_that_breaks_nothing_is_stored(store: ObjectStore, folder: str, size: int) -> None:
    async def breaking() -> AsyncIterator[bytes]:
        yield bytes(size)
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await store.put_stream(f"{folder}/s", breaking(), content_type="image/jpeg", max_bytes=2 * size)
    assert await store.head(f"{folder}/s") is None


async def test_parts_that_arrived_are_known_and_joined(store: ObjectStore, folder: str) -> None:
    key, sizes = f"{folder}/p", {1: 5 * 1024 * 1024, 2: 1000}
    upload = await store.begin_parts(key, content_type="image/png")
    assert await store.parts(key, upload) == ()
    until = datetime.now(UTC) + timedelta(minutes=5)
    for number, size in reversed(sizes.items()):
        address = store.presign_part(key, upload, number, size=size, expires_at=until)
        await put_part(store, address, bytes([number]) * size)
    arrived = await store.parts(key, upload)
    assert {part.number: part.size for part in arrived} == sizes
    assert [each.key for each in await store.unfinished(f"{folder}/")] == [key]
    assert await store.head(key) is None

    await store.join_parts(key, upload, arrived)
    info = await store.head(key)
    assert info is not None
    assert (info.size, info.content_type) == (sum(sizes.values()), "image/png")
    assert (await store.get(key))[-1000:] == b"\x02" * 1000
    assert await store.parts(key, upload) == ()
    assert await store.unfinished(f"{folder}/") == ()


async def test_parts_that_are_dropped_are_gone_for_good(store: ObjectStore, folder: str) -> None:
    key = f"{folder}/p"
    upload, other = [await store.begin_parts(key, content_type="image/png") for _ in range(2)]
    until = datetime.now(UTC) + timedelta(minutes=5)
    await put_part(store, store.presign_part(key, upload, 1, size=1, expires_at=until), b"x")
    arrived = await store.parts(key, upload)
    await store.drop_parts(key, upload)
    await store.drop_parts(key, upload)
    assert await store.parts(key, upload) == ()
    assert [each.upload_id for each in await store.unfinished(key)] == [other]
    with pytest.raises(ObjectMissing):
        await store.join_parts(key, upload, arrived)
    await store.drop_parts(key, other)
    assert await store.head(key) is None


async def test_a_listing_tells_when_objects_came(store: ObjectStore, folder: str) -> None:
    await store.put(f"{folder}/x", b"x", content_type="image/jpeg")
    (found,) = [info async for info in store.list(f"{folder}/")]
    assert found.modified_at is not None
    assert abs(found.modified_at - datetime.now(UTC)) < timedelta(minutes=5)


async def put_part(store: ObjectStore, address: str, data: bytes) -> None:
    if isinstance(store, InMemoryObjectStore):
        store.accept_part(address, data)
        return
    async with httpx.AsyncClient() as browser:
        answer = await browser.put(address, content=data)
    assert answer.status_code == 200, answer.text


async def test_an_address_is_the_same_for_the_same_arguments(store: ObjectStore) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    later = now + timedelta(hours=1)
    first = store.presign_get("a/b.jpg", signed_at=now, expires_at=later)
    await asyncio.sleep(1.1)
    assert store.presign_get("a/b.jpg", signed_at=now, expires_at=later) == first
    assert store.presign_get("a/b.jpg", signed_at=now, expires_at=later, attachment=True) != first
    assert store.presign_get("a/c.jpg", signed_at=now, expires_at=later) != first


async def test_a_store_that_answers_is_reachable(store: ObjectStore) -> None:
    assert await store.reachable()

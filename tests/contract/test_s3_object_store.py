"""What only a real store shows: addresses and forms that strangers use, outages, misconfiguration."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import boto3
import httpx
import pytest
from botocore.config import Config

from adapters.object_store import ObjectMissing, S3ObjectStore, StoreRefused, StoreUnavailable
from adapters.telemetry import Metrics
from tests.servers import World

PART = 8 * 1024 * 1024


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
async def store(world: World, metrics: Metrics) -> AsyncIterator[S3ObjectStore]:
    real = S3ObjectStore(world.settings().store, metrics=metrics.store)
    yield real
    await real.close()


def now() -> datetime:
    return datetime.now(UTC)


@pytest.mark.parametrize("key", ["plain/x.jpg", "a b+c/ü~%41&=?#(1).jpg"])
async def test_an_address_downloads_with_the_headers_asked_for(store: S3ObjectStore, key: str) -> None:
    await store.put(key, b"picture", content_type="image/jpeg")
    url = store.presign_get(
        key,
        signed_at=now(),
        expires_at=now() + timedelta(minutes=5),
        file_name='Ferien; 100% "Süd"\r\nX: y/é.jpg',
        attachment=True,
        content_type="image/png",
    )
    async with httpx.AsyncClient() as browser:
        answer = await browser.get(url)
    assert answer.status_code == 200, answer.text
    assert answer.content == b"picture"
    assert answer.headers["content-type"] == "image/png"
    said = answer.headers["content-disposition"]
    assert said.startswith('attachment; filename="Ferien_ 100_ _S')
    assert "filename*=UTF-8''Ferien%3B%20100%25%20_S%C3%BCd_X%3A%20y_%C3%A9.jpg" in said
    assert "x" not in answer.headers


async def test_an_address_of_another_object_or_time_is_refused(store: S3ObjectStore) -> None:
    await store.put("mine", b"x", content_type="image/jpeg")
    await store.put("yours", b"x", content_type="image/jpeg")
    fresh = store.presign_get("mine", signed_at=now(), expires_at=now() + timedelta(minutes=5))
    past = now() - timedelta(hours=2)
    stale = store.presign_get("mine", signed_at=past, expires_at=past + timedelta(hours=1))
    async with httpx.AsyncClient() as browser:
        assert (await browser.get(fresh)).status_code == 200
        assert (await browser.get(fresh.replace("/mine?", "/yours?"))).status_code == 403
        assert (await browser.get(fresh.partition("?")[0])).status_code == 403
        assert (await browser.get(stale)).status_code == 403
        assert (await browser.put(fresh, content=b"y")).status_code == 403


async def test_strangers_see_nothing_of_the_store(world: World, store: S3ObjectStore) -> None:
    """U12, U13: no listing, no object by its bare key, no address of one object that opens another."""
    await store.put("assets/a/original/x", b"x", content_type="image/jpeg")
    bucket = f"{world.settings().store.endpoint}/{world.settings().store.bucket}"
    async with httpx.AsyncClient() as stranger:
        for path in ("", "?list-type=2", "?prefix=assets/", "/assets/a/original/x", "?uploads"):
            assert (await stranger.get(bucket + path)).status_code == 403, path
        assert (await stranger.put(f"{bucket}/assets/a/original/x", content=b"y")).status_code == 403
        assert (await stranger.delete(f"{bucket}/assets/a/original/x")).status_code == 403
    assert await store.get("assets/a/original/x") == b"x"


async def test_a_form_takes_exactly_what_its_policy_says(store: S3ObjectStore) -> None:
    key = f"incoming/{uuid4()}"
    post = store.presign_post(key, content_type="image/jpeg", size=5, expires_at=now() + timedelta(minutes=5))
    async with httpx.AsyncClient() as browser:

        async def send(data: bytes, **changed: str) -> int:
            fields = dict(post.fields) | changed
            answer = await browser.post(post.url, data=fields, files={"file": ("x.jpg", data)})
            return answer.status_code

        assert await send(b"123456") >= 400
        assert await send(b"1234") >= 400
        assert await send(b"12345", key="incoming/another") == 403
        assert await send(b"12345", **{"Content-Type": "text/html"}) == 403
        assert await store.head(key) is None
        assert 200 <= await send(b"12345") < 300
    info = await store.head(key)
    assert info is not None
    assert (info.size, info.content_type) == (5, "image/jpeg")


async def test_a_form_that_is_out_of_date_is_refused(store: S3ObjectStore) -> None:
    post = store.presign_post("k", content_type="image/jpeg", size=1, expires_at=now() - timedelta(seconds=1))
    async with httpx.AsyncClient() as browser:
        answer = await browser.post(post.url, data=dict(post.fields), files={"file": ("x", b"1")})
    assert answer.status_code == 403


async def test_a_part_takes_exactly_what_was_signed(store: S3ObjectStore) -> None:
    """U01, U06: neither another size, part, key or method, nor afterwards."""
    key, soon = f"incoming/{uuid4()}", now() + timedelta(minutes=5)
    upload = await store.begin_parts(key, content_type="image/jpeg")
    address = store.presign_part(key, upload, 1, size=5, expires_at=soon)
    async with httpx.AsyncClient() as browser:
        assert (await browser.put(address, content=b"1234")).status_code == 403
        assert (await browser.put(address, content=b"123456")).status_code == 403
        wrong = address.replace("partNumber=1", "partNumber=2")
        assert (await browser.put(wrong, content=b"12345")).status_code == 403
        assert (
            await browser.put(address.replace(key, "incoming/another"), content=b"12345")
        ).status_code == 403
        assert (await browser.get(address)).status_code == 403
        assert await store.parts(key, upload) == ()
        assert (await browser.put(address, content=b"12345")).status_code == 200
    await store.drop_parts(key, upload)


async def test_parts_of_a_broken_or_cancelled_stream_are_dropped(world: World, store: S3ObjectStore) -> None:
    async def breaking() -> AsyncIterator[bytes]:
        yield bytes(2 * PART)
        raise ConnectionResetError

    async def endless() -> AsyncIterator[bytes]:
        yield bytes(PART)
        await asyncio.sleep(60)

    with pytest.raises(ConnectionResetError):
        await store.put_stream("broken", breaking(), content_type="image/jpeg", max_bytes=9 * PART)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await store.put_stream("cancelled", endless(), content_type="image/jpeg", max_bytes=9 * PART)
    async with asyncio.timeout(30):
        while _uploads(world):  # noqa: ASYNC110 - the store tells nobody
            await asyncio.sleep(0.1)


async def test_an_outage_is_told_apart_from_a_missing_object(world: World, store: S3ObjectStore) -> None:
    with world.servers.store.down():
        began = time.monotonic()
        with pytest.raises(StoreUnavailable):
            await store.get("none")
        with pytest.raises(StoreUnavailable):
            await store.head("none")
        with pytest.raises(StoreUnavailable):
            await store.copy("none", "x", if_match="0" * 32, content_type="image/jpeg")
        assert not await store.reachable()
        assert time.monotonic() - began < 40
    with pytest.raises(ObjectMissing):
        await store.get("none")


async def test_what_will_never_work_is_refused(world: World) -> None:
    for changed in ({"S3_BUCKET": f"none-{uuid4().hex[:8]}"}, {"S3_SECRET_KEY": "wrong-" * 6}):
        store = S3ObjectStore(world.settings(**changed).store, metrics=Metrics().store)
        with pytest.raises(StoreRefused) as refusal:
            await store.get("x")
        assert "wrong-" not in str(refusal.value)
        with pytest.raises(StoreRefused):
            await store.put("x", b"x", content_type="image/jpeg")
        with pytest.raises((StoreRefused, ObjectMissing)):
            await store.copy("x", "y", if_match="0" * 32, content_type="image/jpeg")
        assert not await store.reachable()
        await store.close()


async def test_calls_are_counted_by_their_end(store: S3ObjectStore, metrics: Metrics) -> None:
    await store.put("counted", b"x", content_type="image/jpeg")
    await store.head("none")
    count = metrics.registry.get_sample_value
    assert count("darkroom_store_calls_total", {"call": "put", "end": "ok"}) == 1
    assert count("darkroom_store_calls_total", {"call": "head", "end": "missing"}) == 1
    assert count("darkroom_store_call_seconds_count", {"call": "put"}) == 1


def _uploads(world: World) -> list[str]:
    store = world.settings().store
    client = boto3.client(
        "s3",
        endpoint_url=store.endpoint,
        region_name=store.region,
        aws_access_key_id=store.access_key,
        aws_secret_access_key=store.secret_key.get_secret_value(),
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    found = client.list_multipart_uploads(Bucket=store.bucket).get("Uploads", [])
    client.close()
    return [upload["Key"] for upload in found]

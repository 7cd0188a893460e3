"""Uploads in parts: begun, gone on with after any interruption, completed, called off."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from adapters.sealing import open_json
from schemas.events import AssetPurged, UploadCompleted, UploadExpired, UploadRequested
from tests.unit.api.doors import ADA, BEN, Stage, stage

MIB = 1024 * 1024
PART = 5 * MIB
SIZE = 2 * PART + 1000
WHOLE = bytes(range(256)) * (SIZE // 256) + b"end" + bytes(SIZE % 256 - 3)
BODY: dict[str, Any] = {"file_name": "pan.jpg", "content_type": "image/jpeg", "size": SIZE, "title": "Pan"}


async def begun(
    on: Stage, key: str = ADA, headers: dict[str, str] | None = None, **body: Any
) -> dict[str, Any]:
    answer = await on.client(key).post("/v1/uploads/multipart", json={**BODY, **body}, headers=headers)
    assert answer.status_code == 201, answer.text
    return answer.json()  # type: ignore[no-any-return]


def send(on: Stage, signed: dict[str, Any], *numbers: int) -> None:
    for part in signed["parts"]:
        if part["number"] in numbers:
            start = (part["number"] - 1) * PART
            on.store.accept_part(part["url"], WHOLE[start : start + part["size"]])


def token(granted: dict[str, Any]) -> dict[str, str]:
    return {"Upload-Token": granted["upload_token"]}


async def arrived(on: Stage, granted: dict[str, Any], key: str = ADA) -> httpx.Response:
    return await on.client(key).get(f"/v1/uploads/{granted['upload_id']}/parts", headers=token(granted))


async def complete(on: Stage, granted: dict[str, Any], **body: Any) -> httpx.Response:
    said = {"upload_token": granted["upload_token"], **body}
    return await on.client().post("/v1/uploads/complete", json=said)


async def abort(on: Stage, granted: dict[str, Any], key: str = ADA) -> httpx.Response:
    return await on.client(key).delete(f"/v1/uploads/{granted['upload_id']}", headers=token(granted))


@pytest.fixture
async def on() -> AsyncIterator[Stage]:
    async with stage(UPLOAD_PART_BYTES=str(PART)) as made:
        yield made


async def test_a_file_in_parts_becomes_an_asset(on: Stage) -> None:
    granted = await begun(on)
    assert (granted["part_size"], granted["part_count"]) == (PART, 3)
    assert [(part["number"], part["size"]) for part in granted["parts"]] == [(1, PART), (2, PART), (3, 1000)]
    send(on, granted, 1, 2, 3)
    answer = await complete(on, granted)
    assert answer.status_code == 202, answer.text
    requested, completed = on.events()
    assert isinstance(requested, UploadRequested)
    assert isinstance(completed, UploadCompleted)
    assert (requested.method, completed.size) == ("multipart", SIZE)
    assert await on.store.get(completed.object_key) == WHOLE
    assert (await complete(on, granted)).json() == answer.json()


async def test_a_client_goes_on_with_the_missing_parts_alone(on: Stage) -> None:
    """Nothing but the token and the store is needed: the door that goes on has never heard of the upload."""
    granted = await begun(on)
    send(on, granted, 2)
    said = (await arrived(on, granted)).json()
    assert [part["number"] for part in said["arrived"]] == [2]
    assert said["missing"] == [1, 3]
    refused = await complete(on, granted)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/parts-missing")
    assert refused.json()["missing"] == [1, 3]
    path = f"/v1/uploads/{granted['upload_id']}/parts"
    signed = await on.client().post(path, json={"parts": said["missing"]}, headers=token(granted))
    assert [part["number"] for part in signed.json()["parts"]] == [1, 3]
    send(on, signed.json(), 1, 3)
    assert (await arrived(on, granted)).json()["missing"] == []
    assert (await complete(on, granted)).status_code == 202


async def test_a_part_of_another_size_or_digest_is_missing(on: Stage) -> None:
    """U01, U02: what the store has is compared, part by part; the whole's ETag is no digest of its bytes."""
    granted = await begun(on)
    send(on, granted, 1, 2, 3)
    told = {part["number"]: part["etag"] for part in (await arrived(on, granted)).json()["arrived"]}
    meant = [{"number": number, "etag": f'"{etag}"'} for number, etag in told.items()]
    other = [*meant[:2], {"number": 3, "etag": "0" * 32}]
    answer = await complete(on, granted, parts=other)
    assert (answer.status_code, answer.json()["missing"]) == (409, [3])
    upload = next(iter(await on.store.unfinished("incoming/")))
    on.store._in_parts[upload.upload_id].parts[1] += b"x"
    assert (await complete(on, granted)).json()["missing"] == [1]
    send(on, granted, 1)
    assert (await complete(on, granted, parts=meant)).status_code == 202


async def test_a_repeated_start_finds_the_upload_it_began(on: Stage) -> None:
    key = {"Idempotency-Key": "pan-1"}
    first = await begun(on, headers=key)
    send(on, first, 1)
    on.reads.catch_up()
    again = await begun(on, headers=key)
    assert again["upload_id"] == first["upload_id"]
    assert len(await on.store.unfinished("")) == 1
    assert [part["number"] for part in (await arrived(on, again)).json()["arrived"]] == [1]
    assert len(on.events()) == 1
    other = await on.client().post("/v1/uploads/multipart", json={**BODY, "size": 7}, headers=key)
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-key-reused")


async def test_a_declared_digest_is_left_to_the_worker(on: Stage) -> None:
    """U02: the worker, who reads the bytes anyway, refuses what has another SHA-256."""
    granted = await begun(on, sha256="ab" * 32)
    send(on, granted, 1, 2, 3)
    await complete(on, granted)
    completed = on.events()[-1]
    assert isinstance(completed, UploadCompleted)
    assert completed.sealed_digests is not None
    sealed = completed.sealed_digests
    said = open_json(on.keys, user_id=completed.owner_id, field="sealed_digests", sealed=sealed)
    assert said is not None
    assert said["sha256"] == "ab" * 32


@pytest.mark.parametrize(("size", "status"), [(0, 422), (200_000_001, 413), (10_000_000_000, 413)])
async def test_sizes_are_refused_before_an_address_is_given(on: Stage, size: int, status: int) -> None:
    """U08."""
    answer = await on.client().post("/v1/uploads/multipart", json={**BODY, "size": size})
    assert answer.status_code == status
    assert await on.store.unfinished("") == ()
    assert on.events() == []


async def test_others_can_do_nothing_with_a_token(on: Stage) -> None:
    """U05."""
    granted = await begun(on)
    on.reads.catch_up()
    assert (await arrived(on, granted, BEN)).status_code == 404
    assert (await abort(on, granted, BEN)).status_code == 404
    elsewhere = {**granted, "upload_id": granted["asset_id"]}
    assert (await arrived(on, elsewhere)).status_code == 404
    assert (await abort(on, elsewhere)).status_code == 404
    assert len(on.events()) == 1


async def test_addresses_hold_a_quarter_of_an_hour_and_never_past_the_upload(on: Stage) -> None:
    """U06."""
    granted = await begun(on)
    path = f"/v1/uploads/{granted['upload_id']}/parts"

    async def signed() -> httpx.Response:
        return await on.client().post(path, json={"parts": [1]}, headers=token(granted))

    assert granted["parts_expire_at"] == (on.clock.now() + timedelta(minutes=15)).isoformat().replace(
        "+00:00", "Z"
    )
    on.clock.advance(timedelta(hours=23, minutes=50))
    assert (await signed()).json()["parts_expire_at"] == granted["expires_at"]
    on.clock.advance(timedelta(minutes=10))
    assert (await signed()).status_code == 410
    beyond = await on.client().post(path, json={"parts": [4]}, headers=token(granted))
    assert beyond.status_code == 422


async def test_an_aborted_upload_leaves_nothing_and_can_not_be_completed(on: Stage) -> None:
    granted = await begun(on)
    send(on, granted, 1, 2, 3)
    on.reads.catch_up()
    on.reads.keeps_up = True
    first = await abort(on, granted)
    assert first.status_code == 204, first.text
    assert first.headers["darkroom-position"] == on.log.records[-1].position.token()
    _, expired = on.events()
    assert isinstance(expired, UploadExpired)
    assert (expired.code, expired.expected_version) == ("aborted", 1)
    assert await on.store.unfinished("") == ()
    assert (await abort(on, granted)).status_code == 204
    assert len(on.events()) == 2
    assert (await complete(on, granted)).status_code == 410
    assert (await arrived(on, granted)).status_code == 410


async def test_a_complete_upload_can_not_be_aborted(on: Stage) -> None:
    granted = await begun(on)
    send(on, granted, 1, 2, 3)
    await complete(on, granted)
    on.reads.catch_up()
    refused = await abort(on, granted)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/upload-finished")
    assert (await arrived(on, granted)).status_code == 409


async def test_after_a_purge_no_form_brings_an_original_back(on: Stage) -> None:
    granted = await begun(on)
    send(on, granted, 1, 2, 3)
    requested = on.events()[0]
    assert isinstance(requested, UploadRequested)
    await on.append(purged(requested))
    on.reads.catch_up()
    assert (await complete(on, granted)).status_code == 410
    assert [info.key async for info in on.store.list("assets/")] == []


def purged(requested: UploadRequested) -> AssetPurged:
    return AssetPurged(
        event_id=requested.upload_id,
        occurred_at=requested.occurred_at,
        asset_id=requested.asset_id,
        owner_id=requested.owner_id,
        actor_id=requested.owner_id,
        code="permanent",
        incoming_key=requested.object_key,
    )

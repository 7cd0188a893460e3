"""Uploads on real servers: in parts across a restart, quotas by two doors, what never came, the audit."""

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest

from adapters.event_log import KafkaEventLog
from adapters.object_store import S3ObjectStore
from adapters.schema_registry import load_codec
from adapters.sealing import seal_json
from adapters.subject_keys import KafkaSubjectKeys
from adapters.telemetry import Metrics
from schemas.envelope import Metadata
from schemas.events import UploadRequested
from tests.integration.api.running import ADA, BEN, JPEG, RunningDoors, open_doors
from tests.operators import told
from tests.programs import Program, free_port, running
from tests.servers import World

PART = 5 * 1024 * 1024
WHOLE = os.urandom(2 * PART + 4321)
FILES = 7


@pytest.fixture(scope="module")
def doors(world: World) -> Iterator[RunningDoors]:
    with open_doors(world, QUOTA_FILES=str(FILES), UPLOAD_PART_BYTES=str(PART)) as opened:
        yield opened


@pytest.fixture(scope="module")
def second(doors: RunningDoors) -> Iterator[str]:
    """Another API process over the same servers."""
    port = free_port()
    env = {**doors.api.env, "PORT": str(port), "STATE_DIR": str(doors.world.folder / "second")}
    url = f"http://127.0.0.1:{port}"
    program = Program(["api"], env, doors.world.folder)
    with running(program):
        program.wait_ready(f"{url}/readyz")
        yield url


def eventually(true: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def put(signed: dict[str, Any], *numbers: int) -> None:
    for part in signed["parts"]:
        if part["number"] in numbers:
            start = (part["number"] - 1) * PART
            answer = httpx.put(part["url"], content=WHOLE[start : start + part["size"]], timeout=60)
            assert answer.status_code == 200, answer.text


def test_an_upload_goes_on_after_the_door_was_restarted(doors: RunningDoors) -> None:
    """A door that is killed in the middle of an upload costs nobody a byte that had arrived."""
    body = {"file_name": "pan.jpg", "content_type": "image/jpeg", "size": len(WHOLE)}
    granted = doors.client(BEN).post("/v1/uploads/multipart", json=body).json()
    put(granted, 1)
    doors.api.kill()
    doors.api.restart()
    doors.wait_ready()

    client, path = doors.client(BEN), f"/v1/uploads/{granted['upload_id']}/parts"
    token = {"Upload-Token": granted["upload_token"]}
    said = client.get(path, headers=token).json()
    assert [part["number"] for part in said["arrived"]] == [1]
    signed = client.post(path, headers=token, json={"parts": said["missing"]}).json()
    assert [part["number"] for part in signed["parts"]] == [2, 3]
    early = client.post("/v1/uploads/complete", json={"upload_token": granted["upload_token"]})
    assert (early.status_code, early.json()["missing"]) == (409, [2, 3])
    put(signed, 2, 3)
    done = client.post("/v1/uploads/complete", json={"upload_token": granted["upload_token"]})
    assert done.status_code == 202, done.text
    again = client.post("/v1/uploads/complete", json={"upload_token": granted["upload_token"]})
    assert again.json() == done.json()
    client.get(done.json()["status_url"]).raise_for_status()
    detail = client.get(f"/v1/assets/{granted['asset_id']}").json()
    assert httpx.get(detail["variants"]["original"]["url"], timeout=60).content == WHOLE


def test_an_aborted_upload_is_gone(doors: RunningDoors) -> None:
    body = {"file_name": "pan.jpg", "content_type": "image/jpeg", "size": len(WHOLE)}
    client = doors.client(BEN)
    granted = client.post("/v1/uploads/multipart", json=body).json()
    put(granted, 3)
    token = {"Upload-Token": granted["upload_token"]}
    assert client.delete(f"/v1/uploads/{granted['upload_id']}", headers=token).status_code == 204
    assert client.delete(f"/v1/uploads/{granted['upload_id']}", headers=token).status_code == 204
    assert client.get(f"/v1/uploads/{granted['upload_id']}/parts", headers=token).status_code == 410
    late = client.post("/v1/uploads/complete", json={"upload_token": granted["upload_token"]})
    assert late.status_code == 410
    assert client.get(f"/v1/assets/{granted['asset_id']}").json()["status"] == "expired"


async def test_fifty_at_once_through_two_doors_get_what_the_quota_allows(
    doors: RunningDoors, second: str
) -> None:
    """U08: exactly so many, whichever door is asked; and all who are refused hear what is left."""
    body = {"file_name": "a.jpg", "content_type": "image/jpeg", "size": 1000}
    kept = doors.upload(ADA)  # counts as well: what is kept, what is awaited, and what was just promised
    doors.client(ADA).get(kept.json()["status_url"]).raise_for_status()
    headers = {"Authorization": f"Bearer {ADA}"}
    async with httpx.AsyncClient(headers=headers, timeout=60) as client:
        asked = [client.post(f"{url}/v1/uploads/presign", json=body) for url in (doors.url, second) * 25]
        answers = await asyncio.gather(*asked)
    assert sum(answer.status_code == 201 for answer in answers) == FILES - 1
    refused = [answer for answer in answers if answer.status_code != 201]
    assert {answer.status_code for answer in refused} == {413}
    assert {answer.json()["files_left"] for answer in refused} == {0}


async def test_what_never_came_is_expired_and_swept(doors: RunningDoors) -> None:
    """U07: said first, removed once the read models have it; what is still awaited stays."""
    world = doors.world
    lost, awaited = await asyncio.to_thread(_uploads, world)
    store = S3ObjectStore(world.settings("store").store, metrics=Metrics().store)
    for asset_id in (lost, awaited):
        await store.put(f"incoming/{asset_id}/x", b"half", content_type="image/jpeg")
        await store.begin_parts(f"incoming/{asset_id}/p", content_type="image/jpeg")

    code, said = await asyncio.to_thread(told, world, "housekeeping", "run", "--once")
    assert (code, said["expiry"]["expired"]) == (0, 1)
    await asyncio.to_thread(eventually, lambda: _status(world, lost) == "expired", "no verdict came")
    code, said = await asyncio.to_thread(told, world, "housekeeping", "run", "--once")
    assert said["expiry"]["expired"] == 0
    left = [info.key async for info in store.list("incoming/") if info.key.endswith("/x")]
    assert left == [f"incoming/{awaited}/x"]
    parts = [each.key for each in await store.unfinished("incoming/") if each.key.endswith("/p")]
    assert parts == [f"incoming/{awaited}/p"]
    assert _status(world, awaited) == "requested"
    await store.close()


async def test_store_and_read_models_agree_at_rest(doors: RunningDoors) -> None:
    world = doors.world
    code, said = await asyncio.to_thread(told, world, "objects", "audit")
    assert (code, said["orphans"], said["missing"], said["originals"]) == (0, [], [], 2)
    assert said["original_bytes"] == len(WHOLE) + len(JPEG)

    store = S3ObjectStore(world.settings("store").store, metrics=Metrics().store)
    stray = f"assets/{uuid4()}/original/stray"
    await store.put(stray, b"x", content_type="image/jpeg")
    code, said = await asyncio.to_thread(told, world, "objects", "audit", "--remove-orphans")
    assert (code, said["young"], said["removed"]) == (0, 1, 0)
    await asyncio.sleep(1.1)  # what came in the second before has no age that a store would tell
    code, said = await asyncio.to_thread(told, world, "objects", "audit", "--remove-orphans", "--grace", "1s")
    assert (code, [one["key"] for one in said["orphans"]], said["removed"]) == (0, [stray], 1)
    assert await store.head(stray) is None
    await store.close()


def _uploads(world: World) -> tuple[UUID, UUID]:
    """Two uploads that stand in the read models: one long overdue, one still awaited."""
    settings = world.settings("uploads")
    codec = load_codec(settings)
    log = KafkaEventLog(settings.kafka, codec, metrics=Metrics().log)
    keys = KafkaSubjectKeys(settings, codec, log, component="api")
    keys.start()
    try:
        now, owner, ids = datetime.now(UTC), uuid4(), (uuid4(), uuid4())
        key_id = asyncio.run(keys.data_key(owner))
        words: dict[str, object] = {"file_name": "a.jpg", "title": None, "description": None, "tags": []}
        sealed = seal_json(keys, user_id=owner, key_id=key_id, field="sealed_words", value=words)
        for asset_id, age in zip(ids, (timedelta(hours=2), timedelta(minutes=1)), strict=True):
            event = UploadRequested(
                event_id=uuid4(),
                occurred_at=now - age,
                asset_id=asset_id,
                owner_id=owner,
                actor_id=owner,
                upload_id=uuid4(),
                method="direct",
                object_key=f"incoming/{asset_id}/x",
                content_type="image/jpeg",
                declared_size=4,
                sealed_words=sealed,
                expires_at=now - age + timedelta(minutes=15),
            )
            log.append_sync(event, Metadata(correlation_id=uuid4(), source="/test"))
        eventually(lambda: all(_status(world, each) for each in ids), "the read models did not hear of it")
    finally:
        keys.close()
        log.close_sync()
    return ids


def _status(world: World, asset_id: UUID) -> str | None:
    with psycopg.connect(world.env["DATABASE_URL"]) as conn:
        row = conn.execute("select status from live.assets where asset_id = %s", (asset_id,)).fetchone()
    return row[0] if row else None

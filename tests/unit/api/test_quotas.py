"""U08: what one user may keep and have under way; whoever is refused hears what is left."""

import asyncio
from typing import Any
from uuid import UUID

import httpx
import pytest

from adapters.event_log import LogUnavailable, OutcomeUnknown
from adapters.object_store import PresignedPost
from schemas.events import AssetPurged, UploadExpired, UploadRequested
from tests.unit.api.doors import ADA, BEN, JPEG, Stage, stage

SIZE = len(JPEG)


async def ask(
    on: Stage, key: str = ADA, size: int = SIZE, headers: dict[str, str] | None = None
) -> httpx.Response:
    body = {"file_name": "a.jpg", "content_type": "image/jpeg", "size": size}
    return await on.client(key).post("/v1/uploads/presign", json=body, headers=headers)


async def form(on: Stage, data: bytes = JPEG, key: str = ADA) -> httpx.Response:
    return await on.client(key).post("/v1/uploads", files={"file": ("a.jpg", data, "image/jpeg")})


def refused(answer: httpx.Response, status: int, kind: str, **left: int) -> None:
    said = answer.json()
    assert (answer.status_code, said["type"]) == (status, f"/problems/{kind}")
    assert {name: value for name, value in said.items() if name.endswith("_left")} == left


async def test_bytes_are_bounded_to_the_last_one() -> None:
    async with stage(QUOTA_BYTES=str(2 * SIZE + 10)) as on:
        assert (await ask(on)).status_code == 201
        assert (await form(on)).status_code == 202
        refused(await ask(on, size=11), 413, "quota-exceeded", bytes_left=10)
        refused(await form(on, JPEG[:11]), 413, "quota-exceeded", bytes_left=10)
        on.reads.catch_up()  # the read models count now what was promised: the sum stays
        refused(await ask(on, size=11), 413, "quota-exceeded", bytes_left=10)
        assert (await ask(on, size=10)).status_code == 201
        assert (await ask(on, BEN)).status_code == 201


async def test_of_a_refused_form_nothing_stays() -> None:
    async with stage(QUOTA_BYTES=str(SIZE)) as on:
        refused(await form(on, JPEG + b"x"), 413, "quota-exceeded", bytes_left=SIZE)
        assert on.events() == []
        assert [info.key async for info in on.store.list("")] == []
        assert (await form(on)).status_code == 202


@pytest.mark.parametrize("setting", ["QUOTA_FILES", "UPLOADS_IN_FLIGHT"])
async def test_fifty_at_once_get_no_more_than_the_bound(setting: str) -> None:
    async with stage(**{setting: "7"}) as on:
        answers = await asyncio.gather(*(ask(on) for _ in range(50)))
        assert sum(answer.status_code == 201 for answer in answers) == 7
        no = next(answer for answer in answers if answer.status_code != 201)
        if setting == "QUOTA_FILES":
            refused(no, 413, "quota-exceeded", files_left=0)
        else:
            refused(no, 429, "too-many-uploads", uploads_left=0)
            assert no.headers["retry-after"] == "5"


async def test_what_is_completed_is_under_way_no_more() -> None:
    async with stage(UPLOADS_IN_FLIGHT="1") as on:
        granted = (await ask(on)).json()
        assert (await ask(on)).status_code == 429
        on.store.accept_post(PresignedPost(url=granted["url"], fields=granted["fields"]), JPEG)
        token = {"upload_token": granted["upload_token"]}
        assert (await on.client().post("/v1/uploads/complete", json=token)).status_code == 202
        on.reads.catch_up()
        assert (await ask(on)).status_code == 201


@pytest.mark.parametrize("end", ["expired", "aborted", "permanent"])
async def test_room_comes_back_with_expiry_abort_and_purge(end: str) -> None:
    async with stage(QUOTA_FILES="1") as on:
        await ask(on)
        assert (await ask(on)).status_code == 413
        requested = on.events()[0]
        assert isinstance(requested, UploadRequested)
        common: dict[str, Any] = {
            "event_id": UUID(int=1),
            "occurred_at": on.clock.now(),
            "asset_id": requested.asset_id,
            "owner_id": requested.owner_id,
            "code": end,
        }
        if end == "permanent":
            await on.append(
                AssetPurged(**common, actor_id=requested.owner_id, incoming_key=requested.object_key)
            )
        else:
            await on.append(UploadExpired(**common, upload_id=requested.upload_id))
        assert (await ask(on)).status_code == 413  # until the log's word is heard
        on.reads.catch_up()
        assert (await ask(on)).status_code == 201


async def test_a_repeated_request_is_one_promise() -> None:
    async with stage(QUOTA_FILES="1") as on:
        key = {"Idempotency-Key": "once"}
        first = await ask(on, headers=key)
        assert first.status_code == (await ask(on, headers=key)).status_code == 201
        on.reads.catch_up()
        assert (await ask(on, headers=key)).json()["asset_id"] == first.json()["asset_id"]
        assert (await ask(on)).status_code == 413


async def test_a_promise_is_taken_back_where_nothing_can_have_landed() -> None:
    async with stage(QUOTA_FILES="1") as on:
        on.log.failure = LogUnavailable("away")
        assert (await ask(on)).status_code == 503
        on.log.failure = None
        assert (await ask(on)).status_code == 201

    async with stage(QUOTA_FILES="1") as on:
        on.log.failure, on.log.lands_anyway = OutcomeUnknown("who knows"), True
        assert (await ask(on)).status_code == 503
        on.log.failure = None
        assert (await ask(on)).status_code == 413


async def test_without_bounds_nothing_is_counted(on: Stage) -> None:
    assert on.settings.quotas.off
    for _ in range(3):
        assert (await ask(on)).status_code == 201


async def test_u16_a_flood_of_requests_is_told_to_wait_and_others_are_not() -> None:
    async with stage(RATE_UPLOADS="20/minute") as on:
        answers = await asyncio.gather(*(ask(on) for _ in range(200)))
        assert sum(answer.status_code == 201 for answer in answers) == 20
        late = [answer for answer in answers if answer.status_code != 201]
        assert {answer.status_code for answer in late} == {429}
        assert all(int(answer.headers["retry-after"]) >= 1 for answer in late)
        assert (await ask(on, BEN)).status_code == 201

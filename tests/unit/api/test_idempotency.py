"""A request repeated under its key takes effect once, whatever was lost in between (H11)."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from adapters.event_log import OutcomeUnknown
from schemas.events import UploadCompleted, UploadRequested
from tests.unit.api.doors import ADA, BEN, JPEG, Stage
from tests.unit.api.test_uploads import PRESIGN

KEY = {"Idempotency-Key": "key-1"}


async def presign(on: Stage, key: str = ADA, headers: dict[str, str] = KEY, **fields: Any) -> httpx.Response:
    return await on.client(key).post("/v1/uploads/presign", json={**PRESIGN, **fields}, headers=headers)


async def form(on: Stage, data: bytes = JPEG, headers: dict[str, str] = KEY, **words: str) -> httpx.Response:
    files = {"file": ("harbour.jpg", data, "image/jpeg")}
    return await on.client().post("/v1/uploads", files=files, data=words, headers=headers)


async def test_an_unknown_outcome_repeated_gives_the_same_asset_under_one_event_id(on: Stage) -> None:
    on.log.failure, on.log.lands_anyway = OutcomeUnknown("cut"), True
    assert (await presign(on)).status_code == 503
    on.log.failure, on.log.lands_anyway = None, False
    answer = await presign(on)
    assert answer.status_code == 201
    first, second = on.events()
    assert isinstance(first, UploadRequested)
    assert isinstance(second, UploadRequested)
    assert first.event_id == second.event_id
    assert first.asset_id == second.asset_id
    assert answer.json()["asset_id"] == str(first.asset_id)


async def test_what_is_already_applied_is_answered_and_not_appended_again(on: Stage) -> None:
    first = await presign(on)
    on.reads.catch_up()
    second = await presign(on)
    assert second.json() == first.json()
    assert second.headers["darkroom-position"] == first.headers["darkroom-position"]
    assert len(on.events()) == 1


async def test_a_repetition_is_dated_like_the_first(on: Stage) -> None:
    first = await presign(on)
    on.clock.advance(timedelta(minutes=3))
    assert (await presign(on)).json()["expires_at"] == first.json()["expires_at"]
    on.reads.catch_up()
    on.reads.reservations.clear()
    assert (await presign(on)).json()["expires_at"] == first.json()["expires_at"]


async def test_a_form_repeated_keeps_asset_job_and_first_bytes(on: Stage) -> None:
    first = await form(on, title="Harbour")
    for applied in (False, True):
        if applied:
            on.reads.catch_up()
        again = await form(on, title="Harbour")
        assert (again.status_code, again.json()) == (202, first.json())
    completed = [event for event in on.events() if isinstance(event, UploadCompleted)]
    assert len(completed) == 1
    assert {info.key async for info in on.store.list("")} == {completed[0].object_key}


async def test_another_body_under_the_key_is_refused(on: Stage) -> None:
    assert (await presign(on)).status_code == 201
    assert (await form(on)).status_code == 202
    for answer in (
        await presign(on, title="Other"),
        await form(on, JPEG + b"!"),
        await form(on, title="Other"),
    ):
        assert (answer.status_code, answer.json()["type"]) == (422, "/problems/idempotency-key-reused")
    assert len(on.events()) == 3


async def test_another_body_is_refused_even_after_the_reservation_was_lost(on: Stage) -> None:
    await presign(on)
    on.reads.catch_up()
    on.reads.reservations.clear()
    answer = await presign(on, title="Other")
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/idempotency-key-reused")
    on.reads.reservations.clear()
    assert (await presign(on)).status_code == 201
    assert len(on.events()) == 1


async def test_keys_are_each_owners_own_and_each_routes(on: Stage) -> None:
    answers = [await presign(on), await presign(on, BEN), await form(on)]
    assert len({answer.json()["asset_id"] for answer in answers}) == 3


async def test_two_at_once_have_one_effect(on: Stage) -> None:
    answers = await asyncio.gather(*(form(on) for _ in range(6)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.text for answer in answers}) == 1
    assert len([event for event in on.events() if isinstance(event, UploadCompleted)]) == 1


async def test_without_a_database_only_writes_with_a_key_have_to_wait(on: Stage) -> None:
    on.reads.down = True
    assert (await presign(on, headers={})).status_code == 201
    assert (await form(on, headers={})).status_code == 202
    for answer in (await presign(on), await form(on)):
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/read-store-unavailable")


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "é"])
async def test_impossible_keys_are_refused(on: Stage, key: str) -> None:
    headers = {b"Idempotency-Key": key.encode("latin-1")}
    answer = await on.client().post("/v1/uploads/presign", json=PRESIGN, headers=headers)
    assert answer.status_code == 422
    assert on.events() == []

"""The same bytes of the same owner are answered with the asset that holds them."""

import hashlib
from datetime import timedelta
from typing import Any

import httpx

from adapters.object_store import PresignedPost
from schemas.events import UploadCompleted, UploadExpired
from tests.unit.api.doors import ADA, BEN, JPEG, Stage, upload

SHA256 = hashlib.sha256(JPEG).hexdigest()


async def form(on: Stage, data: bytes = JPEG, key: str = ADA, query: str = "") -> httpx.Response:
    return await on.client(key).post(f"/v1/uploads{query}", files={"file": ("b.jpg", data, "image/jpeg")})


async def direct(
    on: Stage, data: bytes = JPEG, query: str = "", **body: str
) -> tuple[dict[str, Any], httpx.Response]:
    said = {"file_name": "b.jpg", "content_type": "image/jpeg", "size": len(data), **body}
    granted = (await on.client().post("/v1/uploads/presign", json=said)).json()
    on.store.accept_post(PresignedPost(url=granted["url"], fields=granted["fields"]), data)
    return granted, await complete(on, granted, query)


async def complete(on: Stage, granted: dict[str, Any], query: str = "") -> httpx.Response:
    token = {"upload_token": granted["upload_token"]}
    return await on.client().post(f"/v1/uploads/complete{query}", json=token)


def held(answer: httpx.Response, first: UploadCompleted) -> None:
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert (said["asset_id"], said["job_id"]) == (str(first.asset_id), str(first.job_id))
    assert (said["duplicate"], said["status"]) == (True, "ready")


async def test_a_second_form_is_answered_with_the_first_asset(on: Stage) -> None:
    _, first = await upload(on)
    await on.worked_on(first)
    events = len(on.events())
    held(await form(on), first)
    assert len(on.events()) == events
    assert [info.key async for info in on.store.list("incoming/")] == []


async def test_a_direct_upload_of_the_same_bytes_is_called_off(on: Stage) -> None:
    _, first = await upload(on)
    await on.worked_on(first)
    granted, answer = await direct(on)
    held(answer, first)
    ended = on.events()[-1]
    assert isinstance(ended, UploadExpired)
    assert (str(ended.asset_id), ended.code) == (granted["asset_id"], "aborted")
    on.reads.catch_up()
    assert on.reads.assets[ended.asset_id].status == "expired"
    ends = {end for end in on.parts.contents.ends.values() if end is not None}  # type: ignore[attr-defined] # the twin's
    assert min(ends) > on.clock.now() + timedelta(minutes=15) + on.settings.doors.upload_grace
    assert None in on.parts.contents.ends.values()  # type: ignore[attr-defined] # the twin's; of what is kept
    await on.store.delete([granted["fields"]["key"]])  # swept
    on.parts.completions.__init__()  # type: ignore[misc] # a process that remembers nothing
    held(await complete(on, granted), first)


async def test_what_was_called_off_for_its_twin_is_nobodys_picture(on: Stage) -> None:
    _, first = await upload(on)
    await on.worked_on(first)
    granted, answer = await direct(on)
    held(answer, first)
    on.reads.catch_up()
    for query in ("", "?status=expired", "?sort=title"):
        listed = (await on.client().get(f"/v1/assets{query}")).json()["items"]
        assert granted["asset_id"] not in {one["id"] for one in listed}
    assert (await on.client().get("/v1/assets")).json()["items"][0]["id"] == str(first.asset_id)


async def test_whoever_wants_a_copy_gets_one(on: Stage) -> None:
    await upload(on)
    assert (await form(on, query="?duplicate=allow")).status_code == 202
    _, answer = await direct(on, query="?duplicate=allow")
    assert answer.status_code == 202
    assert len(on.events()) == 6
    assert (await form(on, query="?duplicate=perhaps")).status_code == 422


async def test_others_hear_nothing_of_what_one_has(on: Stage) -> None:
    await upload(on)
    assert (await form(on, key=BEN)).status_code == 202


async def test_what_may_fail_or_failed_or_is_gone_holds_nothing(on: Stage) -> None:
    _, first = await upload(on)
    assert (await form(on)).status_code == 202
    await on.worked_on(first, failed=True)
    answer = await form(on)
    assert answer.status_code == 202
    on.reads.catch_up()
    on.reads.assets.clear()
    assert (await form(on)).status_code == 202


async def test_a_declared_digest_counts_once_the_worker_has_compared_it(on: Stage) -> None:
    other = JPEG[::-1]
    wrong = hashlib.sha256(other).hexdigest()
    _, answer = await direct(on, JPEG, sha256=wrong)  # somebody is mistaken, and nobody knows it yet
    assert answer.status_code == 202
    on.reads.catch_up()
    _, answer = await direct(on, other, sha256=wrong)
    assert answer.status_code == 202
    completed = on.events()[-1]
    assert isinstance(completed, UploadCompleted)
    await on.worked_on(completed)
    on.store._objects.clear()
    _, answer = await direct(on, other, sha256=wrong)
    held(answer, completed)


async def test_without_soft_state_bytes_are_kept_twice(on: Stage) -> None:
    await upload(on)
    on.parts.contents.down = True  # type: ignore[attr-defined] # the twin's
    assert (await form(on)).status_code == 202


async def test_before_the_read_models_know_the_first_nothing_is_certain(on: Stage) -> None:
    assert (await form(on)).status_code == 202
    assert (await form(on)).status_code == 202


async def test_nobody_learns_from_soft_state_what_anybody_has(on: Stage) -> None:
    await upload(on)
    held_there = on.parts.contents.held  # type: ignore[attr-defined] # the twin's
    assert len(held_there) == 2
    assert all(SHA256 not in digest.hex() and len(digest) == 32 for _, digest in held_there)

"""The doors on a real log, store and database."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import psutil
import pytest

from tests.integration.api.running import BEN, JPEG, RunningDoors

PRESIGN = {"file_name": "harbour.jpg", "content_type": "image/jpeg", "size": len(JPEG), "title": "Harbour"}


def presigned(doors: RunningDoors, headers: dict[str, str] | None = None, **fields: Any) -> dict[str, Any]:
    answer = doors.client().post("/v1/uploads/presign", json={**PRESIGN, **fields}, headers=headers)
    assert answer.status_code == 201, answer.text
    granted: dict[str, Any] = answer.json()
    return granted


def sent(granted: dict[str, Any], data: bytes = JPEG) -> httpx.Response:
    return httpx.post(granted["url"], data=granted["fields"], files={"file": data})


def completed(doors: RunningDoors, granted: dict[str, Any]) -> httpx.Response:
    return doors.client().post(
        "/v1/uploads/complete?duplicate=allow", json={"upload_token": granted["upload_token"]}
    )


def detail_of(doors: RunningDoors, answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 202, answer.text
    followed = doors.client().get(answer.json()["status_url"])
    assert followed.status_code == 200, followed.text
    detail: dict[str, Any] = doors.client().get(f"/v1/assets/{answer.json()['asset_id']}").json()
    return detail


def test_a_form_is_stored_said_and_read_back(doors: RunningDoors) -> None:
    detail = detail_of(doors, doors.upload())
    assert (detail["status"], detail["file_name"]) == ("uploaded", "harbour.jpg")
    body = httpx.get(detail["variants"]["original"]["url"])
    assert body.content == JPEG
    assert body.headers["content-disposition"].startswith("attachment")


def test_an_upload_straight_to_the_store_keeps_the_bytes_that_were_checked(doors: RunningDoors) -> None:
    granted = presigned(doors)
    assert sent(granted).is_success
    first = completed(doors, granted)
    detail = detail_of(doors, first)
    assert sent(granted, JPEG[::-1]).is_success
    second = completed(doors, granted)
    assert second.json() == first.json()
    assert detail_of(doors, second)["variants"] == detail["variants"]
    assert httpx.get(detail["variants"]["original"]["url"]).content == JPEG


@pytest.mark.parametrize("data", [JPEG + b"!", JPEG[:-1], b""])
def test_the_store_takes_only_what_was_granted(doors: RunningDoors, data: bytes) -> None:
    granted = presigned(doors)
    assert not sent(granted, data).is_success
    assert completed(doors, granted).status_code == 404


def test_completing_is_the_owners_alone(doors: RunningDoors) -> None:
    granted = presigned(doors)
    sent(granted)
    token = {"upload_token": granted["upload_token"]}
    assert doors.client(BEN).post("/v1/uploads/complete", json=token).status_code == 404
    assert completed(doors, granted).status_code == 202


def test_a_lost_answer_is_repeated_under_the_same_key(doors: RunningDoors) -> None:
    key = {"Idempotency-Key": "presign-1"}
    first = presigned(doors, key)
    doors.client().get("/v1/assets", params={"limit": 1})
    assert presigned(doors, key)["asset_id"] == first["asset_id"]
    other = doors.client().post("/v1/uploads/presign", json={**PRESIGN, "title": "x"}, headers=key)
    assert other.json()["type"] == "/problems/idempotency-key-reused"


def test_many_at_once_under_one_key_are_one_upload(doors: RunningDoors) -> None:
    with ThreadPoolExecutor(8) as pool:
        key = {"Idempotency-Key": "form-1"}
        tries = [pool.submit(lambda: doors.upload(headers=key)) for _ in range(8)]
        answers = [each.result() for each in tries]
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["asset_id"] for answer in answers}) == 1
    detail = detail_of(doors, answers[0])
    assert detail["version"] == 2
    mixed = doors.upload(data=JPEG + b"!", headers=key)
    assert mixed.json()["type"] == "/problems/idempotency-key-reused"


def test_a_megabyte_too_much_is_refused_before_it_is_sent(doors: RunningDoors) -> None:
    answer = doors.upload(data=b"x" * 52_000_000)
    assert (answer.status_code, answer.json()["type"]) == (413, "/problems/too-large")
    body = b" " * 3_000_000
    headers = {"content-type": "application/json"}
    answer = doors.client().post("/v1/uploads/presign", content=body, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (413, "/problems/too-large")


def test_fifty_megabytes_pass_in_little_memory(doors: RunningDoors) -> None:
    before = memory_of(doors)
    data = hashlib.shake_256(b"noise").digest(50_000_000)
    detail = detail_of(doors, doors.upload(data=data))
    assert httpx.get(detail["variants"]["original"]["url"]).content == data
    assert memory_of(doors) - before < 60_000_000


def memory_of(doors: RunningDoors) -> int:
    return psutil.Process(doors.api.pid).memory_info().rss


def test_lists_page_through(doors: RunningDoors) -> None:
    made = [doors.upload(BEN).json()["asset_id"] for _ in range(5)]
    last = doors.upload(BEN)
    made.append(last.json()["asset_id"])
    client, found = doors.client(BEN), []
    path: str | None = f"/v1/assets?limit=4&after={last.headers['darkroom-position']}"
    while path:
        answer = client.get(path)
        found += [item["id"] for item in answer.json()["items"]]
        path = answer.headers.get("link", "").partition(">")[0].lstrip("<") or None
    assert sorted(found) == sorted(made)
    assert found[0] == last.json()["asset_id"]


def test_nothing_secret_stands_in_the_logs(doors: RunningDoors) -> None:
    granted = presigned(doors)
    sent(granted)
    completed(doors, granted)
    for line in (doors.api.output(), httpx.get(f"{doors.api.metrics_url}/metrics").text):
        for secret in (
            granted["upload_token"],
            doors.world.env["S3_SECRET_KEY"],
            "harbour.jpg",
            "Harbour",
            "ada-key",
        ):
            assert secret not in line
    assert '"event": "request"' in doors.api.output()

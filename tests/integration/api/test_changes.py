"""Editing, trash, links and history through real doors: nothing is lost between two who write at once."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest

from tests.integration.api.running import BEN, RunningDoors


@pytest.fixture
def asset(doors: RunningDoors) -> str:
    answer = doors.upload()
    assert answer.status_code == 202, answer.text
    assert doors.client().get(answer.json()["status_url"]).status_code == 200
    return f"/v1/assets/{answer.json()['asset_id']}"


def at_once(*calls: Any) -> list[httpx.Response]:
    """All of them as nearly at the same time as threads can."""
    barrier = threading.Barrier(len(calls))

    def call(one: Any) -> httpx.Response:
        barrier.wait(30)
        answer: httpx.Response = one()
        return answer

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(call, calls))


def test_of_editors_at_once_each_keeps_what_they_wrote(doors: RunningDoors, asset: str) -> None:
    clients = [doors.client() for _ in range(3)]
    bodies: list[dict[str, Any]] = [{"title": "Bay"}, {"description": "At noon"}, {"tags": ["sea"]}]
    answers = at_once(
        *(
            lambda client=client, body=body: client.patch(asset, json=body)
            for client, body in zip(clients, bodies, strict=True)
        )
    )
    assert {answer.status_code for answer in answers} <= {200, 409}  # three in a row is bad luck, and is said
    kept = [body for body, answer in zip(bodies, answers, strict=True) if answer.status_code == 200]
    shown = doors.client().get(asset).json()
    for body in kept:
        assert body.items() <= shown.items()
    assert kept
    assert shown["version"] == 2 + len(kept)


def test_r26_with_if_match_one_of_two_wins_and_everybody_reads_it(doors: RunningDoors, asset: str) -> None:
    etag = doors.client().get(asset).headers["etag"]
    titles = ["Bay", "Coast"]
    clients = [doors.client() for _ in titles]
    answers = at_once(
        *(
            lambda client=client, title=title: client.patch(
                asset, json={"title": title}, headers={"If-Match": etag}
            )
            for client, title in zip(clients, titles, strict=True)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412]
    won = next(title for title, answer in zip(titles, answers, strict=True) if answer.status_code == 200)
    assert doors.client().get(asset).json()["title"] == won


def test_r26_what_was_written_is_read_by_its_position_and_found_at_once(
    doors: RunningDoors, asset: str
) -> None:
    client = doors.client()
    answer = client.patch(asset, json={"title": "Zweibrücken quay", "tags": ["Rare tag"]})
    after = {"after": answer.headers["darkroom-position"]}
    for params in ({"q": "zweibr"}, {"tag": "rare TAG"}, {"q": "qua zwei", "sort": "title"}):
        found = client.get("/v1/assets", params={**params, **after}).json()["items"]
        assert [f"/v1/assets/{item['id']}" for item in found] == [asset]
    assert client.delete(asset).status_code == 204
    assert client.get("/v1/assets", params={"q": "zweibr"}).json()["items"] == []
    trash = client.get("/v1/assets", params={"q": "zweibr", "deleted": True}).json()["items"]
    assert len(trash) == 1
    assert client.patch(asset, json={"title": "x"}).status_code == 409
    assert client.post(f"{asset}/restore").json()["title"] == "Zweibrücken quay"


def test_r28_gone_for_good_is_gone_from_every_answer_but_its_history(doors: RunningDoors, asset: str) -> None:
    client = doors.client()
    assert client.delete(asset, params={"permanent": True}).status_code == 204
    for path in (asset, f"{asset}/status", f"{asset}/links", f"{asset}/metadata", f"{asset}/download"):
        assert client.get(path).status_code == 404
    steps = client.get(f"{asset}/history").json()["items"]
    assert [step["event"] for step in steps] == ["UploadRequested", "UploadCompleted", "AssetPurged"]
    assert doors.client(BEN).get(f"{asset}/history").status_code == 404
    asset_id = UUID(asset.rpartition("/")[2])
    with psycopg.connect(doors.world.env["DATABASE_URL"]) as conn:
        for table in ("assets", "jobs", "links"):
            query = f"select count(*) from live.{table} where asset_id = %s".encode()  # noqa: S608 - of a list
            row = conn.execute(query, (asset_id,)).fetchone()
            assert row == (0,), table


def test_a_link_is_worth_nothing_as_soon_as_its_revocation_is_answered(
    doors: RunningDoors, asset: str
) -> None:
    client, stranger = doors.client(), httpx.Client(base_url=doors.url, timeout=15.0)
    doors.clients.append(stranger)
    link = client.post(f"{asset}/links", json={"variant": "original"}).json()
    path = link["url"].removeprefix(doors.url)
    led = stranger.get(path)
    assert led.status_code == 307
    bytes_of_it = httpx.get(led.headers["location"])
    assert bytes_of_it.status_code == 200
    # U10, U11: a stranger's bytes are saved, never shown, under a name that is only data.
    assert bytes_of_it.headers["content-disposition"].startswith("attachment; filename=")
    began = time.monotonic()
    assert client.delete(f"{asset}/links/{link['id']}").status_code == 204
    assert stranger.get(path).status_code == 404
    assert time.monotonic() - began < 30
    assert client.get(f"{asset}/links").json() == {"items": []}


def test_a_job_is_asked_for_again_and_named_in_the_history(doors: RunningDoors, asset: str) -> None:
    client = doors.client()
    busy = client.post(f"{asset}/reprocess")
    assert (busy.status_code, busy.json()["type"]) == (409, "/problems/still-working")
    steps = client.get(f"{asset}/history").json()["items"]
    assert [step["actor"] for step in steps] == ["owner", "owner"]
    assert steps[1]["caused_by"] == steps[0]["event_id"]

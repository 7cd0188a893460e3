"""What owners read of their assets and jobs, when, and what everybody else sees: nothing."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from schemas.positions import Position
from tests.unit.api.doors import ADA, BEN, JPEG, ROOT, Stage, upload


async def ready_asset(on: Stage, **words: str) -> str:
    answer, completed = await upload(on, **words)
    await on.worked_on(completed)
    return str(answer["asset_id"])


async def test_an_asset_in_full(on: Stage) -> None:
    asset_id = await ready_asset(on, title="Harbour", tags="sea, boats", description="At noon")
    answer = await on.client().get(f"/v1/assets/{asset_id}")
    body = answer.json()
    variants = body.pop("variants")
    assert body == {
        "id": asset_id,
        "status": "ready",
        "title": "Harbour",
        "description": "At noon",
        "tags": ["sea", "boats"],
        "file_name": "harbour.jpg",
        "content_type": "image/jpeg",
        "size": len(JPEG),
        "uploaded_at": "2026-05-17T08:09:10Z",
        "processed_at": "2026-05-17T08:09:10Z",
        "taken_at": None,
        "camera": None,
        "thumbhash": None,
        "job_id": body["job_id"],
        "error": None,
        "deleted_at": None,
        "version": 2,
    }
    assert variants.keys() == {"small", "thumbnail", "original"}
    assert (variants["original"]["width"], variants["original"]["height"]) == (400, 300)
    assert "attachment=false" in variants["small"]["url"]
    assert "attachment=true" in variants["original"]["url"]  # a stranger's bytes are never shown, only saved


async def test_the_status_says_when_to_ask_again(on: Stage) -> None:
    answer, completed = await upload(on)
    path = f"/v1/assets/{answer['asset_id']}/status"
    working = await on.client().get(path)
    assert (working.json()["status"], working.headers["retry-after"]) == ("uploaded", "1")
    await on.worked_on(completed, failed=True)
    failed = await on.client().get(path)
    assert "retry-after" not in failed.headers
    assert failed.json() == {
        "id": answer["asset_id"],
        "status": "failed",
        "job_id": answer["job_id"],
        "error": {"kind": "refused", "code": "not_an_image"},
    }


async def test_a_read_that_follows_a_link_waits_for_it(on: Stage) -> None:
    answer = await on.client().post("/v1/uploads", files={"file": ("a.jpg", JPEG, "image/jpeg")})
    link, position = answer.json()["status_url"], answer.headers["darkroom-position"]
    path = link.partition("?")[0]
    for early in (
        await on.client().get(link),
        await on.client().get(path, headers={"Darkroom-Position": position}),
    ):
        assert (early.status_code, early.json()["type"]) == (503, "/problems/not-yet-applied")
        assert early.headers["retry-after"] == "1"
    on.reads.catch_up()
    assert (await on.client().get(link)).status_code == 200
    assert (await on.client().get("/v1/assets", params={"after": position})).status_code == 200


@pytest.mark.parametrize(
    "after",
    [
        "",
        "nonsense",
        "-",
        "x" * 600,
        Position(topic="darkroom.dead-letters.v1", partition=0, offset=0).token(),
        Position(topic="darkroom.assets.v1", partition=99, offset=0).token(),
    ],
)
async def test_positions_that_are_not_ours_are_refused(on: Stage, after: str) -> None:
    answer = await on.client().get("/v1/assets", params={"after": after})
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-request")
    assert answer.json()["errors"][0]["location"] == "query.after"


async def test_strangers_do_not_get_to_wait(on: Stage) -> None:
    after = Position(topic="darkroom.assets.v1", partition=0, offset=10).token()
    answer = await on.client(None).get("/v1/assets", params={"after": after})
    assert answer.status_code == 401


async def test_another_owners_asset_is_an_unknown_asset(on: Stage) -> None:
    asset_id = await ready_asset(on)
    for suffix in ("", "/status", "/variants/small", "/download"):
        foreign = await on.client(BEN).get(f"/v1/assets/{asset_id}{suffix}")
        unknown = await on.client(BEN).get(f"/v1/assets/{uuid4()}{suffix}")
        assert foreign.status_code == unknown.status_code == 404
        assert {**foreign.json(), "instance": ""} == {**unknown.json(), "instance": ""}
        assert foreign.headers.keys() == unknown.headers.keys()


async def test_jobs_are_their_owners_and_admins(on: Stage) -> None:
    answer, completed = await upload(on)
    await on.worked_on(completed)
    path = f"/v1/jobs/{answer['job_id']}"
    job = (await on.client().get(path)).json()
    assert (job["asset_id"], job["state"], job["attempts"]) == (answer["asset_id"], "completed", 1)
    assert (await on.client(ROOT).get(path)).status_code == 200
    assert (await on.client(BEN).get(path)).status_code == 404
    assert (await on.client(ROOT).get(f"/v1/assets/{answer['asset_id']}")).status_code == 404


async def test_etags_change_with_the_asset_and_with_the_addresses(on: Stage) -> None:
    answer, completed = await upload(on)
    path = f"/v1/assets/{answer['asset_id']}"
    first = (await on.client().get(path)).headers["etag"]
    same = await on.client().get(path, headers={"If-None-Match": f'"other", W/{first}'})
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", first)
    await on.worked_on(completed)
    second = await on.client().get(path, headers={"If-None-Match": first})
    assert second.status_code == 200
    on.clock.advance(timedelta(minutes=5))
    same = await on.client().get(path, headers={"If-None-Match": second.headers["etag"]})
    assert same.status_code == 304
    on.clock.advance(timedelta(hours=1))
    later = await on.client().get(path, headers={"If-None-Match": second.headers["etag"]})
    assert later.status_code == 200
    assert later.json()["variants"]["small"]["url"] != second.json()["variants"]["small"]["url"]


async def pages(on: Stage, **params: Any) -> list[list[str]]:
    found, path = [], "/v1/assets"
    answer = await on.client().get(path, params=params)
    while True:
        body = answer.json()
        found.append([item["id"] for item in body["items"]])
        if body["next_cursor"] is None:
            assert "link" not in answer.headers
            return found
        link, _, relation = answer.headers["link"].partition("; ")
        assert relation == 'rel="next"'
        answer = await on.client().get(link.strip("<>"))


async def test_lists_are_newest_first_and_pages_hold_while_new_ones_come(on: Stage) -> None:
    made = []
    for _ in range(5):
        answer, _ = await upload(on)
        made.append(answer["asset_id"])
        on.clock.advance(timedelta(seconds=1))
    await upload(on, BEN)
    assert await pages(on, limit=2) == [made[:2:-1], made[2:0:-1], made[:1]]
    assert await pages(on) == [made[::-1]]
    first = await on.client().get("/v1/assets", params={"limit": 2})
    await upload(on)
    rest = await on.client().get("/v1/assets", params={"limit": 3, "cursor": first.json()["next_cursor"]})
    assert [item["id"] for item in rest.json()["items"]] == made[2::-1]


async def test_lists_can_be_filtered_by_status(on: Stage) -> None:
    asset_id = await ready_asset(on)
    await upload(on)
    assert await pages(on, status="ready", limit=1) == [[asset_id]]
    assert await pages(on, status="failed") == [[]]


async def test_cursors_are_bound_to_owner_and_filter(on: Stage) -> None:
    for _ in range(2):
        await ready_asset(on)
    answer = await on.client().get("/v1/assets", params={"limit": 1})
    cursor = answer.json()["next_cursor"]
    for key, params in (
        (BEN, {"cursor": cursor}),
        (ADA, {"cursor": cursor, "status": "ready"}),
        (ADA, {"cursor": cursor + "A"}),
        (ADA, {"cursor": ""}),
        (ADA, {"cursor": "x" * 5000}),
    ):
        refused = await on.client(key).get("/v1/assets", params=params)
        assert (refused.status_code, refused.json()["errors"][0]["location"]) == (422, "query.cursor")


@pytest.mark.parametrize("limit", ["0", "-1", "201", "1000000000", "x", "NaN", "1.5", ""])
async def test_page_sizes_are_bounded(on: Stage, limit: str) -> None:
    assert (await on.client().get("/v1/assets", params={"limit": limit})).status_code == 422


async def test_redirects_lead_to_the_bytes(on: Stage) -> None:
    asset_id = await ready_asset(on)
    shown = await on.client().get(f"/v1/assets/{asset_id}/variants/small")
    assert shown.status_code == 307
    assert f"assets/{asset_id}/variants/x/small.jpg" in shown.headers["location"]
    assert shown.headers["cache-control"] == "private, no-cache"
    saved = await on.client().get(f"/v1/assets/{asset_id}/download", params={"variant": "small"})
    assert "attachment=true" in saved.headers["location"]
    assert "name=harbour.jpg" in saved.headers["location"]
    original = await on.client().get(f"/v1/assets/{asset_id}/download")
    assert f"assets/{asset_id}/original/" in original.headers["location"]
    for path in ("variants/huge", "download?variant=huge"):
        assert (await on.client().get(f"/v1/assets/{asset_id}/{path}")).status_code == 404


async def test_without_a_database_reads_say_so(on: Stage) -> None:
    on.reads.down = True
    for path in ("/v1/assets", f"/v1/assets/{uuid4()}", f"/v1/jobs/{uuid4()}"):
        answer = await on.client().get(path)
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/read-store-unavailable")
        assert "retry-after" in answer.headers

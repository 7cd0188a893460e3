"""An asset, a gallery and the store as they were, by an instant of the log or a position; and the ledger."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from schemas.events import UploadCompleted
from schemas.positions import Position
from tests.unit.api.doors import ADA, BEN, JPEG, ROOT, Stage, stage


@pytest.fixture
async def on() -> AsyncIterator[Stage]:
    async with stage() as made:
        made.reads.keeps_up = True
        yield made


async def upload(on: Stage, key: str = ADA) -> UploadCompleted:
    """The same picture, as often as one likes."""
    files = {"file": ("harbour.jpg", JPEG, "image/jpeg")}
    answer = await on.client(key).post("/v1/uploads?duplicate=allow", files=files)
    assert answer.status_code == 202, answer.text
    on.reads.catch_up()
    return [event for event in on.events() if isinstance(event, UploadCompleted)][-1]


async def asked(on: Stage, path: str, key: str = ADA, **query: Any) -> httpx.Response:
    return await on.client(key).get(path, params=query)


def now(on: Stage) -> str:
    return on.clock.now().isoformat()


async def retitled(on: Stage, asset_id: object, title: str) -> str:
    """Changes the title two minutes later; the position of the change."""
    on.clock.advance(timedelta(minutes=2))
    answer = await on.client().patch(f"/v1/assets/{asset_id}", json={"title": title})
    assert answer.status_code == 200, answer.text
    return answer.headers["Darkroom-Position"]


async def test_an_asset_is_shown_as_it_was_at_an_instant_and_at_a_position(on: Stage) -> None:
    completed = await upload(on)
    path = f"/v1/assets/{completed.asset_id}"
    before = now(on)
    first = await retitled(on, completed.asset_id, "first")
    await retitled(on, completed.asset_id, "second")
    assert (await asked(on, path)).json()["title"] == "second"
    assert (await asked(on, path, at=first)).json()["title"] == "first"
    assert (await asked(on, path, at=before)).json()["title"] != "first"
    assert (await asked(on, path, at=now(on))).json()["title"] == "second"
    assert (await asked(on, path, BEN, at=now(on))).status_code == 404


async def test_a_position_tells_two_changes_of_the_same_moment_apart(on: Stage) -> None:
    completed = await upload(on)
    path = f"/v1/assets/{completed.asset_id}"
    titles = [await on.client().patch(path, json={"title": title}) for title in ("first", "second")]
    first = titles[0].headers["Darkroom-Position"]
    assert (await asked(on, path, at=first)).json()["title"] == "first"
    assert (await asked(on, path, at=now(on))).json()["title"] == "second"


@pytest.mark.parametrize(
    ("at", "sentence"),
    [
        ("2999-01-01T00:00:00Z", "in the future"),
        ("1999-01-01T00:00:00Z", "before the log began"),
        ("2026-05-17T08:00:00", "zone"),
        ("yesterday", "neither"),
        ("dG9waWM6MTox", "No record"),
    ],
)
async def test_a_moment_that_nobody_can_show_is_refused_with_the_reason(
    on: Stage, at: str, sentence: str
) -> None:
    completed = await upload(on)
    answer = await asked(on, f"/v1/assets/{completed.asset_id}", at=at)
    assert answer.status_code == 422
    assert sentence in answer.text


async def test_what_is_purged_now_stood_in_the_gallery_then_and_its_words_stay_sealed(on: Stage) -> None:
    ids = [(await upload(on)).asset_id for _ in range(3)]
    then = now(on)
    on.clock.advance(timedelta(minutes=1))
    assert (await on.client().delete(f"/v1/assets/{ids[0]}", params={"permanent": True})).status_code < 300
    shown = (await asked(on, "/v1/assets", at=then)).json()["items"]
    assert {one["id"] for one in shown} == {str(one) for one in ids}
    shown = (await asked(on, "/v1/assets", at=now(on))).json()["items"]
    assert {one["id"] for one in shown} == {str(one) for one in ids[1:]}
    assert (await asked(on, "/v1/assets", BEN, at=then)).json()["items"] == []


async def test_an_upload_that_was_called_off_stands_in_no_gallery_of_the_past(on: Stage) -> None:
    """As in the gallery of now; by its id it is what it was, expired because somebody called it off."""
    kept = await upload(on)
    size = {"file_name": "b.jpg", "content_type": "image/jpeg", "size": len(JPEG)}
    granted = (await on.client().post("/v1/uploads/multipart", json=size)).json()
    path, waiting = f"/v1/assets/{granted['asset_id']}", now(on)
    on.clock.advance(timedelta(minutes=1))
    token = {"Upload-Token": granted["upload_token"]}
    ended = await on.client(**token).delete(f"/v1/uploads/{granted['upload_id']}")
    assert ended.status_code == 204, ended.text

    async def shown(at: str) -> set[str]:
        return {one["id"] for one in (await asked(on, "/v1/assets", at=at)).json()["items"]}

    assert await shown(waiting) == {str(kept.asset_id), granted["asset_id"]}
    assert await shown(now(on)) == {str(kept.asset_id)}
    assert (await asked(on, path, at=waiting)).json()["status"] == "requested"
    was, now_is = [(await asked(on, path, **query)).json() for query in ({"at": now(on)}, {})]
    assert was["error"] == now_is["error"] == {"kind": "expired", "code": "aborted"}


async def test_a_position_is_waited_for_and_refused_where_nothing_comes(on: Stage) -> None:
    """What a write just answered with can be asked for at once."""
    completed = await upload(on)
    path = f"/v1/assets/{completed.asset_id}"
    answer = await on.client().patch(path, json={"title": "new"})
    written = Position.from_token(answer.headers["Darkroom-Position"])
    assert (await asked(on, path, at=written.token())).json()["title"] == "new"
    for ahead in (replace(written, offset=written.offset + 7), replace(written, offset=2**40)):
        refused = await asked(on, path, at=ahead.token())
        assert refused.status_code == 422
        assert "in the future" in refused.text
    nowhere = await asked(on, path, at=replace(written, partition=10_000).token())
    assert "No record" in nowhere.text


async def test_pages_of_the_past_hold_each_asset_once(on: Stage) -> None:
    ids = set()
    for _ in range(5):
        on.clock.advance(timedelta(seconds=1))
        ids.add(str((await upload(on)).asset_id))
    seen: list[str] = []
    query: dict[str, Any] = {"at": now(on), "limit": 2}
    for _ in range(3):
        page = (await asked(on, "/v1/assets", **query)).json()
        seen += [one["id"] for one in page["items"]]
        query["cursor"] = page["next_cursor"]
    assert query["cursor"] is None
    assert len(seen) == 5
    assert set(seen) == ids
    assert (await asked(on, "/v1/assets", at=now(on), q="x")).status_code == 422


async def test_too_much_history_is_refused_before_the_log_is_read(
    on: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await upload(on)
    monkeypatch.setattr("api.queries.as_of._MOST_RECORDS", 1)
    answer = await asked(on, "/v1/storage/stats", at=now(on))
    assert answer.status_code == 422
    assert "ops state" in answer.text
    assert on.parts.past.fetched == []  # type: ignore[attr-defined]  # the twin's


async def test_the_store_is_counted_now_and_then_and_for_admins_of_everybody(on: Stage) -> None:
    first = await upload(on)
    await on.worked_on(first)
    then = now(on)
    on.clock.advance(timedelta(minutes=1))
    second = await upload(on)
    await upload(on, BEN)
    was = (await asked(on, "/v1/storage/stats", at=then)).json()
    is_now = (await asked(on, "/v1/storage/stats")).json()
    assert was["originals"] == {"files": 1, "bytes": first.size}
    assert was["variants"]["files"] > 0
    assert is_now["originals"] == {"files": 2, "bytes": first.size + second.size}
    assert is_now["total"]["files"] == is_now["variants"]["files"] + 2
    assert {one["name"]: one["files"] for one in is_now["by_status"]}["uploaded"] == 1
    assert (await asked(on, "/v1/storage/stats", everybody=True)).status_code == 403
    everybody = (await asked(on, "/v1/storage/stats", ROOT, everybody=True)).json()
    assert everybody["originals"]["files"] == 3


async def test_what_is_left_of_the_quota_is_said() -> None:
    async with stage(QUOTA_BYTES="10000", QUOTA_FILES="2") as on:
        on.reads.keeps_up = True
        completed = await upload(on)
        left = (await asked(on, "/v1/storage/stats")).json()["left"]
        assert left == {"files": 1, "bytes": 10000 - completed.size}


async def test_the_ledger_sums_what_results_have_cost(on: Stage) -> None:
    for _ in range(2):
        await on.worked_on(await upload(on))
    await on.worked_on(await upload(on, BEN))
    mine = (await asked(on, "/v1/usage", by=["asset", "day"])).json()
    assert len(mine["items"]) == 2
    assert mine["total"]["jobs"] == 2
    assert mine["total"]["cpu_ms"] == sum(one["cpu_ms"] for one in mine["items"]) > 0
    assert (await asked(on, "/v1/usage", everybody=True)).status_code == 403
    everybody = (await asked(on, "/v1/usage", ROOT, everybody=True, by="owner")).json()
    assert len(everybody["items"]) == 2
    nothing = (await asked(on, "/v1/usage", ROOT)).json()
    assert nothing["total"]["jobs"] == 0

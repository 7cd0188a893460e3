"""Editing, the trash, and gone for good: what owners change, and what nobody loses silently."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final
from uuid import UUID, uuid4

import httpx
import pytest

from adapters.event_log import OutcomeUnknown
from adapters.sealing import open_json
from projections.assets.queries import AssetRow
from projections.dead_letters.queries import Held
from schemas.events import AssetDeleted, AssetEvent, AssetPurged, AssetRestored, AssetUpdated
from tests.unit.api.doors import ADA, BEN, Stage, stage, upload
from tests.unit.api.fake_work import FakeWork

KEY: Final = {"Idempotency-Key": "key-1"}


@pytest.fixture
async def on() -> AsyncIterator[Stage]:
    async with stage() as made:
        made.reads.keeps_up = True
        yield made


async def made_asset(on: Stage, **words: str) -> str:
    answer, completed = await upload(on, **words)
    await on.worked_on(completed)
    return str(answer["asset_id"])


async def read(on: Stage, asset_id: str, key: str = ADA) -> httpx.Response:
    return await on.client(key).get(f"/v1/assets/{asset_id}")


async def patch(on: Stage, asset_id: str, key: str = ADA, headers: Any = None, **body: Any) -> httpx.Response:
    return await on.client(key).patch(f"/v1/assets/{asset_id}", json=body, headers=headers)


async def delete(on: Stage, asset_id: str, headers: Any = None, **params: Any) -> httpx.Response:
    return await on.client().delete(f"/v1/assets/{asset_id}", params=params, headers=headers)


async def restore(on: Stage, asset_id: str, headers: Any = None) -> httpx.Response:
    return await on.client().post(f"/v1/assets/{asset_id}/restore", headers=headers)


def said(on: Stage, kind: type[AssetEvent]) -> list[Any]:
    return [event for event in on.events() if isinstance(event, kind)]


def stale_once(on: Stage, stale: AssetRow) -> None:
    """The next read of the row gives what it was: a read model that another door is ahead of."""
    real = on.reads.asset

    async def asset(**wanted: UUID) -> AssetRow | None:
        on.reads.asset = real  # type: ignore[method-assign]
        return stale

    on.reads.asset = asset  # type: ignore[method-assign]


async def test_what_is_not_named_stays_and_null_takes_away(on: Stage) -> None:
    asset_id = await made_asset(on, title="Harbour", tags="sea, boats", description="At noon")
    answer = await patch(on, asset_id, title="Bay", description=None)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["title"], body["description"], body["tags"]) == ("Bay", None, ["sea", "boats"])
    assert (body["file_name"], body["version"]) == ("harbour.jpg", 3)
    assert answer.headers["etag"] == (await read(on, asset_id)).headers["etag"]
    (event,) = said(on, AssetUpdated)
    assert set(event.changed) == {"title", "description"}
    assert b"Bay" not in event.sealed_words
    words = open_json(on.keys, user_id=event.owner_id, field="sealed_words", sealed=event.sealed_words)
    assert words == {
        "file_name": "harbour.jpg",
        "title": "Bay",
        "description": None,
        "tags": ["sea", "boats"],
    }
    assert (await patch(on, asset_id, tags=None)).json()["tags"] == []


async def test_what_changes_nothing_says_nothing(on: Stage) -> None:
    asset_id = await made_asset(on, title="Harbour")
    for body in ({}, {"title": "Harbour"}, {"description": ""}):
        assert (await patch(on, asset_id, **body)).status_code == 200
    assert said(on, AssetUpdated) == []


@pytest.mark.parametrize(
    "body",
    [
        {"title": "x" * 201},
        {"tags": ["a,b"]},
        {"status": "ready"},
        {"owner_id": str(UUID(int=1))},
        {"title": 1},
    ],
)
async def test_what_nobody_may_set_is_refused(on: Stage, body: dict[str, Any]) -> None:
    asset_id = await made_asset(on)
    assert (await patch(on, asset_id, **body)).status_code == 422
    assert said(on, AssetUpdated) == []


async def test_of_two_editors_at_once_both_are_kept(on: Stage) -> None:
    asset_id = await made_asset(on, title="Harbour")
    on.reads.keeps_up = False  # so that both decide on the same version
    asking = [
        asyncio.create_task(patch(on, asset_id, title="Bay")),
        asyncio.create_task(patch(on, asset_id, description="At noon")),
    ]
    before = len(on.events())
    on.reads.keeps_up = True
    answers = await asyncio.gather(*asking)
    assert [answer.status_code for answer in answers] == [200, 200]
    body = (await read(on, asset_id)).json()
    assert (body["title"], body["description"]) == ("Bay", "At noon")
    assert len(on.events()) >= before


async def test_a_stale_row_is_no_reason_to_lose_what_another_wrote(on: Stage) -> None:
    asset_id = await made_asset(on, title="Harbour")
    stale = on.reads.assets[UUID(asset_id)]
    await patch(on, asset_id, description="At noon")
    stale_once(on, stale)
    answer = await patch(on, asset_id, title="Bay")
    assert (answer.json()["title"], answer.json()["description"]) == ("Bay", "At noon")
    assert [event.expected_version for event in said(on, AssetUpdated)] == [2, 2, 3]


async def test_with_if_match_the_later_of_two_is_told(on: Stage) -> None:
    asset_id = await made_asset(on)
    etag = (await read(on, asset_id)).headers["etag"]
    assert (await patch(on, asset_id, title="Bay", headers={"If-Match": etag})).status_code == 200
    for answer in (
        await patch(on, asset_id, title="Coast", headers={"If-Match": etag}),
        await delete(on, asset_id, headers={"If-Match": etag}),
        await delete(on, asset_id, headers={"If-Match": etag}, permanent=True),
    ):
        assert (answer.status_code, answer.json()["type"]) == (412, "/problems/version-lost")
    assert (await read(on, asset_id)).json()["title"] == "Bay"


async def test_with_if_match_even_a_change_that_no_row_shows_yet_wins(on: Stage) -> None:
    asset_id = await made_asset(on)
    stale = on.reads.assets[UUID(asset_id)]
    etag = (await read(on, asset_id)).headers["etag"]
    await patch(on, asset_id, title="Bay")
    stale_once(on, stale)
    assert (await patch(on, asset_id, title="Coast", headers={"If-Match": etag})).status_code == 412
    assert (await read(on, asset_id)).json()["title"] == "Bay"


async def test_into_the_trash_and_back(on: Stage) -> None:
    asset_id = await made_asset(on, title="Harbour")
    answer = await delete(on, asset_id)
    assert (answer.status_code, answer.content) == (204, b"")
    assert "darkroom-position" in answer.headers
    assert (await on.client().get("/v1/assets")).json()["items"] == []
    trash = (await on.client().get("/v1/assets", params={"deleted": True})).json()["items"]
    assert [(item["id"], item["deleted_at"]) for item in trash] == [(asset_id, "2026-05-17T08:09:10Z")]
    assert (await delete(on, asset_id)).status_code == 204
    for refused in (await patch(on, asset_id, title="Bay"),):
        assert (refused.status_code, refused.json()["type"]) == (409, "/problems/in-trash")
    back = await restore(on, asset_id)
    assert (back.status_code, back.json()["deleted_at"], back.json()["title"]) == (200, None, "Harbour")
    assert (await restore(on, asset_id)).status_code == 200
    assert (len(said(on, AssetDeleted)), len(said(on, AssetRestored))) == (1, 1)
    assert (await on.client().get("/v1/assets")).json()["items"][0]["id"] == asset_id


async def test_what_is_doomed_is_not_restored(on: Stage) -> None:
    asset_id = await made_asset(on)
    await delete(on, asset_id)
    (deleted,) = said(on, AssetDeleted)
    await on.append(
        AssetDeleted(
            event_id=uuid4(),
            occurred_at=on.clock.now(),
            asset_id=deleted.asset_id,
            owner_id=deleted.owner_id,
            actor_id=deleted.owner_id,
            expected_version=deleted.expected_version + 1,
            code="expired",
        )
    )
    on.reads.catch_up()
    answer = await restore(on, asset_id)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/time-is-over")


async def test_gone_for_good_is_a_404_for_everything(on: Stage) -> None:
    asset_id = await made_asset(on)
    other = await made_asset(on)
    await delete(on, other)
    for gone in (asset_id, other):
        assert (await delete(on, gone, permanent=True)).status_code == 204
        for answer in (
            await read(on, gone),
            await patch(on, gone, title="Bay"),
            await delete(on, gone),
            await delete(on, gone, permanent=True),
            await restore(on, gone),
        ):
            assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")
    purges = said(on, AssetPurged)
    assert [event.code for event in purges] == ["permanent", "permanent"]
    assert all(event.incoming_key.startswith("incoming/") for event in purges)


async def test_a_conditional_purge_deletes_on_that_version_first(on: Stage) -> None:
    asset_id = await made_asset(on)
    stale = on.reads.assets[UUID(asset_id)]
    etag = (await read(on, asset_id)).headers["etag"]
    await patch(on, asset_id, title="Bay")
    stale_once(on, stale)
    assert (await delete(on, asset_id, headers={"If-Match": etag}, permanent=True)).status_code == 412
    assert said(on, AssetPurged) == []
    etag = (await read(on, asset_id)).headers["etag"]
    headers = {"If-Match": etag, **KEY}
    for _ in range(2):  # repeated, it is the same
        assert (await delete(on, asset_id, headers=headers, permanent=True)).status_code == 204
    assert len(said(on, AssetPurged)) == 1


async def test_h11_a_change_repeated_under_its_key_takes_effect_once(on: Stage) -> None:
    asset_id = await made_asset(on)
    asks: dict[str, Callable[[], Awaitable[httpx.Response]]] = {
        "patch": lambda: patch(on, asset_id, title="Bay", headers=KEY),
        "delete": lambda: delete(on, asset_id, headers=KEY),
        "restore": lambda: restore(on, asset_id, headers=KEY),
    }
    for ask in asks.values():
        on.log.failure, on.log.lands_anyway = OutcomeUnknown("cut"), True
        first = await ask()
        assert (first.status_code, first.json()["type"]) == (503, "/problems/pending")
        assert first.json()["idempotency_key"] == "key-1"
        on.log.failure, on.log.lands_anyway = None, False
        on.reads.catch_up()
        before = len(on.events())
        assert (await ask()).status_code in {200, 204}
        assert len(on.events()) == before
    other = await patch(on, asset_id, title="Coast", headers=KEY)
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-key-reused")


async def test_a_title_that_was_replaced_does_not_come_back_with_a_repeat(on: Stage) -> None:
    asset_id = await made_asset(on)
    await patch(on, asset_id, title="Bay", headers=KEY)
    await patch(on, asset_id, title="Coast")
    again = await patch(on, asset_id, title="Bay", headers=KEY)
    assert (again.status_code, again.json()["title"]) == (200, "Coast")


async def test_without_a_projector_nothing_is_begun(on: Stage) -> None:
    asset_id = await made_asset(on)
    on.reads.projector_away = True
    before = len(on.events())
    answer = await patch(on, asset_id, title="Bay")
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/projector-unavailable")
    assert len(on.events()) == before


async def test_a_verdict_that_does_not_come_is_pending(on: Stage) -> None:
    asset_id = await made_asset(on)
    on.reads.keeps_up = False
    answer = await patch(on, asset_id, title="Bay")
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/pending")
    key = {"Idempotency-Key": answer.json()["idempotency_key"]}
    on.reads.catch_up()
    assert (await patch(on, asset_id, title="Bay", headers=key)).json()["title"] == "Bay"
    assert len(said(on, AssetUpdated)) == 1


async def test_anothers_asset_is_an_unknown_one(on: Stage) -> None:
    asset_id = await made_asset(on)
    assert (await patch(on, asset_id, BEN, title="Mine")).status_code == 404
    assert (await on.client(BEN).delete(f"/v1/assets/{asset_id}")).status_code == 404
    assert (await on.client(BEN).post(f"/v1/assets/{asset_id}/restore")).status_code == 404
    assert (await read(on, asset_id)).status_code == 200


@pytest.mark.parametrize("change", ["patch", "delete", "restore", "reprocess"])
async def test_of_what_is_set_aside_nothing_is_begun_and_nobody_waits(on: Stage, change: str) -> None:
    asset_id, other = await made_asset(on), await made_asset(on)
    if change == "restore":
        await delete(on, asset_id)
    before = len(on.events())
    work = on.parts.work
    assert isinstance(work, FakeWork)
    spot = (on.settings.kafka.topics.assets, 0, 1)
    key = asset_id.encode()
    work.quarantine[spot] = Held(spot=spot, key=key, waiting=1, redrives=0, asked=False)
    answers: dict[str, Callable[[], Awaitable[httpx.Response]]] = {
        "patch": lambda: patch(on, asset_id, title="New"),
        "delete": lambda: delete(on, asset_id),
        "restore": lambda: restore(on, asset_id),
        "reprocess": lambda: on.client().post(f"/v1/assets/{asset_id}/reprocess"),
    }
    answer = answers[change]
    said_no = await answer()
    assert (said_no.status_code, said_no.json()["type"]) == (503, "/problems/asset-set-aside")
    assert said_no.headers["retry-after"] == "60"
    assert len(on.events()) == before
    assert (await read(on, asset_id)).status_code == 200
    assert (await patch(on, other, title="New")).status_code == 200
    work.quarantine.clear()
    assert (await answer()).status_code < 300

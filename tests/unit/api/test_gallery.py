"""The gallery finds, orders and pages; what it hands back to go on with tells nobody anything."""

import base64
from datetime import timedelta
from typing import Any

import pytest

from tests.unit.api.doors import BEN, JPEG, Stage
from tests.unit.api.test_reads import pages


async def picture(on: Stage, name: str, size: int = 0, **words: str) -> str:
    files = {"file": (name, JPEG + b"!" * size, "image/png" if name.endswith("png") else "image/jpeg")}
    answer = await on.client().post("/v1/uploads?duplicate=allow", files=files, data=words)
    on.clock.advance(timedelta(minutes=1))
    on.reads.catch_up()
    return str(answer.json()["asset_id"])


async def found(on: Stage, **params: Any) -> list[str]:
    return [asset_id for page in await pages(on, **params) for asset_id in page]


async def test_words_are_found_by_their_beginnings_wherever_they_stand(on: Stage) -> None:
    harbour = await picture(on, "IMG_1234.jpg", title="Harbour at noon", tags="sea, Old boats")
    bay = await picture(on, "bay.jpg", description="The harbour's other side")
    for query, wanted in {
        "harb": [bay, harbour],
        "HARBOUR noon": [harbour],
        "1234": [harbour],
        "boat": [harbour],
        "side harb": [bay],
        "arbour": [],
        "-- !": [],
        "'": [],
    }.items():
        assert await found(on, q=query) == wanted, query
    assert await found(on, tag="old BOATS") == [harbour]
    assert await found(on, tag=["sea", "Old boats"]) == [harbour]
    assert await found(on, tag=["sea", "boats"]) == []


async def test_dates_and_formats(on: Stage) -> None:
    first, second, third = [await picture(on, name) for name in ("a.jpg", "b.png", "c.jpg")]
    assert await found(on, format="jpeg") == [third, first]
    assert await found(on, **{"from": "2026-05-17T08:10:10Z"}) == [third, second]
    assert await found(on, **{"from": "2026-05-17T08:10:10Z", "to": "2026-05-17T10:11:10+02:00"}) == [second]


@pytest.mark.parametrize(
    "params",
    [
        {"from": "2026-05-17T08:10:10"},
        {"to": "yesterday"},
        {"format": "tiff"},
        {"sort": "owner_id"},
        {"sort": "title; drop table assets"},
        {"q": ""},
        {"q": "x" * 201},
        {"q": "a\0b"},
        {"tag": "a\0b"},
        {"tag": ""},
        {"tag": "x" * 51},
        {"deleted": "maybe"},
    ],
)
async def test_what_is_no_filter_is_refused(on: Stage, params: dict[str, str]) -> None:
    answer = await on.client().get("/v1/assets", params=params)
    assert answer.status_code == 422, answer.text


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("uploaded", "abcd"),
        ("-uploaded", "dcba"),
        ("title", "bcda"),
        ("-title", "adcb"),
        ("size", "dabc"),
        ("-size", "cbad"),
        ("taken", "abcd"),
    ],
)
async def test_each_order_holds_over_pages_while_new_ones_come(on: Stage, sort: str, order: str) -> None:
    named = {
        "a": await picture(on, "a.jpg", 1, title="zebra"),
        "b": await picture(on, "b.jpg", 2, title="Anchor"),
        "c": await picture(on, "c.jpg", 3, title="anchors"),
        "d": await picture(on, "late.jpg", title=""),
    }
    # When they were taken none of them knows: then it goes by id.
    wanted = sorted(named.values()) if sort == "taken" else [named[name] for name in order]
    assert await found(on, sort=sort, limit=1) == wanted
    first = (await on.client().get("/v1/assets", params={"sort": sort, "limit": 2})).json()
    await picture(on, "m.jpg", 1, title="middle")
    params: dict[str, Any] = {"sort": sort, "limit": 200, "cursor": first["next_cursor"]}
    rest = (await on.client().get("/v1/assets", params=params)).json()["items"]
    assert [item["id"] for item in rest if item["title"] != "middle"] == wanted[2:]


async def test_a_cursor_tells_nothing_and_fits_no_other_list(on: Stage) -> None:
    for title in ("Secret harbour", "Secret bay"):
        await picture(on, "a.jpg", title=title)
    params: dict[str, Any] = {"sort": "title", "limit": 1, "q": "secret"}
    cursor = (await on.client().get("/v1/assets", params=params)).json()["next_cursor"]
    body = cursor.partition(".")[2]
    assert b"ecret" not in base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
    for client, others in (
        (on.client(), {"q": "secre"}),
        (on.client(), {"sort": "-title"}),
        (on.client(), {"tag": "sea"}),
        (on.client(), {"deleted": "true"}),
        (on.client(BEN), {}),
    ):
        answer = await client.get("/v1/assets", params={**params, **others, "cursor": cursor})
        assert (answer.status_code, answer.json()["errors"][0]["location"]) == (422, "query.cursor")
    assert (
        len((await on.client().get("/v1/assets", params={**params, "cursor": cursor})).json()["items"]) == 1
    )

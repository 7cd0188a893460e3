"""What happened to an asset, told to its owner; and what its camera wrote, on request alone."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from api.queries.metadata import MOST_BYTES
from ops.housekeeping.rows import Trashed
from ops.housekeeping.trash import decide
from schemas.events import UploadCompleted
from tests.unit.api.doors import ADA, BEN, Stage, ready, stage, started, upload


@pytest.fixture
async def on() -> AsyncIterator[Stage]:
    async with stage() as made:
        made.reads.keeps_up = True
        yield made


async def told(on: Stage, asset_id: str, key: str = ADA) -> list[dict[str, object]]:
    answer = await on.client(key).get(f"/v1/assets/{asset_id}/history")
    assert answer.status_code == 200, answer.text
    items: list[dict[str, object]] = answer.json()["items"]
    return items


async def test_the_chain_of_causes_in_order(on: Stage) -> None:
    answer, completed = await upload(on, title="Harbour")
    on.clock.advance(timedelta(seconds=2))
    await on.append(started(completed, on.clock.now()))
    on.clock.advance(timedelta(seconds=3))
    await on.append(ready(completed, on.clock.now()))
    on.reads.catch_up()
    await on.client().patch(f"/v1/assets/{answer['asset_id']}", json={"title": "Bay"})
    steps = await told(on, answer["asset_id"])
    assert [(step["event"], step["actor"], step["seconds"]) for step in steps] == [
        ("UploadRequested", "owner", None),
        ("UploadCompleted", "owner", 0.0),
        ("ProcessingStarted", "worker", 2.0),
        ("VariantsReady", "worker", 3.0),
        ("AssetUpdated", "owner", 0.0),
    ]
    assert [step["caused_by"] for step in steps[2:4]] == [str(completed.event_id)] * 2
    assert (steps[2]["worker"], steps[2]["attempt"], steps[2]["job_id"]) == (
        "variants-0",
        1,
        str(completed.job_id),
    )
    assert len({step["position"] for step in steps}) == 5
    assert "Bay" not in json.dumps(steps)
    assert "Harbour" not in json.dumps(steps)


async def test_what_the_housekeeping_does_is_not_called_the_owners(on: Stage) -> None:
    answer, completed = await upload(on)
    await on.worked_on(completed)
    assert (await on.client().delete(f"/v1/assets/{answer['asset_id']}")).status_code == 204
    asset = Trashed(
        asset_id=completed.asset_id, owner_id=completed.owner_id, version=3, doomed=False, incoming_key="x"
    )
    for step in (asset, replace(asset, doomed=True)):
        await on.append(decide(step, on.clock.now()))
    on.reads.catch_up()
    steps = await told(on, answer["asset_id"])
    assert [(step["event"], step["code"], step["actor"]) for step in steps[-3:]] == [
        ("AssetDeleted", "user", "owner"),
        ("AssetDeleted", "expired", "system"),
        ("AssetPurged", "expired", "system"),
    ]


async def test_pages_of_a_history(on: Stage) -> None:
    answer, completed = await upload(on)
    await on.worked_on(completed)
    path, seen = f"/v1/assets/{answer['asset_id']}/history?limit=1", []
    while path:
        page = await on.client().get(path)
        seen += [step["event"] for step in page.json()["items"]]
        path = page.headers.get("link", "").partition(">")[0].strip("<")
    assert seen == ["UploadRequested", "UploadCompleted", "ProcessingStarted", "VariantsReady"]
    forged = await on.client().get(f"/v1/assets/{answer['asset_id']}/history", params={"cursor": "x"})
    assert forged.status_code == 422


async def test_what_is_gone_for_good_leaves_its_history_and_that_to_its_owner(on: Stage) -> None:
    answer, _ = await upload(on)
    await on.client().delete(f"/v1/assets/{answer['asset_id']}", params={"permanent": True})
    last = (await told(on, answer["asset_id"]))[-1]
    assert (last["event"], last["code"], last["accepted"]) == ("AssetPurged", "permanent", True)
    for asset_id in (answer["asset_id"], str(uuid4())):
        foreign = await on.client(BEN).get(f"/v1/assets/{asset_id}/history")
        assert foreign.status_code == 404


async def with_metadata(on: Stage, said: bytes) -> str:
    answer, completed = await upload(on)
    assert isinstance(completed, UploadCompleted)
    beside = f"assets/{completed.asset_id}/original/metadata.json"
    await on.store.put(beside, said, content_type="application/json")
    await on.append(replace(ready(completed, on.clock.now()), metadata_key=beside))
    on.reads.catch_up()
    return f"/v1/assets/{UUID(answer['asset_id'])}/metadata"


async def test_i09_metadata_is_shown_on_request_and_where_it_was_taken_on_another(on: Stage) -> None:
    hostile = {"Model": "<script>alert(1)</script>", "Note": "\u202e"}
    said = {"exif": hostile, "gps": {"latitude": 53.54}}
    path = await with_metadata(on, json.dumps(said).encode())
    answer = await on.client().get(path)
    assert answer.json() == {"exif": hostile, "gps": None}
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert (await on.client().get(path, params={"location": True})).json()["gps"] == said["gps"]
    assert "alert" not in (await on.client().get(path.removesuffix("/metadata"))).text
    assert (await on.client(BEN).get(path)).status_code == 404


@pytest.mark.parametrize("said", [b"[]", b"{", b'"x"', b'{"exif": 1}', b" " * (MOST_BYTES + 1)])
async def test_i09_what_is_no_metadata_or_too_much_is_none(on: Stage, said: bytes) -> None:
    assert (await on.client().get(await with_metadata(on, said))).status_code == 404


async def test_metadata_that_was_never_written_is_not_found(on: Stage) -> None:
    answer, completed = await upload(on)
    await on.worked_on(completed)
    assert (await on.client().get(f"/v1/assets/{answer['asset_id']}/metadata")).status_code == 404

"""An owner has variants made again: one job at a time, and only of what was uploaded."""

from collections.abc import AsyncIterator
from typing import Any, Final

import httpx
import pytest

from schemas.events import VariantsRequested
from tests.unit.api.doors import ADA, BEN, Stage, stage, upload
from tests.unit.api.test_uploads import PRESIGN

KEY: Final = {"Idempotency-Key": "key-1"}


@pytest.fixture
async def on() -> AsyncIterator[Stage]:
    async with stage() as made:
        made.reads.keeps_up = True
        yield made


async def reprocess(on: Stage, asset_id: str, key: str = ADA, headers: Any = None) -> httpx.Response:
    return await on.client(key).post(f"/v1/assets/{asset_id}/reprocess", headers=headers)


def refused(answer: httpx.Response) -> str:
    assert answer.status_code == 409, answer.text
    return str(answer.json()["type"])


async def test_a_job_is_asked_for_in_the_live_lane_by_the_presets_of_today(on: Stage) -> None:
    uploaded, completed = await upload(on)
    await on.worked_on(completed)
    answer = await reprocess(on, uploaded["asset_id"])
    assert answer.status_code == 202, answer.text
    (event,) = [event for event in on.events() if isinstance(event, VariantsRequested)]
    assert (event.lane, event.reason, event.preset_set) == ("live", "regenerate", on.presets.active())
    assert (event.object_key, event.expected_version) == (completed.object_key, 2)
    assert answer.json()["job_id"] == str(event.job_id)
    shown = (await on.client().get(answer.json()["job_url"])).json()
    assert (shown["state"], shown["kind"]) == ("queued", "regenerate")
    body = (await on.client().get(f"/v1/assets/{uploaded['asset_id']}")).json()
    assert (body["status"], body["version"]) == ("ready", 3)  # served until the new ones are there


async def test_one_at_a_time_and_only_what_is_there(on: Stage) -> None:
    uploaded, completed = await upload(on)
    asset_id = uploaded["asset_id"]
    assert refused(await reprocess(on, asset_id)) == "/problems/still-working"
    await on.worked_on(completed, failed=True)
    assert (await reprocess(on, asset_id)).status_code == 202
    assert refused(await reprocess(on, asset_id)) == "/problems/still-working"
    asked = (await on.client().post("/v1/uploads/presign", json=PRESIGN)).json()
    on.reads.catch_up()
    assert refused(await reprocess(on, asked["asset_id"])) == "/problems/not-uploaded"
    await on.client().delete(f"/v1/assets/{asset_id}")
    assert refused(await reprocess(on, asset_id)) == "/problems/in-trash"
    assert (await reprocess(on, asset_id, BEN)).status_code == 404


async def test_h11_repeated_under_its_key_it_is_one_job(on: Stage) -> None:
    uploaded, completed = await upload(on)
    await on.worked_on(completed)
    first, second = [await reprocess(on, uploaded["asset_id"], headers=KEY) for _ in range(2)]
    assert first.json() == second.json()
    assert len([event for event in on.events() if isinstance(event, VariantsRequested)]) == 1

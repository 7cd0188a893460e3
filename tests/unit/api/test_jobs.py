"""Jobs behind the doors: lists, attempts, trying again, taking away; whose, and when not."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from schemas.envelope import read_headers
from schemas.events import JobDeleted, UploadCompleted, VariantsRequested
from tests.unit.api.doors import ADA, BEN, ROOT, Stage, refused, stage, started, upload


@pytest.fixture
async def on() -> AsyncIterator[Stage]:
    async with stage() as made:
        made.reads.keeps_up = True
        yield made


async def failed_job(on: Stage, key: str = ADA) -> tuple[str, UploadCompleted]:
    answer, completed = await upload(on, key)
    await on.worked_on(completed, failed=True)
    return str(answer["job_id"]), completed


async def test_a_list_holds_ones_own_newest_first_and_an_admins_everybodys(on: Stage) -> None:
    first, _ = await failed_job(on)
    on.clock.advance(timedelta(seconds=1))
    second, _ = await upload(on)
    theirs, _ = await failed_job(on, BEN)
    mine = (await on.client().get("/v1/jobs")).json()
    assert [job["id"] for job in mine["items"]] == [second["job_id"], first]
    assert mine["next_cursor"] is None
    everybodys = (await on.client(ROOT).get("/v1/jobs")).json()["items"]
    assert {job["id"] for job in everybodys} == {first, second["job_id"], theirs}
    waiting = (await on.client().get("/v1/jobs?state=queued")).json()["items"]
    assert [job["id"] for job in waiting] == [second["job_id"]]
    of_one = (await on.client().get(f"/v1/jobs?asset={second['asset_id']}&kind=upload")).json()["items"]
    assert [job["id"] for job in of_one] == [second["job_id"]]


async def test_pages_go_on_and_their_cursor_is_good_for_no_other_list(on: Stage) -> None:
    ids = []
    for _ in range(5):
        ids.append((await upload(on))[0]["job_id"])
        on.clock.advance(timedelta(seconds=1))
    found: list[str] = []
    path: str | None = "/v1/jobs?limit=2"
    while path is not None:
        answer = await on.client().get(path)
        found += [job["id"] for job in answer.json()["items"]]
        path = answer.links.get("next", {}).get("url")
    assert found == list(reversed(ids))
    cursor = (await on.client().get("/v1/jobs?limit=2")).json()["next_cursor"]
    assert (await on.client(BEN).get(f"/v1/jobs?limit=2&cursor={cursor}")).status_code == 422
    assert (await on.client().get(f"/v1/jobs?limit=2&state=failed&cursor={cursor}")).status_code == 422


@pytest.mark.parametrize("query", ["state=strange", "asset=x", "limit=0", "limit=201", "kind=A", "cursor=x"])
async def test_what_no_list_knows_is_said_to_be_wrong(on: Stage, query: str) -> None:
    assert (await on.client().get(f"/v1/jobs?{query}")).status_code == 422


async def test_every_attempt_is_told_with_worker_code_and_times(on: Stage) -> None:
    answer, completed = await upload(on)
    at = on.clock.now()
    await on.append(started(completed, at))
    await on.append(refused(completed, at, will_retry=True))
    await on.append(started(completed, at, attempt=2))
    await on.append(started(completed, at, attempt=3))
    on.reads.catch_up()
    job: dict[str, Any] = (await on.client().get(f"/v1/jobs/{answer['job_id']}")).json()
    outcomes = [(one["number"], one["worker"], one["outcome"]) for one in job["history"]]
    assert outcomes == [
        (1, "variants-0", "interrupted"),
        (2, "variants-0", "lost"),
        (3, "variants-0", "active"),
    ]
    assert job["history"][0]["error"] == {"kind": "interrupted", "code": "shutdown"}
    assert job["history"][0]["ended_at"] is not None
    assert job["history"][1]["ended_at"] is None


async def test_what_succeeded_says_what_it_took(on: Stage) -> None:
    answer, completed = await upload(on)
    await on.worked_on(completed)
    (one,) = (await on.client().get(f"/v1/jobs/{answer['job_id']}")).json()["history"]
    assert (one["outcome"], one["error"]) == ("completed", None)


async def test_stats_are_for_admins(on: Stage) -> None:
    await failed_job(on)
    await upload(on)
    assert (await on.client().get("/v1/jobs/stats")).status_code == 403
    (lane,) = (await on.client(ROOT).get("/v1/jobs/stats")).json()["lanes"]
    assert lane["states"] == {"failed": 1, "queued": 1}
    assert lane["oldest_waiting"] is not None


async def test_a_failed_job_is_tried_again_as_another_job_with_its_cause(on: Stage) -> None:
    job_id, completed = await failed_job(on)
    answer = await on.client().post(f"/v1/jobs/{job_id}/retry")
    assert answer.status_code == 202, answer.text
    body, event = answer.json(), on.events()[-1]
    assert isinstance(event, VariantsRequested)
    assert (body["job_id"], body["asset_id"]) == (str(event.job_id), str(completed.asset_id))
    assert str(event.job_id) != job_id
    assert (event.reason, event.lane, event.actor_id) == ("retry", "live", completed.owner_id)
    assert (event.object_key, event.data_key_id) == (completed.object_key, completed.data_key_id)
    causes = read_headers(on.log.records[-1].headers)
    assert causes["causationid"] == str(on.events()[-2].event_id), "that it failed is why"
    new = (await on.client().get(body["job_url"])).json()
    assert (new["state"], new["kind"]) == ("queued", "retry")
    assert (await on.client().get(f"/v1/jobs/{job_id}")).json()["state"] == "failed"


async def test_one_key_tries_once(on: Stage) -> None:
    job_id, _ = await failed_job(on)
    headers = {"Idempotency-Key": "once"}
    answers = [await on.client().post(f"/v1/jobs/{job_id}/retry", headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json() == answers[1].json()
    assert len([one for one in on.events() if isinstance(one, VariantsRequested)]) == 1


async def test_what_has_not_failed_is_not_tried_again(on: Stage) -> None:
    answer, completed = await upload(on)
    path = f"/v1/jobs/{answer['job_id']}/retry"
    refusals: list[httpx.Response] = [await on.client().post(path)]
    await on.append(started(completed, on.clock.now()))
    on.reads.catch_up()
    refusals.append(await on.client().post(path))
    await on.worked_on(completed)
    refusals.append(await on.client().post(path))
    assert {one.json()["type"] for one in refusals} == {"/problems/job-not-ended"}
    assert {one.status_code for one in refusals} == {409}


async def test_while_another_job_is_under_way_nothing_is_asked_for(on: Stage) -> None:
    job_id, _ = await failed_job(on)
    assert (await on.client().post(f"/v1/jobs/{job_id}/retry")).status_code == 202
    again = await on.client().post(f"/v1/jobs/{job_id}/retry")
    assert (again.status_code, again.json()["type"]) == (409, "/problems/still-working")


async def test_nor_where_an_older_set_is_served_meanwhile(on: Stage) -> None:
    answer, completed = await upload(on)
    await on.worked_on(completed)
    assert (await on.client().post(f"/v1/assets/{answer['asset_id']}/reprocess")).status_code == 202
    request = on.events()[-1]
    assert isinstance(request, VariantsRequested)
    for event in (started(completed, on.clock.now()), refused(completed, on.clock.now())):
        await on.append(replace(event, job_id=request.job_id))
    on.reads.catch_up()
    path = f"/v1/jobs/{request.job_id}/retry"
    assert [(await on.client().post(path)).status_code for _ in range(2)] == [202, 409]


async def test_a_job_that_waits_is_taken_away_and_can_be_asked_for_again(on: Stage) -> None:
    answer, completed = await upload(on)
    path = f"/v1/jobs/{answer['job_id']}"
    gone = await on.client().delete(path)
    assert gone.status_code == 204, gone.text
    event = on.events()[-1]
    assert isinstance(event, JobDeleted)
    assert (event.job_id, event.actor_id) == (completed.job_id, completed.owner_id)
    assert (await on.client().get(path)).json()["state"] == "deleted"
    status = (await on.client().get(f"/v1/assets/{answer['asset_id']}/status")).json()
    assert (status["status"], status["error"]["code"]) == ("failed", "job_deleted")
    said = len(on.events())
    assert (await on.client().delete(path)).status_code == 204
    assert len(on.events()) == said, "gone is gone"
    assert (await on.client().post(f"{path}/retry")).status_code == 202


async def test_what_a_worker_has_or_has_done_stays(on: Stage) -> None:
    answer, completed = await upload(on)
    await on.append(started(completed, on.clock.now()))
    on.reads.catch_up()
    path = f"/v1/jobs/{answer['job_id']}"
    active = await on.client().delete(path)
    await on.worked_on(completed)
    done = await on.client().delete(path)
    assert [one.status_code for one in (active, done)] == [409, 409]
    assert active.json()["type"] == "/problems/job-under-way"


@pytest.mark.parametrize("verb", ["DELETE ", "POST /retry"])
async def test_others_jobs_are_unknown_and_an_admin_acts_for_everybody(on: Stage, verb: str) -> None:
    job_id, completed = await failed_job(on)
    method, rest = verb.split(" ")
    path = f"/v1/jobs/{job_id}{rest}"
    assert (await on.client(BEN).request(method, path)).status_code == 404
    assert (await on.client(BEN).request(method, f"/v1/jobs/{uuid4()}{rest}")).status_code == 404
    assert (await on.client(ROOT).request(method, path)).status_code in {202, 204}
    event = on.events()[-1]
    assert isinstance(event, VariantsRequested | JobDeleted)
    assert event.owner_id == completed.owner_id
    assert event.actor_id != completed.owner_id

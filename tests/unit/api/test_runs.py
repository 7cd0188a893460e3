"""Runs at the doors: started over one's own assets, followed, steered, and nobody else's."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from adapters.event_log import OutcomeUnknown
from projections.assets.originals import Selection
from schemas.events import (
    Event,
    RunCancelled,
    RunCompleted,
    RunCounts,
    RunPaused,
    RunResumed,
    RunStarted,
    UploadCompleted,
    VariantsRequested,
)
from tests.unit.api.doors import ADA, BEN, PRESET_SET, ROOT, Stage, upload

BODY: dict[str, Any] = {"kind": "regenerate"}


async def start(on: Stage, key: str = ADA, **body: Any) -> dict[str, Any]:
    answer = await on.client(key).post("/v1/runs", json={**BODY, **body})
    assert answer.status_code == 202, answer.text
    return answer.json()  # type: ignore[no-any-return]


async def read(on: Stage, run_id: str, key: str = ADA) -> dict[str, Any]:
    answer = await on.client(key).get(f"/v1/runs/{run_id}")
    assert answer.status_code == 200, answer.text
    return answer.json()  # type: ignore[no-any-return]


async def steer(on: Stage, run_id: str, step: str, key: str = ADA, **headers: str) -> tuple[int, Any]:
    answer = await on.client(key).post(f"/v1/runs/{run_id}/{step}", headers=headers)
    return answer.status_code, answer.json()


def said(on: Stage) -> list[Event]:
    kinds = (RunStarted, RunPaused, RunResumed, RunCancelled)
    return [event for event in on.log.events() if isinstance(event, kinds)]


async def say(on: Stage, event: Event) -> None:
    await on.append(event)  # type: ignore[arg-type]


async def test_a_run_is_a_fact_over_ones_own_assets(on: Stage) -> None:
    _, completed = await upload(on)
    picked = {"asset_ids": [str(completed.asset_id)], "status": ["ready", "failed"]}
    answer = await start(on, filter=picked)
    (event,) = said(on)
    assert isinstance(event, RunStarted)
    assert (event.kind, event.preset_set, event.owner_id) == ("regenerate", PRESET_SET, completed.owner_id)
    assert Selection.from_json(event.filter) == Selection(
        asset_ids=(completed.asset_id,), statuses=("ready", "failed")
    )
    followed = await on.client().get(answer["status_url"])
    assert followed.status_code == 200
    assert followed.json()["filter"]["asset_ids"] == [str(completed.asset_id)]


async def test_it_shows_how_far_it_is(on: Stage) -> None:
    _, first = await upload(on)
    await upload(on)
    run_id = (await start(on))["run_id"]
    assert (await read(on, run_id))["counts"]["waiting"] == 2
    await say(on, request_for(first, UUID(run_id)))
    on.reads.catch_up()
    counts = (await read(on, run_id))["counts"]
    assert {name: counts[name] for name in ("waiting", "requested", "queued")} == {
        "waiting": 1,
        "requested": 1,
        "queued": 1,
    }


def request_for(upload: UploadCompleted, run_id: UUID) -> VariantsRequested:
    return VariantsRequested(
        event_id=uuid4(),
        occurred_at=upload.occurred_at,
        asset_id=upload.asset_id,
        owner_id=upload.owner_id,
        job_id=uuid4(),
        lane="bulk",
        reason="regenerate",
        object_key=upload.object_key,
        size=upload.size,
        data_key_id=upload.data_key_id,
        preset_set=upload.preset_set,
        run_id=run_id,
    )


async def test_its_counts_are_those_it_ended_with(on: Stage) -> None:
    run_id = (await start(on))["run_id"]
    counts = RunCounts(requested=9, completed=7, failed=2, skipped=1)
    done = RunCompleted(event_id=uuid4(), occurred_at=on.clock.now(), run_id=UUID(run_id), counts=counts)
    await say(on, done)
    shown = await read(on, run_id)
    assert shown["status"] == "completed"
    assert shown["counts"] == {
        "waiting": 0,
        "requested": 9,
        "queued": 0,
        "active": 0,
        "completed": 7,
        "failed": 2,
        "skipped": 1,
    }


async def test_one_at_a_time(on: Stage) -> None:
    run_id = (await start(on))["run_id"]
    second = await on.client().post("/v1/runs", json=BODY)
    assert (second.status_code, second.json()["type"]) == (409, "/problems/run-under-way")
    await start(on, BEN)
    assert (await steer(on, run_id, "cancel"))[0] == 200
    await start(on)


async def test_under_one_key_it_is_one_run(on: Stage) -> None:
    answers = [
        await on.client().post("/v1/runs", json=BODY, headers={"Idempotency-Key": "k"}) for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json()["run_id"] == answers[1].json()["run_id"]
    other = await on.client().post(
        "/v1/runs", json={**BODY, "filter": {"status": ["ready"]}}, headers={"Idempotency-Key": "k"}
    )
    assert other.status_code == 422


async def test_only_administrators_work_on_everybodys(on: Stage) -> None:
    refused = await on.client().post("/v1/runs", json={**BODY, "everybody": True})
    assert refused.status_code == 403
    run_id = (await start(on, ROOT, everybody=True))["run_id"]
    event = said(on)[-1]
    assert isinstance(event, RunStarted)
    assert event.owner_id is None
    assert (await read(on, run_id, ROOT))["everybody"] is True
    assert (await on.client(ADA).get(f"/v1/runs/{run_id}")).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "presets"},
        {"kind": "regenerate", "filter": {"title": "Harbour"}},
        {"kind": "regenerate", "filter": {"since": "2026-01-01T00:00:00"}},
        {"kind": "regenerate", "filter": {"asset_ids": [str(UUID(int=n)) for n in range(501)]}},
    ],
)
async def test_what_can_not_be_asked_for(on: Stage, body: dict[str, Any]) -> None:
    assert (await on.client().post("/v1/runs", json=body)).status_code == 422
    assert said(on) == []


async def test_it_pauses_goes_on_and_is_cancelled(on: Stage) -> None:
    run_id = (await start(on))["run_id"]
    for step, status in (("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")):
        code, body = await steer(on, run_id, step)
        assert (code, body["status"]) == (200, status)
    assert [type(event).__name__ for event in said(on)] == [
        "RunStarted",
        "RunPaused",
        "RunResumed",
        "RunCancelled",
    ]
    assert [getattr(event, "expected_version", None) for event in said(on)[1:]] == [1, 2, 3]


async def test_what_is_so_already_is_answered_and_not_said_again(on: Stage) -> None:
    run_id = (await start(on))["run_id"]
    assert [(await steer(on, run_id, "pause"))[0] for _ in range(2)] == [200, 200]
    assert len(said(on)) == 2


async def test_a_step_repeated_under_its_key_is_answered_and_not_taken_again(on: Stage) -> None:
    """Somebody else went on meanwhile: the repetition of a lost answer must not pause the run once more."""
    run_id = (await start(on))["run_id"]
    key = {"Idempotency-Key": "k"}
    assert (await steer(on, run_id, "pause", **key))[1]["status"] == "paused"
    assert (await steer(on, run_id, "resume"))[1]["status"] == "running"
    code, body = await steer(on, run_id, "pause", **key)
    assert (code, body["status"]) == (200, "running")
    assert len(said(on)) == 3
    assert (await steer(on, run_id, "pause", **{"Idempotency-Key": "another"}))[1]["status"] == "paused"
    await steer(on, run_id, "cancel")
    assert (await steer(on, run_id, "pause", **key))[0] == 200, "also once it is over"
    assert len(said(on)) == 5


async def test_a_step_that_nobody_knows_of_is_taken_once_under_its_key(on: Stage) -> None:
    run_id = (await start(on))["run_id"]
    on.log.failure = OutcomeUnknown("the answer never came")
    code, body = await steer(on, run_id, "pause", **{"Idempotency-Key": "k"})
    assert (code, body["idempotency_key"]) == (503, "k")
    on.log.failure = None
    for _ in range(2):
        assert (await steer(on, run_id, "pause", **{"Idempotency-Key": "k"}))[1]["status"] == "paused"
    assert len(said(on)) == 2


async def test_what_is_over_is_steered_no_more(on: Stage) -> None:
    run_id = (await start(on))["run_id"]
    await steer(on, run_id, "cancel")
    code, body = await steer(on, run_id, "resume")
    assert (code, body["type"]) == (409, "/problems/run-over")


async def test_another_persons_run_is_not_there(on: Stage) -> None:
    run_id = (await start(on))["run_id"]
    assert (await on.client(BEN).get(f"/v1/runs/{run_id}")).status_code == 404
    assert (await steer(on, run_id, "cancel", BEN))[0] == 404
    assert (await on.client(BEN).get("/v1/runs")).json()["items"] == []
    assert (await steer(on, run_id, "pause", ROOT))[0] == 200


async def test_nobody_listening_means_nothing_is_said(on: Stage) -> None:
    run_id = (await start(on))["run_id"]
    on.reads.projector_away = True
    assert (await steer(on, run_id, "pause"))[0] == 503
    assert len(said(on)) == 1


async def test_the_list_goes_on_page_by_page(on: Stage) -> None:
    ids = []
    for _ in range(3):
        on.clock.advance(on.settings.doors.read_wait)
        ids.append((await start(on, ROOT, everybody=True))["run_id"])
    first = (await on.client(ROOT).get("/v1/runs?limit=2")).json()
    rest = (await on.client(ROOT).get(f"/v1/runs?limit=2&cursor={first['next_cursor']}")).json()
    assert [run["id"] for run in (*first["items"], *rest["items"])] == ids[::-1]
    assert rest["next_cursor"] is None
    assert first["items"][0]["counts"]["waiting"] is None

"""Dead letters behind the doors: found by what they are, done again or given up; for administrators."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from adapters.dead_letters import InMemoryDeadLetters, Reason
from projections.dead_letters.queries import Held
from schemas.envelope import RawRecord, read_headers
from schemas.events import (
    AccountRecordDiscarded,
    ProcessingFailed,
    RecordDiscarded,
    UploadCompleted,
    VariantsRequested,
    WorkersResumed,
)
from schemas.positions import Position
from tests.unit.api.doors import ADA, BEN, ROOT, Stage, stage, started, upload
from tests.unit.api.fake_work import FakeWork


@pytest.fixture
async def on() -> AsyncIterator[Stage]:
    async with stage(DEAD_LETTER_REDRIVES="2") as made:
        made.reads.keeps_up = True
        yield made


def letters(on: Stage) -> InMemoryDeadLetters:
    assert isinstance(on.parts.letters, InMemoryDeadLetters)
    return on.parts.letters


def work(on: Stage) -> FakeWork:
    assert isinstance(on.parts.work, FakeWork)
    return on.parts.work


def record_of(on: Stage, event: UploadCompleted | VariantsRequested) -> RawRecord:
    return next(r for r in on.log.records if read_headers(r.headers)["ce_id"] == str(event.event_id))


async def given_up(on: Stage, key: str = ADA, **reason: Any) -> tuple[str, UploadCompleted]:
    """A worker's letter of an upload, and the upload: its job failed."""
    _, completed = await upload(on, key)
    await fails(on, completed)
    return bury(on, record_of(on, completed), **reason), completed


async def fails(on: Stage, request: UploadCompleted | VariantsRequested) -> None:
    now = on.clock.now()
    attempt = {"asset_id": request.asset_id, "owner_id": request.owner_id, "job_id": request.job_id}
    of_job: Any = {**attempt, "attempt": 1}
    begun = replace(started(record_owner(on), now), **of_job)
    await on.append(begun)
    await on.append(
        ProcessingFailed(
            event_id=UUID(int=request.job_id.int ^ 1),
            occurred_at=now,
            **of_job,
            kind="internal",
            code="unexpected_error",
            retryable=True,
            will_retry=False,
        )
    )
    on.reads.catch_up()


def record_owner(on: Stage) -> UploadCompleted:
    return next(event for event in on.events() if isinstance(event, UploadCompleted))


def bury(on: Stage, record: RawRecord, **reason: Any) -> str:
    said: dict[str, Any] = {
        "component": "variants",
        "code": "unexpected_error",
        "error_kind": "internal",
        "first_failed_at": on.clock.now(),
        "attempts": 3,
    }
    letters(on).append_sync(record, Reason(**said | reason))
    on.clock.advance(timedelta(seconds=1))
    return f"0-{len(letters(on).letters) - 1}"


def set_aside(on: Stage, record: RawRecord, waiting: int = 3) -> str:
    """A projector's letter, and the quarantine that goes with it."""
    spot = (record.topic, record.partition, record.offset)
    work(on).quarantine[spot] = Held(
        spot=spot, key=record.key or b"", waiting=waiting, redrives=1, asked=False
    )
    return bury(on, record, component="projector", code="truncated_value", error_kind="undecodable")


async def test_a_letter_tells_who_where_why_and_what_hangs_on_it(on: Stage) -> None:
    letter_id, completed = await given_up(on, stack_hash="abc", encoder="pillow 12")
    body = (await on.client(ROOT).get(f"/v1/dead-letters/{letter_id}")).json()
    record = record_of(on, completed)
    assert body == {
        "id": letter_id,
        "component": "variants",
        "code": "unexpected_error",
        "error_kind": "internal",
        "stack_hash": "abc",
        "encoder": "pillow 12",
        "attempts": 3,
        "first_failed_at": "2026-05-17T08:09:10Z",
        "last_failed_at": "2026-05-17T08:09:10Z",
        "written_at": "2026-05-17T08:09:10Z",
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "key": str(completed.asset_id),
        "event_type": "darkroom.assets.UploadCompleted",
        "event_id": str(completed.event_id),
        "value": f"{len(record.value or b'')} bytes",
        "state": "failed",
        "waiting": None,
        "redrives": None,
        "job_id": str(completed.job_id),
    }


async def test_lists_are_filtered_by_what_letters_say_and_what_records_hold(on: Stage) -> None:
    first, mine = await given_up(on, encoder="pillow 12")
    second, theirs = await given_up(on, BEN, code="store_unavailable")
    third = set_aside(on, replace(record_of(on, mine), value=b"\0\0\0\0\1short"))

    async def found(query: str) -> list[str]:
        answer = await on.client(ROOT).get(f"/v1/dead-letters?{query}")
        assert answer.status_code == 200, answer.text
        return [item["id"] for item in answer.json()["items"]]

    assert await found("") == [third, second, first]
    assert await found("component=variants") == [second, first]
    assert await found("code=store_unavailable") == [second]
    assert await found("encoder=pillow 12") == [first]
    assert await found(f"asset={mine.asset_id}") == [third, first]
    assert await found(f"owner={theirs.owner_id}") == [second]
    assert await found(f"owner={mine.owner_id}") == [third, first], "what can't be decoded has an owner, too"
    assert await found("format=image/jpeg") == [third, second, first]
    assert await found("format=image/png") == []
    assert await found("event_type=UploadCompleted&component=projector") == [third]
    assert await found("since=2026-05-17T08:09:11Z") == [third, second]
    assert await found("until=2026-05-17T08:09:11Z") == [first]


async def test_letters_of_retries_are_found_by_the_format_of_their_asset(on: Stage) -> None:
    """A request for another job names no content type: the asset's row knows."""
    letter_id, completed = await given_up(on)
    assert (await on.client(ROOT).post(f"/v1/dead-letters/{letter_id}/redrive")).status_code == 202
    on.reads.catch_up()
    request = on.events()[-1]
    assert isinstance(request, VariantsRequested)
    retried = bury(on, record_of(on, request))
    for query in ("format=image/jpeg", f"owner={completed.owner_id}"):
        items = (await on.client(ROOT).get(f"/v1/dead-letters?{query}")).json()["items"]
        assert [item["id"] for item in items] == [retried, letter_id], query


async def test_where_an_asset_has_no_row_its_record_is_asked(on: Stage) -> None:
    letter_id, completed = await given_up(on)
    del on.reads.assets[completed.asset_id], on.reads.jobs[completed.job_id]
    mine = f"owner={completed.owner_id}&format=image/jpeg"
    for query, found in ((mine, [letter_id]), (f"owner={UUID(int=7)}", [])):
        items = (await on.client(ROOT).get(f"/v1/dead-letters?{query}")).json()["items"]
        assert [item["id"] for item in items] == found


async def test_pages_go_on(on: Stage) -> None:
    _, completed = await upload(on)
    ids = [bury(on, record_of(on, completed)) for _ in range(5)]
    found: list[str] = []
    path: str | None = "/v1/dead-letters?limit=2&component=variants"
    while path is not None:
        answer = await on.client(ROOT).get(path)
        found += [item["id"] for item in answer.json()["items"]]
        path = answer.links.get("next", {}).get("url")
    assert found == list(reversed(ids))
    cursor = (await on.client(ROOT).get("/v1/dead-letters?limit=2")).json()["next_cursor"]
    wrong = await on.client(ROOT).get(f"/v1/dead-letters?code=x&cursor={cursor}")
    assert wrong.status_code == 422


async def test_what_a_worker_gave_up_is_asked_for_again_as_another_job(on: Stage) -> None:
    letter_id, completed = await given_up(on)
    path = f"/v1/dead-letters/{letter_id}"
    answer = await on.client(ROOT).post(f"{path}/redrive")
    assert answer.status_code == 202, answer.text
    event = on.events()[-1]
    assert isinstance(event, VariantsRequested)
    assert (event.reason, event.object_key, event.size) == (
        "redrive",
        completed.object_key,
        completed.size,
    )
    assert (event.preset_set, event.data_key_id) == (completed.preset_set, completed.data_key_id)
    assert answer.json()["job"]["job_id"] == str(event.job_id)
    assert read_headers(on.log.records[-1].headers)["causationid"] == str(completed.event_id)
    on.reads.catch_up()
    assert (await on.client(ROOT).get(path)).json()["state"] == "over"
    again = await on.client(ROOT).post(f"{path}/redrive")
    assert (again.status_code, again.json()["type"]) == (409, "/problems/nothing-waits")


async def test_a_redrive_said_twice_at_once_is_one_job(on: Stage) -> None:
    letter_id, _ = await given_up(on)
    on.reads.keeps_up = False
    for _ in range(2):
        await on.client(ROOT).post(f"/v1/dead-letters/{letter_id}/redrive")
    asked = [event for event in on.events() if isinstance(event, VariantsRequested)]
    assert len({(event.event_id, event.job_id) for event in asked}) == 1


async def test_after_some_rounds_it_is_enough(on: Stage) -> None:
    letter_id, _ = await given_up(on)
    for _ in range(2):
        answer = await on.client(ROOT).post(f"/v1/dead-letters/{letter_id}/redrive")
        assert answer.status_code == 202, answer.text
        on.reads.catch_up()
        request = on.events()[-1]
        assert isinstance(request, VariantsRequested)
        await fails(on, request)
        letter_id = bury(on, record_of(on, request))
    spent = await on.client(ROOT).post(f"/v1/dead-letters/{letter_id}/redrive")
    assert (spent.status_code, spent.json()["type"]) == (409, "/problems/redrives-spent")


async def test_what_lies_in_the_trash_is_not_worked_on(on: Stage) -> None:
    letter_id, completed = await given_up(on)
    assert (await on.client().delete(f"/v1/assets/{completed.asset_id}")).status_code == 204
    on.reads.catch_up()
    said = len(on.log.records)
    answer = await on.client(ROOT).post(f"/v1/dead-letters/{letter_id}/redrive")
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/not-redrivable")
    assert len(on.log.records) == said
    assert (await on.client().post(f"/v1/assets/{completed.asset_id}/restore")).status_code == 200
    assert (await on.client(ROOT).post(f"/v1/dead-letters/{letter_id}/redrive")).status_code == 202


async def test_what_was_set_aside_is_read_again_and_no_event_said(on: Stage) -> None:
    _, completed = await upload(on)
    letter_id = set_aside(on, record_of(on, completed))
    said = len(on.log.records)
    body = (await on.client(ROOT).get(f"/v1/dead-letters/{letter_id}")).json()
    assert (body["state"], body["waiting"], body["redrives"]) == ("holding", 3, 1)
    answer = await on.client(ROOT).post(f"/v1/dead-letters/{letter_id}/redrive")
    assert (answer.status_code, answer.json()) == (202, {"records": 3, "job": None})
    assert len(work(on).redriven) == 1
    assert len(on.log.records) == said


async def test_a_discard_is_an_event_under_the_records_own_key(on: Stage) -> None:
    _, completed = await upload(on)
    record = record_of(on, completed)
    letter_id = set_aside(on, record)
    answers = [await on.client(ROOT).delete(f"/v1/dead-letters/{letter_id}") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [204, 204]
    event, same = on.events()[-1], on.events()[-2]
    assert isinstance(event, RecordDiscarded)
    assert event.event_id == same.event_id
    assert (event.topic, event.partition, event.offset) == (record.topic, record.partition, record.offset)
    assert (event.component, event.asset_id) == ("projector", completed.asset_id)
    assert on.log.records[-1].key == record.key


async def test_an_accounts_record_is_discarded_in_the_identity_log(on: Stage) -> None:
    topic, key = on.settings.kafka.topics.identity, b"0f" * 32
    record = RawRecord(
        topic=topic, partition=3, offset=9, timestamp_ms=0, key=key, value=b"\0\0\0\0\1", headers=()
    )
    letter_id = set_aside(on, record)
    assert (await on.client(ROOT).delete(f"/v1/dead-letters/{letter_id}")).status_code == 204
    event = on.log.events()[-1]
    assert isinstance(event, AccountRecordDiscarded)
    assert (event.account_key, event.topic, event.offset) == (key.decode(), topic, 9)


async def test_a_workers_letter_is_closed_by_a_discard(on: Stage) -> None:
    letter_id, _ = await given_up(on)
    path = f"/v1/dead-letters/{letter_id}"
    assert (await on.client(ROOT).delete(path)).status_code == 204
    on.reads.catch_up()
    assert (await on.client(ROOT).get(path)).json()["state"] == "over"
    assert (await on.client(ROOT).delete(path)).status_code == 409


@pytest.mark.parametrize("method", ["DELETE", "POST"])
async def test_on_what_was_no_record_of_ours_nothing_hangs(on: Stage, method: str) -> None:
    topic = on.settings.kafka.topics.assets
    record = RawRecord(topic=topic, partition=0, offset=0, timestamp_ms=0, key=None, value=None, headers=())
    letter_id = bury(on, record, component="projector", code="null_value", error_kind="not_ours")
    path = f"/v1/dead-letters/{letter_id}" + ("/redrive" if method == "POST" else "")
    answer = await on.client(ROOT).request(method, path)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/nothing-waits")


@pytest.mark.parametrize("letter_id", ["0-99", "x", "9-9"])
async def test_unknown_letters(on: Stage, letter_id: str) -> None:
    for method, rest in (("GET", ""), ("POST", "/redrive"), ("DELETE", "")):
        answer = await on.client(ROOT).request(method, f"/v1/dead-letters/{letter_id}{rest}")
        assert answer.status_code == 404


@pytest.mark.parametrize("component", ["variants", "purge", "projector"])
async def test_who_stopped_for_too_many_letters_is_told_to_go_on(on: Stage, component: str) -> None:
    path, key = f"/v1/workers/{component}/resume", {"Idempotency-Key": "once"}
    answers = [await on.client(ROOT).post(path, headers=key) for _ in range(2)]
    assert [(answer.status_code, answer.json()) for answer in answers] == [
        (202, {"component": component}),
        (202, {"component": component}),
    ]
    event, again = on.log.events()[-2:]
    assert isinstance(event, WorkersResumed)
    assert (event.component, event) == (component, again)
    assert event.actor_id is not None
    assert Position.from_token(answers[0].headers["Darkroom-Position"]).topic == on.log.records[-1].topic


async def test_nobody_else_ever_stops(on: Stage) -> None:
    said = len(on.log.records)
    for component in ("erasures", "variants-0", "x" * 40):
        answer = await on.client(ROOT).post(f"/v1/workers/{component}/resume")
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")
    assert len(on.log.records) == said


async def test_they_are_administrators_business(on: Stage) -> None:
    letter_id, _ = await given_up(on)
    one = f"/v1/dead-letters/{letter_id}"
    for method, path in (
        ("GET", "/v1/dead-letters"),
        ("GET", one),
        ("POST", f"{one}/redrive"),
        ("DELETE", one),
        ("POST", "/v1/workers/variants/resume"),
    ):
        assert (await on.client().request(method, path)).status_code == 403

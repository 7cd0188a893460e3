"""The audit at the doors: one list over both logs, filtered, paged, and nobody else's business."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid4

import httpx

from adapters.operations import InMemoryPresetSets
from adapters.operations_known import Resumption
from schemas.envelope import read_headers
from schemas.events import AssetPurged, UploadCompleted, WorkersResumed
from tests.unit.api.doors import JPEG, ROOT, Stage, upload
from tests.unit.api.people import Person, is_problem, log_in, somebody


async def uploaded(on: Stage, person: Person, **headers: str) -> UploadCompleted:
    """A picture of theirs."""
    files = {"file": ("harbour.jpg", JPEG, "image/jpeg")}
    answer = await person.client(**headers).post(
        "/v1/uploads?duplicate=allow", files=files, data={"title": "My harbour"}
    )
    assert answer.status_code == 202, answer.text
    on.reads.catch_up()
    return [event for event in on.events() if isinstance(event, UploadCompleted)][-1]


def hear(on: Stage) -> None:
    """What the process knows of the operations topic, which it follows by itself."""
    assert isinstance(on.parts.presets, InMemoryPresetSets)
    topic = on.settings.kafka.topics.operations
    for offset, record in enumerate(record for record in on.log.records if record.topic == topic):
        event = on.log.codec.decode(record.value)
        if isinstance(event, WorkersResumed):
            asked_by = UUID(read_headers(record.headers)["correlationid"])
            said = Resumption(event=event, offset=offset, log_ms=record.timestamp_ms, correlation_id=asked_by)
            on.parts.presets.apply_resumed(said)


async def test_that_workers_were_told_to_go_on_stands_among_all_else(on: Stage) -> None:
    root, ada = await somebody(on, "root@example.org", role="admin"), await somebody(on)
    request_id = str(uuid4())
    once = {"X-Request-Id": request_id, "Idempotency-Key": "once"}
    for _ in range(2):
        told = await root.client(**once).post("/v1/workers/purge/resume")
        assert told.status_code == 202, told.text
    on.clock.advance(timedelta(minutes=1))
    later = on.clock.now().isoformat()
    await root.client().post("/v1/workers/variants/resume")
    hear(on)
    asked = root.client()
    every = (await asked.get("/v1/audit")).json()["items"]
    newest, *_, first = [entry for entry in every if entry["action"] == "WorkersResumed"]
    assert newest == every[0]
    assert (first["about"], first["subject"], first["owner"]) == ("workers", None, None)
    assert (first["by"], first["actor"], first["request_id"]) == (
        "administrator",
        str(root.user_id),
        request_id,
    )
    assert (newest["changed"], first["changed"]) == ({"component": "variants"}, {"component": "purge"})

    async def components(query: str) -> list[str]:
        items = (await asked.get("/v1/audit", params=query)).json()["items"]
        return [entry["changed"]["component"] for entry in items if entry["action"] == "WorkersResumed"]

    assert await components("action=WorkersResumed") == ["variants", "purge"], "what is repeated is one"
    assert await components(f"actor={root.user_id}") == ["variants", "purge"]
    assert await components(f"actor={ada.user_id}") == []
    assert await components(f"subject={root.user_id}") == []
    assert await components("action=RoleChanged") == []
    assert await components(f"since={later.replace('+', '%2B')}") == ["variants"]
    assert await components(f"until={later.replace('+', '%2B')}") == ["purge"]
    paged = await walked(asked, "/v1/audit?limit=1")
    assert paged == [entry["action"] for entry in every]


async def purged(on: Stage, event: UploadCompleted, actor_id: UUID, code: str = "permanent") -> None:
    await on.append(
        AssetPurged(
            event_id=uuid4(),
            occurred_at=on.clock.now(),
            asset_id=event.asset_id,
            owner_id=event.owner_id,
            actor_id=actor_id,
            code=code,
        )
    )
    on.reads.catch_up()


async def walked(client: httpx.AsyncClient, path: str) -> list[str]:
    """The actions on all pages, by following the links."""
    seen: list[str] = []
    while path:
        answer = await client.get(path)
        assert answer.status_code == 200, answer.text
        seen += actions(answer)
        path = answer.links.get("next", {}).get("url", "")
    return seen


def actions(answer: httpx.Response) -> Sequence[str]:
    return [item["action"] for item in answer.json()["items"]]


async def test_the_audit_says_who_did_what_and_nothing_personal(on: Stage) -> None:
    root, ada = await somebody(on, "root@example.org", role="admin"), await somebody(on)
    request_id = str(uuid4())
    change = await root.client(**{"X-Request-Id": request_id}).patch(
        f"/v1/users/{ada.user_id}", json={"role": "admin"}
    )
    query = f"?subject={ada.user_id}&action=RoleChanged"
    answer = await root.client().get(f"/v1/audit{query}")
    (entry,) = answer.json()["items"]
    assert (entry["actor"], entry["subject"]) == (str(root.user_id), str(ada.user_id))
    assert (entry["action"], entry["changed"], entry["accepted"]) == ("RoleChanged", {"role": "admin"}, True)
    assert entry["position"] == change.headers["darkroom-position"]
    assert entry["request_id"] == request_id
    everything = (await root.client().get("/v1/audit?limit=200")).text
    assert "example.org" not in everything
    assert "argon2" not in everything
    for wrong in (
        "actor=x",
        "since=yesterday",
        "since=2026-05-17T08:00:00",
        "limit=0",
        "cursor=x",
        "action=%00",
    ):
        is_problem(await root.client().get(f"/v1/audit?{wrong}"), 422, "invalid-request")


async def test_pages_of_the_audit_follow_each_other(on: Stage) -> None:
    ada = await somebody(on)
    for _ in range(4):
        on.clock.advance(timedelta(seconds=1))
        await log_in(on)
    client, seen, path = ada.client(), [], "/v1/auth/activity?limit=2"
    while path:
        answer = await client.get(path)
        seen += [item["action"] for item in answer.json()["items"]]
        path = answer.links.get("next", {}).get("url", "")
    assert seen == ["SessionStarted"] * 5 + ["UserRegistered"]
    cursor = (await client.get("/v1/auth/activity?limit=2")).json()["next_cursor"]
    ben = await somebody(on, "ben@example.org")
    theirs = await ben.client().get(f"/v1/auth/activity?limit=2&cursor={cursor}")
    is_problem(theirs, 422, "invalid-request")


async def test_people_read_their_own_activity_and_nobody_elses(on: Stage) -> None:
    ada, ben = await somebody(on), await somebody(on, "ben@example.org")
    items = (await ben.client().get("/v1/auth/activity")).json()["items"]
    assert {item["subject"] for item in items} == {str(ben.user_id)}
    assert str(ada.user_id) not in str(items)


async def test_pages_follow_each_other_over_both_logs_of_the_same_instant(on: Stage) -> None:
    """Nothing tells the two apart but their place: no clock moves between these."""
    ada = await somebody(on)
    for _ in range(3):
        await uploaded(on, ada)
        await log_in(on)
    client, path = ada.client(), "/v1/auth/activity"
    whole = actions(await client.get(path))
    assert whole == ["SessionStarted"] * 4 + ["UserRegistered"] + ["UploadCompleted", "UploadRequested"] * 3
    for limit in (1, 2, 5):
        assert await walked(client, f"{path}?limit={limit}") == whole


async def test_uploads_and_purges_stand_beside_logins_in_the_order_of_time(on: Stage) -> None:
    root, ada = await somebody(on, "root@example.org", role="admin"), await somebody(on)
    request_id = str(uuid4())
    on.clock.advance(timedelta(seconds=1))
    event = await uploaded(on, ada, **{"X-Request-Id": request_id})
    on.clock.advance(timedelta(seconds=1))
    await log_in(on)
    on.clock.advance(timedelta(seconds=1))
    await purged(on, event, root.user_id)
    answer = await root.client().get(f"/v1/audit?subject={ada.user_id}")
    told = ["AssetPurged", "SessionStarted", "UploadCompleted", "UploadRequested"]
    assert actions(answer) == [*told, "SessionStarted", "UserRegistered"]
    purge, login, completed, requested, *_ = answer.json()["items"]
    assert (purge["actor"], purge["owner"], purge["code"]) == (
        str(root.user_id),
        str(ada.user_id),
        "permanent",
    )
    assert (purge["about"], purge["subject"]) == ("asset", str(event.asset_id))
    assert (login["about"], login["subject"], login["owner"]) == (
        "account",
        str(ada.user_id),
        str(ada.user_id),
    )
    assert {completed["request_id"], requested["request_id"]} == {request_id}
    assert (completed["job_id"], completed["actor"]) == (str(event.job_id), str(ada.user_id))
    for word in ("harbour", "example.org", "My "):
        assert word not in answer.text
    mine = await ada.client().get("/v1/auth/activity")
    assert mine.json()["items"] == answer.json()["items"]


async def test_how_a_job_went_is_told_where_it_is_asked_for(on: Stage) -> None:
    ada, ben = await somebody(on), await somebody(on, "ben@example.org")
    await on.worked_on(await uploaded(on, ada), failed=True)
    await on.worked_on(await uploaded(on, ben))
    assert "ProcessingFailed" not in await walked(ada.client(), "/v1/auth/activity?limit=200")
    (failed,) = (await ada.client().get("/v1/auth/activity?action=ProcessingFailed")).json()["items"]
    assert (failed["actor"], failed["request_id"]) == (None, None)
    assert (failed["changed"]["kind"], failed["changed"]["attempt"]) == ("refused", 1)
    assert (failed["owner"], failed["job_id"] is not None) == (str(ada.user_id), True)
    assert actions(await ada.client().get("/v1/auth/activity?action=VariantsReady")) == []


async def test_the_audit_is_asked_by_actor_asset_and_time(on: Stage) -> None:
    ada, ben = await somebody(on), await somebody(on, "ben@example.org")
    event = await uploaded(on, ben)
    on.clock.advance(timedelta(hours=1))
    between = on.clock.now().isoformat().replace("+00:00", "Z")
    on.clock.advance(timedelta(hours=1))
    await purged(on, event, ada.user_id)
    root = on.client(ROOT)
    assert actions(await root.get(f"/v1/audit?subject={event.asset_id}")) == [
        "AssetPurged",
        "UploadCompleted",
        "UploadRequested",
    ]
    by_ada = actions(await root.get(f"/v1/audit?actor={ada.user_id}"))
    assert by_ada == ["AssetPurged", "SessionStarted", "UserRegistered"]
    assert actions(await root.get(f"/v1/audit?since={between}")) == ["AssetPurged"]
    before = await walked(root, f"/v1/audit?limit=2&until={between}&subject={ben.user_id}")
    assert sorted(before) == ["SessionStarted", "UploadCompleted", "UploadRequested", "UserRegistered"]
    is_problem(await root.get("/v1/audit?until=2026-05-17T08:00:00"), 422, "invalid-request")


async def test_a_cursor_is_of_one_question(on: Stage) -> None:
    ada = await somebody(on)
    await uploaded(on, ada)
    root = on.client(ROOT)
    cursor = (await root.get("/v1/audit?limit=1")).json()["next_cursor"]
    for question in ("", "&action=UploadCompleted", f"&subject={uuid4()}", "&since=2026-05-17T08:00:00Z"):
        answer = await root.get(f"/v1/audit?limit=1{question}&cursor={cursor}")
        assert answer.status_code == (422 if question else 200)
    is_problem(await ada.client().get(f"/v1/auth/activity?cursor={cursor}"), 422, "invalid-request")


async def test_an_administrators_own_activity_is_theirs_alone(on: Stage) -> None:
    root, ada = await somebody(on, "root@example.org", role="admin"), await somebody(on)
    await uploaded(on, ada)
    await uploaded(on, root)
    answer = await root.client().get("/v1/auth/activity?limit=1")
    assert "subject" not in answer.links["next"]["url"]
    seen = await walked(root.client(), "/v1/auth/activity?limit=1")
    assert sorted(seen) == sorted(
        [
            "UploadCompleted",
            "UploadRequested",
            "SessionStarted",
            "RoleChanged",
            "SessionStarted",
            "UserRegistered",
        ]
    )
    foreign = await root.client().get(f"/v1/auth/activity?subject={ada.user_id}")
    assert str(ada.user_id) not in str(foreign.json()["items"])


async def test_machines_are_actors_too(on: Stage) -> None:
    _, event = await upload(on)
    answer = await on.client(ROOT).get(f"/v1/audit?actor={event.owner_id}")
    assert actions(answer) == ["UploadCompleted", "UploadRequested"]


async def test_what_the_housekeeping_does_is_the_systems_in_audit_and_history(on: Stage) -> None:
    root, ada = await somebody(on, "root@example.org", role="admin"), await somebody(on)
    event = await uploaded(on, ada)
    await purged(on, event, actor_id=ada.user_id, code="expired")
    mine = (await ada.client().get("/v1/auth/activity")).json()["items"]
    by = {item["action"]: (item["by"], item["actor"]) for item in mine}
    assert by["AssetPurged"] == ("system", None)
    assert by["UploadCompleted"] == ("owner", str(ada.user_id))
    by_ada = await root.client().get(f"/v1/audit?actor={ada.user_id}")
    assert "AssetPurged" not in actions(by_ada)
    (purge,) = (await root.client().get("/v1/audit?action=AssetPurged")).json()["items"]
    assert purge["by"] == "system"

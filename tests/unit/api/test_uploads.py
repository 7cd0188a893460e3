"""What the upload doors append, answer and refuse."""

import asyncio
import hashlib
from datetime import timedelta
from typing import Any

import httpx
import pytest

from adapters.event_log import LogUnavailable, OutcomeUnknown
from adapters.object_store import PresignedPost, StoreUnavailable
from adapters.sealing import open_json
from schemas.events import Event, UploadCompleted, UploadRequested
from schemas.positions import Position
from tests.unit.api.doors import ADA, BEN, JPEG, PRESET_SET, Stage, upload

PRESIGN: dict[str, Any] = {
    "file_name": "harbour.jpg",
    "content_type": "image/jpeg",
    "size": len(JPEG),
    "title": "Harbour",
    "tags": ["sea", " boats ", "sea"],
}


def opened(on: Stage, event: Event, field: str) -> dict[str, object] | None:
    assert isinstance(event, UploadRequested | UploadCompleted)
    sealed = getattr(event, field)
    assert b"arbour" not in sealed
    return open_json(on.keys, user_id=event.owner_id, field=field, sealed=sealed)


async def presigned(on: Stage, key: str = ADA, **fields: Any) -> dict[str, Any]:
    answer = await on.client(key).post("/v1/uploads/presign", json={**PRESIGN, **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()  # type: ignore[no-any-return]


def send(on: Stage, granted: dict[str, Any], data: bytes = JPEG) -> None:
    on.store.accept_post(PresignedPost(url=granted["url"], fields=granted["fields"]), data)


async def complete(on: Stage, granted: dict[str, Any], key: str = ADA, **headers: str) -> httpx.Response:
    body = {"upload_token": granted["upload_token"]}
    return await on.client(key).post("/v1/uploads/complete", json=body, headers=headers)


async def test_a_form_appends_both_events_and_answers_with_links(on: Stage) -> None:
    answer, completed = await upload(on, title="Harbour", tags="sea, boats")
    requested, second = on.events()
    assert isinstance(requested, UploadRequested)
    assert second is not requested
    assert second == completed
    assert requested.asset_id == completed.asset_id
    assert (requested.method, completed.lane, completed.preset_set) == ("form", "live", PRESET_SET)
    assert answer == {
        "asset_id": str(completed.asset_id),
        "job_id": str(completed.job_id),
        "status": "uploaded",
        "duplicate": False,
        "status_url": answer["status_url"],
    }
    path, _, token = answer["status_url"].partition("?after=")
    assert path == f"/v1/assets/{completed.asset_id}/status"
    assert Position.from_token(token) == on.log.records[-1].position


async def test_u03_the_original_is_a_copy_that_the_incoming_object_can_not_change(on: Stage) -> None:
    _, completed = await upload(on)
    requested = on.events()[0]
    assert isinstance(requested, UploadRequested)
    assert requested.object_key.startswith("incoming/")
    assert completed.object_key.startswith(f"assets/{completed.asset_id}/original/")
    assert await on.store.get(completed.object_key) == JPEG
    assert await on.store.head(requested.object_key) is None  # taken away: nobody else has its key


async def test_nothing_personal_stands_in_the_open(on: Stage) -> None:
    await upload(on, title="Harbour", tags="sea, boats")
    requested, completed = on.events()
    assert opened(on, requested, "sealed_words") == {
        "file_name": "harbour.jpg",
        "title": "Harbour",
        "description": None,
        "tags": ["sea", "boats"],
    }
    digests = opened(on, completed, "sealed_digests")
    assert digests is not None
    assert digests["sha256"] == hashlib.sha256(JPEG).hexdigest()


async def test_presign_then_complete(on: Stage) -> None:
    granted = await presigned(on, sha256="AB" * 32)
    (requested,) = on.events()
    assert isinstance(requested, UploadRequested)
    assert (requested.method, requested.declared_size) == ("direct", len(JPEG))
    assert requested.expires_at - requested.occurred_at == timedelta(minutes=15)
    send(on, granted)
    answer = await complete(on, granted)
    assert answer.status_code == 202
    assert answer.json()["asset_id"] == granted["asset_id"] == str(requested.asset_id)
    assert answer.headers["darkroom-position"] == on.log.records[-1].position.token()
    completed = on.events()[-1]
    digests = opened(on, completed, "sealed_digests")
    assert digests is not None
    assert digests["sha256"] == "ab" * 32


async def test_the_second_event_names_the_first_as_its_cause(on: Stage) -> None:
    send(on, granted := await presigned(on))
    await complete(on, granted)
    requested, _ = on.events()
    assert dict(on.log.records[-1].headers)["causationid"].decode() == str(requested.event_id)


@pytest.mark.parametrize("applied", [True, False])
async def test_u03_u04_completing_twice_answers_the_same_and_the_first_bytes_stay(
    on: Stage, applied: bool
) -> None:
    send(on, granted := await presigned(on))
    first = await complete(on, granted)
    if applied:
        on.reads.catch_up()
    send(on, granted, JPEG[::-1])
    second = await complete(on, granted)
    assert (second.status_code, second.json()) == (202, first.json())
    assert second.headers["darkroom-position"] == first.headers["darkroom-position"]
    assert len(on.events()) == 2
    completed = on.events()[-1]
    assert isinstance(completed, UploadCompleted)
    assert await on.store.get(completed.object_key) == JPEG


async def test_u04_ten_completions_at_once_are_one(on: Stage) -> None:
    send(on, granted := await presigned(on))
    answers = await asyncio.gather(*(complete(on, granted) for _ in range(10)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.text for answer in answers}) == 1
    assert [type(event) for event in on.events()] == [UploadRequested, UploadCompleted]
    originals = [info.key async for info in on.store.list("assets/")]
    assert len(originals) == 1, "nobody's copies stay behind"


async def test_another_process_completes_under_the_same_event_id(on: Stage) -> None:
    send(on, granted := await presigned(on))
    first = await complete(on, granted)
    on.parts.completions.__init__()  # type: ignore[misc] # a process that remembers nothing
    second = await complete(on, granted)
    assert second.json()["job_id"] == first.json()["job_id"]
    one, other = on.events()[1:]
    assert one.event_id == other.event_id


async def test_completing_without_a_database_goes_on(on: Stage) -> None:
    send(on, granted := await presigned(on))
    on.reads.down = True
    assert (await complete(on, granted)).status_code == 202


async def test_u05_completing_asks_nothing_of_strangers_tokens(on: Stage) -> None:
    send(on, granted := await presigned(on))
    forged = {**granted, "upload_token": granted["upload_token"][:-6] + "AAAAAA"}
    for answer in (await complete(on, granted, BEN), await complete(on, forged)):
        assert answer.status_code == 404
        assert answer.json()["type"] == "/problems/not-found"
    assert len(on.events()) == 1


@pytest.mark.parametrize(("data", "status"), [(None, 404), (JPEG + b"x", 409), (JPEG[:-1], 409)])
async def test_u01_completing_what_is_not_as_declared(on: Stage, data: bytes | None, status: int) -> None:
    granted = await presigned(on)
    if data is not None:
        await on.store.put(granted["fields"]["key"], data, content_type="image/jpeg")
    assert (await complete(on, granted)).status_code == status
    assert len(on.events()) == 1


async def test_completing_too_late_is_gone_unless_it_was_done_in_time(on: Stage) -> None:
    send(on, done := await presigned(on))
    await complete(on, done)
    on.reads.catch_up()
    on.parts.completions.__init__()  # type: ignore[misc] # a process that remembers nothing
    send(on, late := await presigned(on))
    on.clock.advance(timedelta(minutes=15) + on.settings.doors.upload_grace + timedelta(seconds=1))
    assert (await complete(on, late)).status_code == 410
    assert (await complete(on, done)).status_code == 202


@pytest.mark.parametrize(
    ("fields", "status", "kind"),
    [
        ({"size": 0}, 422, "empty-upload"),
        ({"size": -1}, 422, "empty-upload"),
        ({"size": 1_000_001}, 413, "too-large"),
        ({"size": 10**18}, 413, "too-large"),
        ({"size": "10"}, 422, "invalid-request"),
        ({"size": 1.5}, 422, "invalid-request"),
        ({"size": True}, 422, "invalid-request"),
        ({"content_type": "image/svg+xml"}, 415, "unsupported-media-type"),
        ({"content_type": "text/html"}, 415, "unsupported-media-type"),
        ({"content_type": ""}, 201, ""),
        ({"file_name": ""}, 422, "invalid-request"),
        ({"file_name": " \t"}, 422, "invalid-request"),
        ({"file_name": "x" * 4096}, 422, "invalid-request"),
        ({"sha256": "abc"}, 422, "invalid-request"),
        ({"tags": ["a,b"]}, 422, "invalid-request"),
        ({"tags": ["x"] * 51}, 422, "invalid-request"),
        ({"title": "x" * 201}, 422, "invalid-request"),
        ({"owner_id": "00000000-0000-0000-0000-000000000001"}, 422, "invalid-request"),
        ({"status": "ready"}, 422, "invalid-request"),
    ],
)
async def test_presign_refuses(on: Stage, fields: dict[str, Any], status: int, kind: str) -> None:
    """U08, U09: before an address is given, and nothing is recorded."""
    answer = await on.client().post("/v1/uploads/presign", json={**PRESIGN, **fields})
    assert answer.status_code == status
    if kind:
        assert answer.json()["type"] == f"/problems/{kind}"
        assert on.events() == []


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "..\\x",
        "%2e%2e%2f",
        "a\r\nb: c",
        ".htaccess",
        "CON",
        "\u202egpj.exe",
        "☃.jpg",
        "e\u0301.jpg",
    ],
)
async def test_u11_names_are_data_and_never_keys(on: Stage, name: str) -> None:
    await presigned(on, file_name=name)
    (requested,) = on.events()
    assert isinstance(requested, UploadRequested)
    words = opened(on, requested, "sealed_words")
    assert words is not None
    assert words["file_name"] == name
    assert requested.object_key.isascii()
    assert name not in requested.object_key


@pytest.mark.parametrize(
    ("failure", "kind"),
    [(LogUnavailable("gone"), "log-unavailable"), (OutcomeUnknown("cut"), "outcome-unknown")],
)
async def test_without_the_log_nothing_is_accepted(on: Stage, failure: Any, kind: str) -> None:
    on.log.failure = failure
    for answer in (
        await on.client().post("/v1/uploads/presign", json=PRESIGN),
        await on.client().post("/v1/uploads", files={"file": ("a.jpg", JPEG, "image/jpeg")}),
    ):
        assert (answer.status_code, answer.json()["type"]) == (503, f"/problems/{kind}")
        assert int(answer.headers["retry-after"]) > 0


async def test_without_the_store_nothing_is_accepted(on: Stage) -> None:
    send(on, granted := await presigned(on))
    on.store.failure = StoreUnavailable("away")
    answers = [
        await complete(on, granted),
        await on.client().post("/v1/uploads", files={"file": ("a.jpg", JPEG, "image/jpeg")}),
    ]
    assert [answer.json()["type"] for answer in answers] == ["/problems/object-store-unavailable"] * 2
    assert len(on.events()) == 1

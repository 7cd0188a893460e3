"""How the installation stands: told to administrators, with positions, ends, loops and what was away."""

import pytest

from adapters.event_log import LogUnavailable
from tests.unit.api.doors import ROOT, Stage
from tests.unit.api.people import is_problem


async def _of_assets(on: Stage) -> list[dict[str, int]]:
    items = (await on.client(ROOT).get("/v1/projections")).json()["items"]
    return [item for item in items if item["topic"] == on.log.topics.assets]


async def test_administrators_see_how_far_each_partition_is(on: Stage) -> None:
    asked = {"file_name": "a.jpg", "content_type": "image/jpeg", "size": 7}
    await on.client().post("/v1/uploads/presign", json=asked)  # appended, and not applied yet
    before = await _of_assets(on)
    assert len(before) == on.log.partitions
    written = [record for record in on.log.records if record.topic == on.log.topics.assets]
    assert sum(item["end"] for item in before) == sum(item["behind"] for item in before) == len(written) > 0
    on.reads.catch_up()
    after = await _of_assets(on)
    assert sum(item["position"] for item in after) == len(written)
    assert {item["behind"] for item in after} == {0}
    is_problem(await on.client().get("/v1/projections"), 403, "not-allowed")


async def test_a_log_that_is_away_leaves_the_ends_unknown(on: Stage) -> None:
    on.log.failure = LogUnavailable("away")
    items = (await on.client(ROOT).get("/v1/projections")).json()["items"]
    assert {(item["end"], item["behind"]) for item in items} == {(None, None)}


async def test_health_names_needs_loops_and_projections(on: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.health.FRESH_SECONDS", 0.0)
    said = (await on.client(ROOT).get("/v1/health")).json()
    assert said["status"] == "ok"
    assert {need["name"] for need in said["needs"]} > {"event_log", "read_store", "object_store"}
    assert {need["last_failed_at"] for need in said["needs"]} == {None}
    assert {loop["name"] for loop in said["loops"]} >= {"activity-tailer", "denial-tail"}
    assert {one["topic"] for one in said["projections"]} >= {on.log.topics.assets, on.log.topics.identity}
    on.log.failure = LogUnavailable("away")
    during = (await on.client(ROOT).get("/v1/health")).json()
    assert during["status"] == "unavailable"
    on.log.failure = None
    after = (await on.client(ROOT).get("/v1/health")).json()
    (log,) = [need for need in after["needs"] if need["name"] == "event_log"]
    assert (log["status"], log["last_failed_at"] is not None) == ("ok", True)
    on.reads.projector_away = True
    assert (await on.client(ROOT).get("/v1/health")).json()["status"] == "unavailable"

"""How the installation stands: told to administrators, with positions, ends, loops and what was away."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from adapters.event_log import LogUnavailable
from adapters.settings import load_settings
from adapters.telemetry import Loops, Metrics, serve_metrics
from projections.reports.queries import LoopReport
from tests.unit.api.doors import ROOT, Stage, stage
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
    assert {(loop["lag_records"], loop["last_error"]) for loop in said["loops"]} == {(None, None)}
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


async def test_age_and_errors_are_what_the_loops_said_of_themselves(on: Stage) -> None:
    asked = {"file_name": "a.jpg", "content_type": "image/jpeg", "size": 7}
    await on.client().post("/v1/uploads/presign", json=asked)
    (written,) = [record for record in on.log.records if record.topic == on.log.topics.assets]
    said = datetime(2026, 5, 17, 12, 0, tzinfo=UTC)
    report = LoopReport(
        topic=written.topic,
        member="projector-1",
        said_at=said,
        said_seconds_ago=3.0,
        silent_seconds=70.0,
        held_since=said,
        trouble="read models: OperationalError",
        trouble_since=said,
        last_error="read models: OperationalError",
        last_error_at=said,
        oldest={str(written.partition): round(said.timestamp() * 1000) - 60_000},
        partitions=list(range(on.log.partitions)),
    )
    assert {item["behind_seconds"] for item in await _of_assets(on)} == {0.0, None}, "nobody says"
    on.reads.reports = [report]
    ages = {item["partition"]: item["behind_seconds"] for item in await _of_assets(on)}
    assert ages[written.partition] == 63.0
    assert {age for partition, age in ages.items() if partition != written.partition} == {0.0}
    on.reads.reports = [replace(report, oldest={})]
    assert {item["behind_seconds"] for item in await _of_assets(on)} == {0.0, 3.0}, "since it spoke, at most"
    on.reads.reports = [replace(report, partitions=[])]
    assert {item["behind_seconds"] for item in await _of_assets(on)} == {0.0, None}, "nobody holds it"
    on.reads.reports = [replace(report, oldest={})]
    health = (await on.client(ROOT).get("/v1/health")).json()
    (loop,) = health["projectors"]
    assert (loop["silent_seconds"], loop["last_error"]) == (70.0, "read models: OperationalError")
    wholes = {each["topic"]: each["behind_seconds"] for each in health["projections"]}
    topics = on.log.topics
    assert [wholes[topic] for topic in (topics.assets, topics.identity, topics.operations)] == [
        3.0,
        0.0,
        None,
    ]


async def test_health_shows_every_program_that_is_named() -> None:
    metrics = Metrics()
    loops = Loops("variants", timedelta(seconds=30), metrics.loops)
    worker = loops.expect("worker")
    server = serve_metrics(load_settings({"METRICS_PORT": "0"}), metrics, loops=loops)
    try:
        named = f"variants=http://127.0.0.1:{server.port},gone=http://127.0.0.1:1"
        async with stage(PROGRAM_URLS=named) as on:
            said = (await on.client(ROOT).get("/v1/health")).json()
            assert [(one["name"], one["status"], one["stuck"]) for one in said["programs"]] == [
                ("variants", "ok", False),
                ("gone", "silent", False),
            ]
            assert said["status"] == "unavailable"
        async with stage(PROGRAM_URLS=named.split(",")[0]) as on:
            assert (await on.client(ROOT).get("/v1/health")).json()["status"] == "ok"
            worker.trouble("store_unavailable", "words", error="store_unavailable")
            said = (await on.client(ROOT).get("/v1/health")).json()
            (loop,) = said["programs"][0]["loops"]
            assert (loop["name"], loop["last_error"]) == ("worker", "store_unavailable")
            assert [each["code"] for each in loop["troubles"]] == ["store_unavailable"]
            assert said["status"] == "unavailable"
    finally:
        server.close()


async def test_a_loop_of_the_doors_tells_what_keeps_it_until_it_is_past_it() -> None:
    def kept(on: Stage) -> dict[str, list[str]]:
        states = on.loops.states()
        return {loop.name: [each.code for each in loop.troubles] for loop in states if loop.troubles}

    async with stage() as on:
        on.accounts.down = True
        async with on.living(), asyncio.timeout(20):
            while not kept(on):  # noqa: ASYNC110 - what is watched has no event of its own
                await asyncio.sleep(0.01)
            assert kept(on) == {"denial-tail": ["read models: OperationalError"]}
            on.accounts.down = False
            while kept(on):  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.01)
            said = (await on.client(ROOT).get("/v1/health")).text
            assert ("read models: OperationalError" in said, "the database is away" in said) == (True, False)
            names = {loop.name for loop in on.loops.states()}
            assert names >= {"activity-tailer", "denial-tail", "held-streams", "key-uses"}

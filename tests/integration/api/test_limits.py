"""Rates and streams on a real database: shared by processes, kept over restarts; and without it (H10)."""

import time
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import psycopg
import pytest

from tests.integration.api.running import ADA, BEN, RunningDoors, open_doors
from tests.programs import Program, free_port, running
from tests.servers import World

LIMITS = {
    "RATE_READS": "40/hour",
    "RATE_STRANGERS": "30/hour",
    "RATE_LOGIN_ACCOUNT": "10/15minutes",
    "RATE_LOGIN_NETWORK": "60/15minutes",
}


@pytest.fixture(scope="module")
def doors(world: World) -> Iterator[RunningDoors]:
    with open_doors(world, **LIMITS) as opened:
        yield opened


@pytest.fixture(scope="module")
def other(doors: RunningDoors) -> Iterator[str]:
    """A second process of the doors on the same servers; its address."""
    port = free_port()
    env = {**doors.api.env, "PORT": str(port), "STATE_DIR": str(doors.world.folder / "second")}
    second = Program(["api"], env, doors.world.folder / "second")
    with running(second):
        second.wait_ready(f"http://127.0.0.1:{port}/readyz")
        yield f"http://127.0.0.1:{port}"


def statuses(url: str, times: int, key: str | None = ADA) -> list[int]:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    with httpx.Client(base_url=url, headers=headers) as client:
        return [client.get("/v1/assets").status_code for _ in range(times)]


def test_h10_two_processes_and_a_restart_share_one_rate(doors: RunningDoors, other: str) -> None:
    here, there = statuses(doors.url, 30), statuses(other, 30)
    assert (here + there).count(200) == 40
    assert set(here + there) == {200, 429}
    refused = httpx.get(f"{other}/v1/assets", headers={"Authorization": f"Bearer {ADA}"})
    assert 0 < int(refused.headers["retry-after"]) <= 90
    assert refused.json()["type"] == "/problems/too-many-requests"
    doors.api.stop()
    doors.api.restart()
    doors.wait_ready()
    assert statuses(doors.url, 3) == [429] * 3
    assert statuses(doors.url, 3, BEN) == [200] * 3


def listening(url: str, streams: ExitStack) -> int:
    """Opens one of Ben's streams, to be closed with the others; its status."""
    client = streams.enter_context(httpx.Client(base_url=url, timeout=30.0))
    headers = {"Authorization": f"Bearer {BEN}"}
    return streams.enter_context(
        client.stream("GET", "/v1/notifications/stream", headers=headers)
    ).status_code


def test_s01_two_processes_share_the_streams_of_a_user(doors: RunningDoors, other: str) -> None:
    """Five in all, wherever they are; closed in one process, there is room in the other within moments."""
    with ExitStack() as streams:
        assert [listening(url, streams) for url in (doors.url, other, doors.url, other, other)] == [200] * 5
        for url in (doors.url, other):
            with ExitStack() as one_more:
                assert listening(url, one_more) == 429
    deadline = time.monotonic() + 60
    with psycopg.connect(doors.world.env["DATABASE_URL"], autocommit=True) as connection:
        while connection.execute("select 1 from api.stream_places where places > 0").fetchone():
            assert time.monotonic() < deadline, "what was closed is still counted"
            time.sleep(0.05)
    with ExitStack() as streams:
        assert [listening(other, streams) for _ in range(5)] == [200] * 5
        with ExitStack() as one_more:
            assert listening(doors.url, one_more) == 429


def test_h10_strangers_share_theirs_and_the_table_names_nobody(doors: RunningDoors, other: str) -> None:
    answered = statuses(doors.url, 20, None) + statuses(other, 20, "wrong-key-0123456789")
    assert answered.count(401) == 30
    assert set(answered) == {401, 429}
    with psycopg.connect(doors.world.env["DATABASE_URL"]) as connection:
        rows = connection.execute("select scope, granted from api.rate_limits").fetchall()
    assert rows
    assert all(len(scope) == 16 and b"127" not in scope for scope, _ in rows)


def test_l03_refusals_stand_in_the_log_with_a_networks_pseudonym(doors: RunningDoors) -> None:
    statuses(doors.url, 2, "wrong-key-0123456789")
    lines = [line for line in doors.api.output().splitlines() if '"security": true' in line]
    assert any('"event": "rate_limited"' in line for line in lines)
    assert any('"event": "authentication_failed"' in line for line in lines)
    assert all('"network": "' in line and '"request_id": "' in line for line in lines)
    assert not any("wrong-key" in line or "127.0.0.1" in line for line in lines)
    told = httpx.get(f"{doors.api.metrics_url}/metrics").text
    assert 'darkroom_security_events_total{event="authentication_failed"}' in told


def test_h10_without_the_database_writes_go_on_and_nobody_guesses(doors: RunningDoors) -> None:
    body = {"email": "ada@example.org", "password": "a guess"}
    presign = {"file_name": "a.jpg", "content_type": "image/jpeg", "size": 1000}
    for away in (doors.world.servers.postgres.down, doors.world.servers.postgres.paused):
        headers = {"Authorization": f"Bearer {BEN}"}  # strangers have used up their rate
        with away(), httpx.Client(base_url=doors.url, timeout=15.0, headers=headers) as client:
            for _ in range(3):
                began = time.monotonic()
                refused = client.post("/v1/auth/login", json=body)
                assert (refused.status_code, refused.json()["type"]) == (503, "/problems/unavailable")
                assert time.monotonic() - began < 8
            began = time.monotonic()
            granted = client.post("/v1/uploads/presign", json=presign)
            assert granted.status_code == 201
            assert time.monotonic() - began < 12
        doors.wait_ready()
    deadline = time.monotonic() + 60  # connections that broke meanwhile may each cost somebody a 503
    while statuses(doors.url, 1, BEN) != [200]:
        assert time.monotonic() < deadline

"""What the doors answer while something behind them is away, and that nothing lands afterwards."""

import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from confluent_kafka import Consumer, TopicPartition

from tests.integration.api.running import ADA, BEN, JPEG, RunningDoors
from tests.programs import asked

PRESIGN = {"file_name": "harbour.jpg", "content_type": "image/jpeg", "size": len(JPEG)}
# Five and a half in a quiet house.
ANSWER_SECONDS = 11.0


def presign(doors: RunningDoors, key: str | None = None, owner: str = ADA) -> httpx.Response:
    headers = {"Idempotency-Key": key} if key else {}
    return doors.client(owner).post("/v1/uploads/presign", json=PRESIGN, headers=headers)


def records(doors: RunningDoors) -> int:
    """How many records the asset log holds."""
    settings = doors.world.settings("counter")
    consumer = Consumer(settings.kafka.client() | {"group.id": "counter"})
    topic = settings.kafka.topics.assets
    partitions = [TopicPartition(topic, number) for number in range(settings.kafka.partitions)]
    ends = [consumer.get_watermark_offsets(partition, timeout=10) for partition in partitions]
    consumer.close()
    return sum(high for low, high in ends)


def until(doors: RunningDoors, seconds: float = 60.0) -> float:
    began = time.monotonic()
    while presign(doors).status_code != 201:
        assert time.monotonic() - began < seconds
        time.sleep(0.2)
    return time.monotonic() - began


@pytest.mark.parametrize("how", ["down", "paused"])
def test_without_the_log_every_write_is_a_quick_503_and_nothing_lands_later(
    doors: RunningDoors, how: str
) -> None:
    assert doors.upload().status_code == 202  # so that the owner has a data key
    before = records(doors)
    kafka = doors.world.servers.kafka
    with kafka.down() if how == "down" else kafka.paused():
        began = time.monotonic()
        with ThreadPoolExecutor(8) as pool:
            answers = [*pool.map(lambda _: presign(doors), range(7)), doors.upload()]
        lasted = time.monotonic() - began
        assert presign(doors, owner=BEN).status_code == 503  # who has no data key yet
        assert {answer.status_code for answer in answers} == {503}
        assert all(answer.headers["content-type"] == "application/problem+json" for answer in answers)
        assert all(int(answer.headers["retry-after"]) > 0 for answer in answers)
        assert lasted < 2 * ANSWER_SECONDS  # eight at once, and a form behind them
        refused = [a for a in answers if a.json()["type"] == "/problems/log-unavailable"]
        assert asked(f"{doors.url}/livez").status_code == 200
        assert asked(f"{doors.url}/readyz").status_code == 503
        assert doors.client().get("/v1/assets").status_code == 200
    until(doors)
    doors.wait_ready()
    landed = records(doors) - before - 1
    assert landed <= len(answers) - len(refused)  # what was said not to land did not


def test_a_write_under_a_key_survives_the_outage_once(doors: RunningDoors) -> None:
    with doors.world.servers.kafka.down():
        assert presign(doors, "through-the-outage").status_code == 503
    until(doors)
    first, second = presign(doors, "through-the-outage"), presign(doors, "through-the-outage")
    assert first.status_code == second.status_code == 201
    assert first.json()["asset_id"] == second.json()["asset_id"]


def test_without_the_database_writes_go_on_and_reads_say_so(doors: RunningDoors) -> None:
    doors.upload()
    with doors.world.servers.postgres.down():
        assert presign(doors).status_code == 201
        assert doors.upload().status_code == 202
        keyed = presign(doors, "no-database")
        assert (keyed.status_code, keyed.json()["type"]) == (503, "/problems/read-store-unavailable")
        began = time.monotonic()
        read = doors.client().get("/v1/assets")
        assert (read.status_code, read.json()["type"]) == (503, "/problems/read-store-unavailable")
        assert time.monotonic() - began < 15
        assert asked(f"{doors.url}/livez").status_code == 200
    doors.wait_ready()
    answer = doors.upload()
    assert doors.client().get(answer.json()["status_url"]).status_code in {200, 503}


@pytest.mark.parametrize("how", ["down", "paused"])
def test_without_the_store_uploads_wait(doors: RunningDoors, how: str) -> None:
    store = doors.world.servers.store
    with store.down() if how == "down" else store.paused():
        began = time.monotonic()
        answer = doors.upload()
        assert time.monotonic() - began < 2 * ANSWER_SECONDS
        assert int(answer.headers["retry-after"]) > 0
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/object-store-unavailable")
        assert presign(doors).status_code == 201  # granting needs no store
    doors.wait_ready()
    assert doors.upload().status_code == 202

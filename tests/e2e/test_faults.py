"""What users notice when parts die, records repeat and tables vanish: nothing."""

import contextlib
import signal
import subprocess
import sys
import time
from uuid import uuid4

import httpx
import psycopg
import pytest

from tests.e2e.owner import send_direct
from tests.e2e.product import Product
from tests.log_records import append_raw, read_topic
from tests.photographs import photograph
from tests.programs import ROOT, asked

TABLES = ("assets", "jobs", "activity")


def assets_topic(product: Product) -> str:
    return f"{product.world.env['TOPIC_PREFIX']}.assets.v1"


def rows(product: Product) -> dict[str, list[tuple[object, ...]]]:
    """Every row that the doors can see, in an order of its own content."""
    with psycopg.connect(product.world.env["DATABASE_URL"]) as connection:
        return {
            table: sorted(connection.execute(f"select * from live.{table}").fetchall(), key=repr)  # noqa: S608
            for table in TABLES
        }


def effects(product: Product, asset_id: str) -> list[tuple[object, ...]]:
    """The VariantsReady records of an asset that the fold accepted."""
    with psycopg.connect(product.world.env["DATABASE_URL"]) as connection:
        return connection.execute(
            "select event_id from live.activity"
            " where asset_id = %s and event_type = 'VariantsReady' and accepted",
            [asset_id],
        ).fetchall()


def settled(product: Product) -> dict[str, list[tuple[object, ...]]]:
    """The rows, once every event of the log stands in the feed."""
    told = [record for record in read_topic(product.world.env, assets_topic(product)) if record.value]
    deadline = time.monotonic() + 60
    while len((found := rows(product))["activity"]) < len(told):
        assert time.monotonic() < deadline, f"{len(found['activity'])} of {len(told)} events are folded"
        time.sleep(0.2)
    return found


def test_u03_bytes_that_arrive_between_two_completions_change_nothing(product: Product) -> None:
    first, second = photograph(800, 600, tint=200), photograph(500, 400, tint=201)
    second += b"\0" * (len(first) - len(second))
    ada = product.owner("ada")
    granted = ada.presign(first)
    assert send_direct(granted, first).status_code < 300
    once = ada.complete(granted)
    assert send_direct(granted, second).status_code < 300
    twice = ada.complete(granted)
    assert {**once, "status": "", "status_url": ""} == {**twice, "status": "", "status_url": ""}
    detail = ada.wait(once)
    assert httpx.get(detail["variants"]["original"]["url"]).content == first
    assert (detail["variants"]["small"]["width"], detail["variants"]["small"]["height"]) == (480, 360)
    assert ada.get(f"/v1/jobs/{once['job_id']}").json()["attempts"] == 1


def test_a_worker_killed_in_mid_job_costs_an_attempt_and_nothing_else(product: Product) -> None:
    ada, worker = product.owner("ada"), product.worker
    worker.stop()
    worker.env["FAILPOINTS"] = "worker.after_put=kill"
    worker.restart().wait_ready()
    accepted = ada.upload_form(photograph(1200, 800, tint=210))
    assert worker.process.wait(40) == -signal.SIGKILL
    del worker.env["FAILPOINTS"]
    worker.restart().wait_ready()
    detail = ada.wait(accepted)
    job = ada.get(f"/v1/jobs/{detail['job_id']}").json()
    assert (job["state"], job["attempts"]) == ("completed", 2)
    assert len(effects(product, detail["id"])) == 1


def test_repeated_records_and_a_dropped_read_model_leave_the_same_rows(product: Product) -> None:
    ada = product.owner("ada")
    ada.wait(ada.upload_form(photograph(500, 400, tint=220), title="Twice told"))
    before = settled(product)
    kept = [record for record in read_topic(product.world.env, assets_topic(product)) if record.value]
    append_raw(product.world.env, kept)
    product.worker.stop()  # it may say once more what came of a job, and the log is to be the same twice
    try:
        repeated = settled(product)
        assert repeated["assets"] == before["assets"]
        assert repeated["jobs"] == before["jobs"]
        reset = subprocess.run(
            [sys.executable, "-m", "ops", "read-models", "reset", "--wait"],
            cwd=ROOT,
            env=product.projector.env,
            capture_output=True,
            text=True,
        )
        assert reset.returncode == 0, reset.stdout + reset.stderr
        assert settled(product) == repeated
    finally:
        product.worker.restart().wait_ready()


def test_what_the_log_holds_is_nobodys_secret(product: Product) -> None:
    ada = product.owner("ada")
    words = {"title": "canary-title", "description": "canary-words", "tags": "canary-tag"}
    ada.wait(ada.upload_form(photograph(500, 400, tint=230), file_name="canary-name.jpg", **words))
    env = product.world.env
    everything = b"".join(
        (record.key or b"") + (record.value or b"") + b"".join(value for _, value in record.headers)
        for topic in ("assets", "operations", "subject-keys", "dead-letters")
        for record in read_topic(env, f"{env['TOPIC_PREFIX']}.{topic}.v1")
    )
    told = (everything + product.logs().encode()).lower()
    secrets = [
        env["S3_SECRET_KEY"],
        env["ID_SECRET"],
        *(entry.split(":")[0] for entry in env["API_KEYS"].split(",")),
    ]
    assert b"canary" not in told
    assert [secret for secret in secrets if secret.encode().lower() in told] == []


def test_a_broker_that_dies_is_a_503_and_then_forgotten(product: Product) -> None:
    ada, env = product.owner("ada"), product.world.env
    body = {"file_name": "a.jpg", "content_type": "image/jpeg", "size": 1000}
    key = {"Idempotency-Key": uuid4().hex}
    before = len(read_topic(env, assets_topic(product)))
    with product.world.servers.kafka.down():
        asked = time.monotonic()
        refused = ada.http.post("/v1/uploads/presign", json=body, headers=key)
        assert time.monotonic() - asked < 20
        assert refused.status_code == 503
        assert refused.headers["content-type"].startswith("application/problem+json")
        assert int(refused.headers["retry-after"]) >= 1
        assert httpx.get(f"{product.url}/livez").status_code == 200
        assert _eventually(product, "/readyz", 503)
    assert _eventually(product, "/readyz", 200)
    assert len(read_topic(env, assets_topic(product))) == before, "a refused write landed after its 503"
    answers = [ada.http.post("/v1/uploads/presign", json=body, headers=key) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["asset_id"] for answer in answers}) == 1
    landed = read_topic(env, assets_topic(product))
    mine = [record for record in landed if record.key == answers[0].json()["asset_id"].encode()]
    assert len({dict(record.headers)["ce_id"] for record in mine}) == 1
    product.revive()


def _eventually(product: Product, path: str, code: int) -> bool:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.HTTPError):
            if asked(product.url + path).status_code == code:
                return True
        time.sleep(0.2)
    return False


@pytest.mark.parametrize("victim", ["worker", "projector", "api"])
def test_a_sigterm_ends_each_program_in_order(product: Product, victim: str) -> None:
    program = getattr(product, victim)
    program.send(signal.SIGTERM)
    assert program.process.wait(60) == 0
    program.restart()
    product.wait_ready()
    ada = product.owner("ada")
    ada.wait(ada.upload_form(photograph(300, 200, tint=240 + len(victim))))


def test_events_stand_in_order_with_readable_headers(product: Product) -> None:
    """Events stand in order under the asset's key, with headers that are readable text."""
    ada = product.owner("ada")
    accepted = ada.upload_form(photograph(300, 200, tint=250))
    ada.wait(accepted)
    mine = [
        record
        for record in read_topic(product.world.env, assets_topic(product))
        if record.key == accepted["asset_id"].encode()
    ]
    kinds = [dict(record.headers).get("ce_type", b"").decode() for record in mine]
    assert [kind.rsplit(".", 1)[-1] for kind in kinds] == [
        "UploadRequested",
        "UploadCompleted",
        "ProcessingStarted",
        "VariantsReady",
    ]
    assert len({record.partition for record in mine}) == 1


def test_the_example_reads_the_log_with_an_ordinary_client(product: Product) -> None:
    ada = product.owner("ada")
    accepted = ada.upload_form(photograph(300, 200, tint=260), title="unseen")
    ada.wait(accepted)
    shown = subprocess.run(
        [sys.executable, "docs/examples/read_the_log.py"],
        cwd=ROOT,
        env=product.api.env,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert shown.returncode == 0, shown.stderr
    lines = [line for line in shown.stdout.splitlines() if f"  {accepted['asset_id']}  " in line]
    assert [line.rsplit(".", 1)[-1] for line in lines] == [
        "UploadRequested",
        "UploadCompleted",
        "ProcessingStarted",
        "VariantsReady",
    ]

"""`python -m ops stack` with the real servers: up, status, killed servers, a killed supervisor, down."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import httpx
import psycopg
import pytest
from botocore.config import Config
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from ops.stack.environment import read_environment
from ops.stack.folder import Folder
from ops.stack.record import Record, read_record
from ops.stack.remains import marked
from ops.stack.settings import ROOT

pytestmark = [pytest.mark.servers, pytest.mark.timeout(600)]
START_SECONDS = 150  # where several people's tests share two cores; else ten
NAMES = ["postgres", "kafka", "registry", "store"]


@dataclass
class Stack:
    """One folder's stack, started and looked at from outside as a person would."""

    home: Path
    supervisors: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def folder(self) -> Folder:
        return Folder(root=self.home / ".darkroom", cache=Path())

    @property
    def env(self) -> dict[str, str]:
        ports = {f"DARKROOM_{name.upper()}_PORT": "0" for name in NAMES}
        cache = os.environ.get("DARKROOM_CACHE", str(ROOT / ".darkroom" / "cache"))
        return {**os.environ, **ports, "DARKROOM_CACHE": cache, "DARKROOM_HOME": str(self.home)}

    def command(self, *words: str) -> tuple[str, ...]:
        return (sys.executable, "-m", "ops", "stack", *words)

    def up(self, **env: str) -> float:
        """Start it; returns the seconds until every server is ready."""
        began = time.monotonic()
        with (self.home / "up.log").open("ab") as log:
            self.supervisors.append(
                subprocess.Popen(
                    self.command("up", "--servers-only"),
                    cwd=ROOT,
                    env={**self.env, **env},
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            )
        pid = self.supervisors[-1].pid
        wait_for(lambda: self.ready(pid), START_SECONDS, self.said)
        return time.monotonic() - began

    def ready(self, pid: int | None = None) -> bool:
        """Whether all serve (under the supervisor `pid`), by the record: `status` costs a second of CPU."""
        record = self.record()
        if record is None or pid not in (None, record.pid):
            return False
        return all(entry.state == "ready" for entry in record.entries)

    def said(self) -> str:
        return (self.home / "up.log").read_text()

    def record(self) -> Record | None:
        return read_record(self.folder.record)

    def code(self) -> int:
        return self.status()[0]

    def status(self) -> tuple[int, dict[str, Any]]:
        done = subprocess.run(
            self.command("status", "--json"),
            cwd=ROOT,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, json.loads(done.stdout)

    def pid_of(self, name: str) -> int:
        rows: list[dict[str, Any]] = self.status()[1]["rows"]
        return int(next(row["pid"] for row in rows if row["name"] == name))

    def addresses(self) -> dict[str, str]:
        return read_environment(self.folder.env)

    def close(self) -> None:
        for supervisor in self.supervisors:
            if supervisor.poll() is None:
                supervisor.send_signal(signal.SIGTERM)
            supervisor.wait(25)


def wait_for(told: Callable[[], bool], seconds: float, explain: Callable[[], str] = str) -> None:
    deadline = time.monotonic() + seconds
    while not told():
        assert time.monotonic() < deadline, explain()
        time.sleep(0.2)


@pytest.fixture
def stack() -> Iterator[Stack]:
    # Not in pytest's own folder: each run of pytest closes that to others, and as root Postgres is another.
    with tempfile.TemporaryDirectory(prefix="darkroom-stack-", ignore_cleanup_errors=True) as home:
        stack = Stack(home=Path(home))
        yield stack
        stack.close()


def s3(env: Mapping[str, str]) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=env["S3_ENDPOINT"],
        region_name=env["S3_REGION"],
        aws_access_key_id=env["S3_ACCESS_KEY"],
        aws_secret_access_key=env["S3_SECRET_KEY"],
        config=Config(signature_version="s3v4", request_checksum_calculation="when_required"),
    )


def leave_traces(env: Mapping[str, str]) -> None:
    """Something in each server, to be found again."""
    admin = AdminClient({"bootstrap.servers": env["KAFKA_BOOTSTRAP_SERVERS"]})
    admin.create_topics([NewTopic("kept", 3, 1)])["kept"].result(20)
    schema = {"schema": '{"type": "record", "name": "Kept", "fields": []}'}
    httpx.post(f"{env['SCHEMA_REGISTRY_URL']}/subjects/kept/versions", json=schema).raise_for_status()
    s3(env).put_object(Bucket=env["S3_BUCKET"], Key="kept", Body=b"kept", ContentType="image/jpeg")
    with psycopg.connect(env["DATABASE_URL"]) as connection:
        connection.execute("create table kept as select 'kept' as word")


def assert_traces(env: Mapping[str, str]) -> None:
    topics = AdminClient({"bootstrap.servers": env["KAFKA_BOOTSTRAP_SERVERS"]}).list_topics(timeout=10).topics
    assert len(topics["kept"].partitions) == 3
    assert "kept" in httpx.get(f"{env['SCHEMA_REGISTRY_URL']}/subjects").json()
    kept = s3(env).get_object(Bucket=env["S3_BUCKET"], Key="kept")
    assert (kept["ContentType"], kept["Body"].read()) == ("image/jpeg", b"kept")
    with psycopg.connect(env["DATABASE_URL"]) as connection:
        assert connection.execute("select word from kept").fetchone() == ("kept",)


def assert_store_takes_uploads_from_browsers(env: Mapping[str, str]) -> None:
    """U14: the largest direct upload comes in, from our own and the named origins alone."""
    body = os.urandom(64 * 1024 * 1024)
    post = s3(env).generate_presigned_post(env["S3_BUCKET"], "largest")
    taken = httpx.post(post["url"], data=post["fields"], files={"file": body}, timeout=60)
    assert taken.status_code in {200, 204}
    assert s3(env).head_object(Bucket=env["S3_BUCKET"], Key="largest")["ContentLength"] == len(body)

    def allowed(origin: str, method: str = "POST") -> bool:
        asked = {"Origin": origin, "Access-Control-Request-Method": method}
        answer = httpx.options(post["url"], headers=asked)
        return bool(answer.headers.get("access-control-allow-origin") == origin)

    assert all(allowed("https://gallery.example", method) for method in ("GET", "HEAD", "PUT", "POST"))
    assert not allowed("https://gallery.example", "DELETE")
    assert allowed(env["DARKROOM_URL"])
    assert not allowed("https://gallery.example.evil")
    assert not allowed("https://galleryxexample")


def test_up_status_killed_servers_and_down(stack: Stack) -> None:
    stack.up(CORS_ORIGIN="https://gallery.example")
    code, told = stack.status()
    assert code == 0
    assert [row["name"] for row in told["rows"]] == NAMES
    assert all(row["state"] == "ready" and row["memory_mb"] > 10 and row["port"] for row in told["rows"])
    assert stack.folder.env.stat().st_mode & 0o777 == 0o600
    assert_store_takes_uploads_from_browsers(stack.addresses())
    stranger = stack.addresses()["DATABASE_URL"].replace(":", ":x", 2).replace(":x", ":", 1)
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(stranger)
    for server in ("kafka", "postgres"):
        killed = stack.pid_of(server)
        os.kill(killed, signal.SIGKILL)
        wait_for(lambda: not stack.ready(), 30)
        wait_for(stack.ready, START_SECONDS, stack.said)
        assert stack.pid_of(server) != killed
        assert f"{server:<12} was ended by SIGKILL; starting again in 0.5 s" in stack.said()

    record = stack.record()
    assert record is not None
    began = time.monotonic()
    subprocess.run(stack.command("down"), cwd=ROOT, env=stack.env, check=True, capture_output=True)
    assert time.monotonic() - began < 40
    assert marked(record.mark) == []
    assert stack.supervisors[0].wait(10) == 0
    assert stack.code() == 3


def test_a_killed_supervisor_and_a_second_start_without_network(stack: Stack) -> None:
    stack.up()
    addresses, record = stack.addresses(), stack.record()
    assert record is not None
    leave_traces(addresses)
    stack.supervisors[0].send_signal(signal.SIGKILL)
    stack.supervisors[0].wait()

    nowhere = "http://127.0.0.1:9"  # whoever asks for anything beyond loopback gets no answer
    stack.up(HTTP_PROXY=nowhere, HTTPS_PROXY=nowhere, ALL_PROXY=nowhere, NO_PROXY="127.0.0.1")
    again = stack.addresses()
    assert_traces(again)
    moving = {name for name in again if again[name] != addresses[name]}
    assert moving <= {
        "KAFKA_BOOTSTRAP_SERVERS",
        "SCHEMA_REGISTRY_URL",
        "DATABASE_URL",
        "S3_ENDPOINT",
        "S3_PUBLIC_ENDPOINT",
    }
    assert marked(record.mark) == []

    second = stack.record()
    assert second is not None
    began = time.monotonic()
    stack.supervisors[1].send_signal(signal.SIGINT)
    assert stack.supervisors[1].wait(40) == 0
    assert time.monotonic() - began < 40
    assert marked(second.mark) == []

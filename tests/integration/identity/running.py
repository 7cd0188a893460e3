"""Starts two doors and the identity projector, and asks them as people do."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx

from tests.log_records import append_raw, read_topic
from tests.programs import PLAIN, ROOT, Program, free_port, running
from tests.servers import World

PASSWORD = "nine red lamps by the river"
# A second in a quiet house; tests share few cores with many servers, and look for what never comes.
WITHIN = 20.0
OTHER = "seven blue boats on a lake"
UNLIMITED = {
    f"RATE_{name}": "off"
    for name in ("REGISTRATIONS", "LOGIN_NETWORK", "LOGIN_ACCOUNT", "STRANGERS", "WRITES")
}


def address() -> str:
    """Somebody new."""
    return f"{uuid4().hex[:12]}@example.org"


@dataclass
class Somebody:
    """A person and the tokens they were given last."""

    email: str
    user_id: UUID
    access: str = field(repr=False)
    refresh: str = field(repr=False)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.access}"}


@dataclass
class RunningIdentity:
    """Two running APIs with one projector; `clients` are one for each API."""

    world: World
    apis: tuple[Program, Program]
    projector: Program
    clients: tuple[httpx.Client, httpx.Client]

    def wait_ready(self) -> None:
        """Waits until both doors and the projector are well."""
        for api in self.apis:
            api.wait_ready(f"http://127.0.0.1:{api.port}/readyz")
        self.projector.wait_ready()

    def register(
        self, email: str | None = None, door: int = 0, password: str = PASSWORD, **headers: str
    ) -> httpx.Response:
        body = {"email": email or address(), "password": password}
        return self.clients[door].post("/v1/auth/register", json=body, headers=headers)

    def log_in(self, email: str, door: int = 0, password: str = PASSWORD) -> httpx.Response:
        body = {"email": email, "password": password}
        return self.clients[door].post("/v1/auth/login", json=body)

    def refresh(self, token: str, door: int = 0) -> httpx.Response:
        return self.clients[door].post("/v1/auth/refresh", json={"refresh_token": token})

    def me(self, who: Somebody, door: int = 0) -> httpx.Response:
        return self.clients[door].get("/v1/auth/me", headers=who.headers)

    def somebody(self) -> Somebody:
        return somebody(self.register())

    @property
    def _topic(self) -> str:
        return f"{self.world.env['TOPIC_PREFIX']}.identity.v1"

    def records(self) -> int:
        """How many records the identity log holds."""
        return len(read_topic(self.world.env, self._topic))

    def repeat(self, event_type: str) -> None:
        """Appends all records of this kind once more, as they were."""
        found = [
            record
            for record in read_topic(self.world.env, self._topic)
            if dict(record.headers).get("ce_type", b"").decode().endswith(event_type)
        ]
        assert found
        append_raw(self.world.env, found)

    def ops(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`python -m ops …` in this world."""
        env = {**self.apis[0].env, "STATE_DIR": str(self.world.folder / "ops")}
        return subprocess.run(
            [sys.executable, "-m", "ops", *arguments],
            cwd=ROOT,
            env=env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


def somebody(answer: httpx.Response) -> Somebody:
    assert answer.status_code in {200, 201}, answer.text
    said: dict[str, Any] = answer.json()
    return Somebody(said["email"], UUID(said["user_id"]), said["access_token"], said["refresh_token"])


def until(met: Callable[[], bool], seconds: float = 40.0) -> float:
    """Waits until it is so, and tells how long that took."""
    began = time.monotonic()
    while not met():
        assert time.monotonic() - began < seconds
        time.sleep(0.05)
    return time.monotonic() - began


@contextlib.contextmanager
def open_identity(world: World, **overrides: str) -> Iterator[RunningIdentity]:
    """Lays the ground and opens; everything is stopped at the block's end."""
    world.lay_ground()
    env = {**world.env, **UNLIMITED, "READ_WAIT": f"{WITHIN:g}", **overrides}
    second = {**env, "PORT": str(free_port()), "STATE_DIR": str(world.folder / "second")}
    apis = (Program(["api"], env, world.folder), Program(["api"], second, world.folder))
    projector = Program(["projections"], env, world.folder)
    urls = [f"http://127.0.0.1:{api.port}" for api in apis]
    with running(projector, *apis), contextlib.ExitStack() as closing:
        one, other = (
            closing.enter_context(httpx.Client(base_url=url, timeout=30.0, verify=PLAIN)) for url in urls
        )
        opened = RunningIdentity(world, apis, projector, (one, other))
        opened.wait_ready()
        until(lambda: opened.register(door=0).status_code == 201, 60)
        until(lambda: opened.register(door=1).status_code == 201, 60)
        yield opened

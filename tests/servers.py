"""Real servers for tests: started once for a run on free ports, or taken from the environment."""

import asyncio
import contextlib
import os
import secrets
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

import psutil
import pytest

from adapters.settings import Settings, load_settings
from ops.ground import lay
from ops.stack.console import Terminal
from ops.stack.environment import external_addresses, product_secrets, server_addresses
from ops.stack.folder import folder_of
from ops.stack.ports import HOST, choose_ports
from ops.stack.postgres import create_database
from ops.stack.programs import Program
from ops.stack.remains import end_remains
from ops.stack.secrets import new_secrets
from ops.stack.settings import ROOT, StackSettings
from ops.stack.site import Site
from ops.stack.store import make_bucket
from ops.stack.supervisor import Supervisor
from ops.stack.unit import State
from ops.stack.up import get_servers, server_programs

START_SECONDS: Final = 150.0
# Everything in them is thrown away: who does not end at once is killed.
STOP_SECONDS: Final = 1.0
GONE_SECONDS: Final = 60.0
PARTITIONS: Final = 4
# All tests come from one network, know few accounts and are in a hurry; who tests a rate sets it.
RATES: Final = "READS WRITES UPLOADS KEYS STRANGERS REGISTRATIONS LOGIN_ACCOUNT LOGIN_NETWORK"
T = TypeVar("T")


class Server(Protocol):
    """One server under a test's thumb; with servers from the environment every method skips the test."""

    def kill(self) -> None:
        """SIGKILL; it comes back by itself within seconds: see `wait_ready`."""

    def stop(self) -> None:
        """End it in order; it stays down until `start`."""

    def start(self) -> None:
        """Bring it back, and wait until it serves."""

    def restart(self) -> None:
        """`stop`, then `start`."""

    def wait_ready(self, seconds: float = 120.0) -> None:
        """Wait until it serves, after a kill too."""

    def down(self) -> contextlib.AbstractContextManager[None]:
        """Down inside the block, serving again after it."""

    def paused(self) -> contextlib.AbstractContextManager[None]:
        """Stopped in its tracks (SIGSTOP) inside the block: connections stay, answers don't come."""


class EmbeddedServer:
    """A supervised server of this run."""

    def __init__(self, name: str, loop: "LoopThread", supervisor: Supervisor) -> None:
        self._unit, self._loop = supervisor.unit(name), loop
        self._killed: int | None = None

    def kill(self) -> None:
        self._killed = self._unit.pid
        self._loop.call(self._unit.kill)

    def stop(self) -> None:
        self._loop.run(self._unit.hold(), 20)

    def start(self) -> None:
        self._loop.call(self._unit.release)
        self.wait_ready()

    def restart(self) -> None:
        self.stop()
        self.start()

    def wait_ready(self, seconds: float = 120.0) -> None:
        deadline = time.monotonic() + seconds
        while self._unit.state is not State.READY or self._unit.pid in (None, self._killed):
            assert time.monotonic() < deadline, f"{self._unit.name} is {self._unit.state} after {seconds} s"
            time.sleep(0.05)

    @contextlib.contextmanager
    def down(self) -> Iterator[None]:
        self.stop()
        try:
            yield
        finally:
            self.start()

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        assert self._unit.pid is not None
        leader = psutil.Process(self._unit.pid)
        group = [leader, *leader.children(recursive=True)]
        try:
            for process in group:
                process.send_signal(signal.SIGSTOP)
            while any(process.status() != psutil.STATUS_STOPPED for process in group):
                time.sleep(0.01)  # on a busy machine a thread may run on for a moment
            yield
        finally:
            for process in group:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.send_signal(signal.SIGCONT)


class ForeignServer:
    """A server that somebody else runs: not ours to end."""

    def _skip(self) -> None:
        pytest.skip("needs servers of its own (unset TEST_SERVERS)")

    kill = stop = start = restart = _skip

    def wait_ready(self, seconds: float = 120.0) -> None:  # noqa: ARG002 - the Protocol's
        self._skip()

    def down(self) -> contextlib.AbstractContextManager[None]:
        self._skip()
        return contextlib.nullcontext()

    paused = down


class LoopThread:
    """An event loop of its own thread; what it started dies with that thread, however pytest ends."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="test-servers", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T], seconds: float) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(seconds)

    def call(self, function: Any) -> None:
        self.loop.call_soon_threadsafe(function)

    def close(self) -> None:
        self.run(self.loop.shutdown_default_executor(), 10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()


class Servers:
    """Kafka, the registry, the object store and Postgres, and namespaces on them for whoever asks."""

    def __init__(self, addresses: Mapping[str, str], servers: Mapping[str, Server]) -> None:
        self.addresses = dict(addresses)
        self.kafka, self.registry = servers["kafka"], servers["registry"]
        self.store, self.postgres = servers["store"], servers["postgres"]

    def new_database(self) -> str:
        """Create an empty database; returns its DATABASE_URL."""
        name = f"t_{secrets.token_hex(6)}"
        url = self.addresses["DATABASE_URL"]
        create_database(url, name)
        base, _, options = url.partition("?")
        return f"{base.rsplit('/', 1)[0]}/{name}" + (f"?{options}" if options else "")

    def new_bucket(self) -> str:
        """Create an empty bucket; returns its name."""
        name = f"t-{secrets.token_hex(6)}"
        make_bucket({"S3_REGION": "us-east-1", **self.addresses, "S3_BUCKET": name})
        return name

    def environment(self, prefix: str | None = None) -> dict[str, str]:
        """All that `python -m api` and its like need, in a namespace of its own, on free ports.

        A fresh topic prefix, database, bucket and secrets; METRICS_PORT and STATE_DIR are for whoever
        starts a process to give. Nothing is created on Kafka or in the registry yet.
        """
        port = choose_ports(StackSettings(port=0), needed=frozenset()).api
        return {
            "DARKROOM_ENV": "development",
            **self.addresses,
            "PORT": str(port),
            "DARKROOM_URL": f"http://{HOST}:{port}",
            **product_secrets(new_secrets()),
            "TOPIC_PREFIX": prefix or f"t{secrets.token_hex(5)}",
            "KAFKA_PARTITIONS": str(PARTITIONS),
            **{f"RATE_{name}": "off" for name in RATES.split()},
            "DATABASE_URL": self.new_database(),
            "S3_BUCKET": self.new_bucket(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One test module's namespace on the servers."""

    servers: Servers
    env: dict[str, str]
    folder: Path

    def settings(self, name: str = "test", **overrides: str) -> Settings:
        """Settings as the process `name` would load them, with a state folder of its own."""
        return load_settings({**self.env, "STATE_DIR": str(self.folder / name), **overrides})

    def lay_ground(self) -> None:
        """Topics, schemas, tables and presets, by the very step that `make up` takes."""
        lay(self.settings("ground"), wait=120)


@contextlib.contextmanager
def running_servers(*, throwaway: bool = True) -> Iterator[Servers]:
    """The servers of this run: embedded, those of the environment (TEST_SERVERS=env), or containers.

    Embedded ones start fast and never get as fast as the product's; to be measured, they must not be
    `throwaway`.
    """
    kind = os.environ.get("TEST_SERVERS", "embedded")
    if kind == "env":
        foreign = ForeignServer()
        names = ("kafka", "registry", "store", "postgres")
        yield Servers(external_addresses(os.environ), dict.fromkeys(names, foreign))
    elif kind == "embedded":
        with _embedded(throwaway=throwaway) as servers:
            yield servers
    elif kind == "containers":
        from tests.containers import running_containers  # here, because the others need no Docker library

        with running_containers() as (addresses, containers):
            yield Servers(addresses, containers)
    else:
        raise pytest.UsageError(f"TEST_SERVERS is {kind}; it may be embedded, env or containers.")


@contextlib.contextmanager
def _embedded(*, throwaway: bool) -> Iterator[Servers]:
    with supervised(server_programs, throwaway=throwaway) as (addresses, servers):
        yield Servers(addresses, servers)


@contextlib.contextmanager
def supervised(
    programs_of: Callable[[Site], list[Program]], *, throwaway: bool = True
) -> Iterator[tuple[dict[str, str], dict[str, Server]]]:
    """Embedded servers of the block's own: the addresses of their site, and the servers by name."""
    home = Path(tempfile.mkdtemp(prefix="darkroom-test-"))
    loop, mark = LoopThread(), secrets.token_hex(8)
    try:
        site = _site(home, throwaway=throwaway)
        get_servers(site.folder, Terminal())
        supervisor = _supervisor(programs_of(site), mark)
        try:
            loop.run(supervisor.start(), START_SECONDS)
            names = (unit.name for unit in supervisor.units)
            yield dict(site.servers), {name: EmbeddedServer(name, loop, supervisor) for name in names}
        finally:
            loop.run(supervisor.stop(STOP_SECONDS), GONE_SECONDS)
    finally:
        end_remains(mark)
        loop.close()
        shutil.rmtree(home, ignore_errors=True)


def _site(home: Path, *, throwaway: bool) -> Site:
    free = {f"darkroom_{name}_port": 0 for name in ("kafka", "registry", "store", "postgres")}
    cache = Path(os.environ.get("DARKROOM_CACHE", ROOT / ".darkroom" / "cache"))
    settings = StackSettings.model_validate(
        {"darkroom_home": home, "darkroom_cache": cache, "port": 0, "s3_bucket": "darkroom-test", **free}
    )
    folder = folder_of(settings)
    folder.create()
    ports, kept = choose_ports(settings, needed=frozenset()), new_secrets()
    servers = server_addresses(settings, ports, kept)
    return Site(
        settings=settings, folder=folder, ports=ports, secrets=kept, servers=servers, throwaway=throwaway
    )


def _supervisor(programs: list[Program], mark: str) -> Supervisor:
    def say(name: str, text: str) -> None:
        sys.stderr.write(f"test servers: {name} {text}\n")

    return Supervisor(programs, mark=mark, say=say, changed=lambda _units: None)

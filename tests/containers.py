"""Test servers in containers: the four servers of the compose file, on free ports of this machine.

The third way to get them, after the embedded ones and those of the environment. Images, settings and health
checks are read from the compose file, so that whoever tests here tests that file too.
"""

import contextlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import pytest
from docker.errors import DockerException  # type: ignore[import-untyped] # ships no types
from docker.types import Mount  # type: ignore[import-untyped] # ships no types
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient
from testcontainers.core.network import Network
from testcontainers.core.wait_strategies import HealthcheckWaitStrategy

from tests import compose_file
from tests.programs import free_port

# Removes what a killed test run leaves behind; the library's own choice of version is an old one.
REAPER: Final = "testcontainers/ryuk:0.13.0"
START_SECONDS: Final = 180
# The broker's check starts a JVM: each second would keep a core busy.
_CHECK_SECONDS: Final = {"kafka": 5}
_SECOND_NS: Final = 1_000_000_000
_HOST: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One container to be: its `port` inside is published at `host_port` of the loopback interface.

    `volumes` are folders inside that outlive a restart; not every image has them by itself.
    """

    name: str
    image: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    port: int
    host_port: int
    volumes: tuple[str, ...]
    healthcheck: Mapping[str, Any]


def plans(host_ports: Mapping[str, int]) -> tuple[Plan, ...]:
    """The servers of the compose file in an order in which they can start, published at these ports."""
    services = compose_file.services()
    return tuple(
        _plan(name, services[name], host_ports[name]) for name in ("kafka", "registry", "postgres", "store")
    )


def _plan(name: str, service: Mapping[str, Any], host_port: int) -> Plan:
    address, inside = str(service["ports"][0]).rsplit(":", 1)
    environment = {
        variable: value.replace(address, f"{_HOST}:{host_port}")
        for variable, value in compose_file.environment(service).items()
    }
    return Plan(
        name=name,
        image=service["image"],
        command=tuple(service.get("command", ())),
        environment=environment,
        port=int(inside),
        host_port=host_port,
        volumes=tuple(mount.partition(":")[2] for mount in service.get("volumes", ())),
        healthcheck={
            "test": service["healthcheck"]["test"],
            "interval": _CHECK_SECONDS.get(name, 1) * _SECOND_NS,
            "timeout": 10 * _SECOND_NS,
            "retries": START_SECONDS,
        },
    )


def addresses(planned: tuple[Plan, ...]) -> dict[str, str]:
    """Where our programs find these servers, by the names of their settings."""
    port = {plan.name: plan.host_port for plan in planned}
    environment = {plan.name: plan.environment for plan in planned}
    postgres, store = environment["postgres"], environment["store"]
    user, password = postgres["POSTGRES_USER"], quote(postgres["POSTGRES_PASSWORD"], safe="")
    endpoint = f"http://{_HOST}:{port['store']}"
    return {
        "KAFKA_BOOTSTRAP_SERVERS": f"{_HOST}:{port['kafka']}",
        "SCHEMA_REGISTRY_URL": f"http://{_HOST}:{port['registry']}/apis/ccompat/v7",
        "DATABASE_URL": f"postgresql://{user}:{password}@{_HOST}:{port['postgres']}/{postgres['POSTGRES_DB']}",
        "S3_ENDPOINT": endpoint,
        "S3_PUBLIC_ENDPOINT": endpoint,
        "S3_REGION": store["VGW_REGION"],
        "S3_ACCESS_KEY": store["ROOT_ACCESS_KEY_ID"],
        "S3_SECRET_KEY": store["ROOT_SECRET_ACCESS_KEY"],
    }


class ContainerServer:
    """A server in its container, under a test's thumb (tests.servers.Server)."""

    def __init__(self, container: DockerContainer) -> None:
        self._container = container

    def kill(self) -> None:
        """SIGKILL; it is started again at once, see `wait_ready`."""
        wrapped = self._container.get_wrapped_container()
        wrapped.kill()
        wrapped.wait()
        wrapped.start()

    def stop(self) -> None:
        """End it in order; it stays down until `start`."""
        self._container.get_wrapped_container().stop()

    def start(self) -> None:
        """Bring it back, and wait until it serves."""
        self._container.get_wrapped_container().start()
        self.wait_ready()

    def restart(self) -> None:
        """`stop`, then `start`."""
        self.stop()
        self.start()

    def wait_ready(self, seconds: float = 60.0) -> None:
        """Wait until its health check passes."""
        HealthcheckWaitStrategy().with_startup_timeout(int(seconds)).wait_until_ready(self._container)

    @contextlib.contextmanager
    def down(self) -> Iterator[None]:
        """Down inside the block, serving again after it."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Frozen inside the block: connections stay, answers don't come."""
        wrapped = self._container.get_wrapped_container()
        wrapped.pause()
        try:
            yield
        finally:
            wrapped.unpause()


@contextlib.contextmanager
def running_containers() -> Iterator[tuple[dict[str, str], dict[str, ContainerServer]]]:
    """Addresses and handles of fresh servers, removed at the end; skips the test where no engine answers."""
    _skip_without_engine()
    testcontainers_config.ryuk_image = REAPER
    planned = plans({name: free_port() for name in compose_file.SERVERS})
    with ExitStack() as stack:
        network = stack.enter_context(Network())
        servers = {plan.name: stack.enter_context(_container(plan, network)) for plan in planned}
        yield addresses(planned), {name: ContainerServer(container) for name, container in servers.items()}


def _skip_without_engine() -> None:
    try:
        client = DockerClient().client
        client.ping()
        client.close()
    except DockerException as error:
        pytest.skip(f"TEST_SERVERS=containers needs a container engine that answers: {error}")


def _container(plan: Plan, network: Network) -> DockerContainer:
    container = DockerContainer(plan.image, env=dict(plan.environment), network=network)
    if plan.command:
        container.with_command(list(plan.command))
    container.with_network_aliases(plan.name)
    # The same port after a restart, and on the loopback interface alone.
    container.ports[f"{plan.port}/tcp"] = (_HOST, plan.host_port)  # type: ignore[assignment] # docker takes it
    # Volumes without a name: they are removed with their container.
    mounts = [Mount(target=folder, source=None) for folder in plan.volumes]
    container.with_kwargs(healthcheck=dict(plan.healthcheck), mounts=mounts)
    return container.waiting_for(HealthcheckWaitStrategy().with_startup_timeout(START_SECONDS))

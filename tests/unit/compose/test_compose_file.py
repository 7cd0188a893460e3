"""The compose file keeps its promises, as far as they can be read off it where no engine runs."""

import re
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from typer.testing import CliRunner

from adapters.settings import load_settings
from adapters.settings.loading import fields, variable
from ops.__main__ import commands
from ops.stack.kafka import Node, properties_of
from ops.stack.products import PROCESSES, STEPS
from tests import compose_file
from tests.compose_file import OWN, ROOT, SERVERS

SERVICES = compose_file.services()
SETTINGS = {variable(field) for _, _, field in fields()}
# The database's own; ours stands in DATABASE_URL.
NO_SETTINGS = {"POSTGRES_PASSWORD"}
EXACT = re.compile(r"^[a-z0-9./-]+:v?\d+\.\d+(\.\d+)?(-[a-z0-9.]+)?(@sha256:[0-9a-f]{64})?$")


@pytest.fixture(params=sorted(SERVICES))
def service(request: pytest.FixtureRequest) -> dict[str, Any]:
    return SERVICES[request.param]


@pytest.fixture(params=OWN)
def own(request: pytest.FixtureRequest) -> dict[str, Any]:
    return SERVICES[request.param]


def test_it_holds_the_parts_of_the_stack_and_a_ui() -> None:
    assert set(SERVICES) == {*OWN, *SERVERS, "kafka-ui"}


@pytest.mark.parametrize("name", sorted(set(SERVICES) - set(OWN)))
def test_images_of_others_are_pinned(name: str) -> None:
    assert EXACT.match(SERVICES[name]["image"])


@pytest.mark.parametrize("image", ["postgres", "postgres:18", "postgres:latest", "kafka:stable", "a:v1"])
def test_a_loose_image_would_be_seen(image: str) -> None:
    assert not EXACT.match(image)


def test_our_image_is_built_from_what_is_here(own: dict[str, Any]) -> None:
    assert (ROOT / own["build"]["context"] / own["build"]["dockerfile"]).is_file()


def test_every_variable_of_ours_is_a_setting(own: dict[str, Any]) -> None:
    assert compose_file.environment(own).keys() <= SETTINGS


def test_our_programs_accept_their_settings(own: dict[str, Any]) -> None:
    settings = load_settings(compose_file.environment(own))
    assert settings.secrets.api_keys
    assert not settings.production


def test_every_variable_of_the_file_can_stand_in_the_settings_file() -> None:
    assert compose_file.variables(compose_file.PATH.read_text()) - NO_SETTINGS <= SETTINGS


def test_our_programs_find_each_server_at_its_own_port(own: dict[str, Any]) -> None:
    settings = load_settings(compose_file.environment(own))
    database = urlsplit(settings.postgres.url.get_secret_value())
    assert settings.kafka.bootstrap_servers == "kafka:9092"
    assert "INSIDE://kafka:9092" in SERVICES["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
    assert urlsplit(settings.registry.url).netloc == "registry:8080"
    assert (database.hostname, database.port) == ("postgres", 5432)
    assert urlsplit(settings.store.endpoint).netloc == "store:7070"
    assert SERVICES["store"]["environment"]["VGW_PORT"] == ":7070"


def test_servers_and_programs_share_their_credentials() -> None:
    settings = load_settings(compose_file.environment(SERVICES["api"]))
    database = urlsplit(settings.postgres.url.get_secret_value())
    postgres, store = SERVICES["postgres"]["environment"], SERVICES["store"]["environment"]
    assert database.username == postgres["POSTGRES_USER"]
    assert database.password == postgres["POSTGRES_PASSWORD"]
    assert database.path == f"/{postgres['POSTGRES_DB']}"
    assert settings.store.access_key == store["ROOT_ACCESS_KEY_ID"]
    assert settings.store.secret_key.get_secret_value() == store["ROOT_SECRET_ACCESS_KEY"]
    assert settings.store.region == store["VGW_REGION"]


def published(service: dict[str, Any]) -> list[str]:
    ports: list[str] = service.get("ports", [])
    return ports


def test_browsers_reach_store_and_doors_where_they_are_told_to() -> None:
    settings = load_settings(compose_file.environment(SERVICES["api"]))
    assert f"{urlsplit(settings.store.public_endpoint).netloc}:7070" in published(SERVICES["store"])
    assert settings.runtime.url is not None
    assert f"{urlsplit(settings.runtime.url).netloc}:{settings.doors.port}" in published(SERVICES["api"])
    assert SERVICES["store"]["environment"]["VGW_CORS_ALLOW_ORIGIN"] == settings.runtime.url


def test_programs_outside_find_the_servers_by_their_defaults() -> None:
    defaults = load_settings({})
    outside = {
        "kafka": defaults.kafka.bootstrap_servers,
        "registry": urlsplit(defaults.registry.url).netloc,
        "postgres": urlsplit(defaults.postgres.url.get_secret_value()).netloc.rpartition("@")[2],
        "store": urlsplit(defaults.store.endpoint).netloc,
    }
    for name, address in outside.items():
        assert any(port.startswith(f"{address}:") for port in published(SERVICES[name])), name
    assert f"OUTSIDE://{outside['kafka']}" in SERVICES["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]


def test_no_port_leaves_this_machine(service: dict[str, Any]) -> None:
    assert all(port.startswith("127.0.0.1:") and port.count(":") == 2 for port in published(service))


def test_no_port_is_published_twice() -> None:
    outside = [port.rpartition(":")[0] for port in chain.from_iterable(map(published, SERVICES.values()))]
    assert len(outside) == len(set(outside))


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"init"}))
def test_what_serves_has_a_health_check(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    assert check["test"][0] == "CMD"
    assert check.keys() >= {"interval", "timeout", "retries", "start_period"}


@pytest.mark.parametrize(
    "name", ["api", "variants", "projector", "purge", "erasures", "housekeeping", "bulk"]
)
def test_our_health_checks_ask_the_port_that_answers(name: str) -> None:
    *command, url = SERVICES[name]["healthcheck"]["test"]
    settings = load_settings(compose_file.environment(SERVICES[name]))
    port = settings.doors.port if name == "api" else settings.runtime.metrics_port
    assert command == ["CMD", "python", "-m", "ops.docker.probe"]
    assert url == f"http://127.0.0.1:{port}/readyz"


def test_dependencies_exist_and_can_be_met(service: dict[str, Any]) -> None:
    for name, wish in service.get("depends_on", {}).items():
        match wish["condition"]:
            case "service_healthy":
                assert "healthcheck" in SERVICES[name]
            case "service_completed_successfully":
                assert SERVICES[name]["restart"] == "no"
            case other:
                raise AssertionError(other)


def test_our_programs_wait_for_the_ground(service: dict[str, Any]) -> None:
    assert set(SERVICES["init"]["depends_on"]) == set(SERVERS)
    for name in set(OWN) - {"init"}:
        assert set(SERVICES[name]["depends_on"]) == {"init"}


def test_volumes_are_declared_and_used() -> None:
    mounts = chain.from_iterable(service.get("volumes", []) for service in SERVICES.values())
    assert {mount.partition(":")[0] for mount in mounts} == compose_file.volumes()


@pytest.mark.parametrize("name", sorted(set(OWN) - {"init"}))
def test_each_program_keeps_its_state_to_itself(name: str) -> None:
    folder = compose_file.environment(SERVICES[name])["STATE_DIR"]
    assert SERVICES[name]["volumes"] == [f"{name}:{folder}"]


def test_our_containers_may_do_next_to_nothing(own: dict[str, Any]) -> None:
    assert own["read_only"] is True
    assert own["cap_drop"] == ["ALL"]
    assert own["security_opt"] == ["no-new-privileges:true"]


def test_the_ground_is_laid_by_the_steps_of_the_embedded_stack() -> None:
    commands = list(compose_file.python_commands(SERVICES["init"]))
    assert commands[0] == ("ops", "bucket", "create")
    assert commands[1:] == [step.words for step in STEPS]


def test_the_programs_are_those_of_the_embedded_stack() -> None:
    commands = {name: list(compose_file.python_commands(SERVICES[name])) for name in set(OWN) - {"init"}}
    assert commands == {process.name: [process.words] for process in PROCESSES}


@pytest.mark.parametrize("words", list(compose_file.python_commands(SERVICES["init"])), ids=" ".join)
def test_every_command_of_operations_exists(words: tuple[str, ...]) -> None:
    assert words[0] == "ops"
    result = CliRunner().invoke(commands(words[1]), [*words[1:], "--help"])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("process", PROCESSES, ids=lambda process: process.name)
def test_every_program_exists(process: Any) -> None:
    assert find_spec(f"{process.words[0]}.__main__") is not None


def test_the_shutdown_is_longer_than_what_our_programs_need() -> None:
    settings = load_settings({})
    grace = {"api": settings.doors.shutdown_grace, "variants": settings.worker.shutdown_grace}
    for name, needed in grace.items():
        assert int(SERVICES[name]["stop_grace_period"].removesuffix("s")) > needed.total_seconds() + 4


def test_the_broker_promises_what_the_embedded_one_does() -> None:
    alone = Node(id=1, port=19092, controller=19093)
    lines = properties_of(alone, (alone,), Path("data")).splitlines()
    embedded = dict(line.split("=", 1) for line in lines if "=" in line)
    promises = (
        "auto.create.topics.enable",
        "offsets.retention.minutes",
        "group.initial.rebalance.delay.ms",
        "default.replication.factor",
        "min.insync.replicas",
        "offsets.topic.replication.factor",
        "transaction.state.log.replication.factor",
        "transaction.state.log.min.isr",
        "share.coordinator.state.topic.replication.factor",
        "share.coordinator.state.topic.min.isr",
    )
    kafka = compose_file.environment(SERVICES["kafka"])
    for promise in promises:
        assert kafka["KAFKA_" + promise.upper().replace(".", "_")] == embedded[promise], promise

"""Servers in containers are those of the compose file, at other ports, and skipped without an engine."""

import pytest

from adapters.settings import load_settings
from tests import compose_file, containers

PORTS = {"kafka": 40001, "registry": 40002, "postgres": 40003, "store": 40004}
PLANS = {plan.name: plan for plan in containers.plans(PORTS)}


def test_images_and_commands_are_those_of_the_compose_file() -> None:
    services = compose_file.services()
    assert set(PLANS) == set(compose_file.SERVERS)
    for name, plan in PLANS.items():
        assert plan.image == services[name]["image"]
        assert list(plan.command) == services[name].get("command", [])
        assert [f"{name}:{folder}" for folder in plan.volumes] == services[name].get("volumes", [])
        assert plan.healthcheck["test"] == services[name]["healthcheck"]["test"]


def test_the_store_has_a_folder_to_keep_things_in() -> None:
    """Its image has none: without a volume there the gateway would not start."""
    assert PLANS["store"].volumes == (PLANS["store"].command[-1],) == ("/data",)


def test_whatever_needs_another_starts_after_it() -> None:
    order = list(PLANS)
    services = compose_file.services()
    for name in order:
        assert set(services[name].get("depends_on", {})) <= set(order[: order.index(name)])


def test_the_broker_tells_clients_where_it_is_published() -> None:
    advertised = PLANS["kafka"].environment["KAFKA_ADVERTISED_LISTENERS"]
    assert advertised == "INSIDE://kafka:9092,OUTSIDE://127.0.0.1:40001"
    assert (PLANS["kafka"].port, PLANS["kafka"].host_port) == (19092, 40001)


def test_the_addresses_are_settings_that_work() -> None:
    found = containers.addresses(containers.plans(PORTS))
    settings = load_settings(found)
    assert settings.kafka.bootstrap_servers == "127.0.0.1:40001"
    assert settings.registry.url == "http://127.0.0.1:40002/apis/ccompat/v7"
    assert ":40003/darkroom" in settings.postgres.url.get_secret_value()
    assert settings.store.endpoint == settings.store.public_endpoint == "http://127.0.0.1:40004"


def test_without_an_engine_it_skips_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    with (
        pytest.raises(pytest.skip.Exception, match="needs a container engine that answers"),
        containers.running_containers(),
    ):
        pass

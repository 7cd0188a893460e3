"""Rate limits at the doors: who is counted by what, what the refusal says, and who may name a network."""

from typing import Any

import pytest
import structlog

from adapters.settings import SettingsError, load_settings
from api.limits.networks import network_of, pseudonym
from tests.unit.api.doors import BEN, ROOT, Stage, stage
from tests.unit.api.people import is_problem
from tests.unit.api.test_uploads import PRESIGN


async def statuses(on: Stage, times: int, path: str = "/v1/assets", key: str | None = None) -> list[int]:
    client = on.client(key) if key else on.client()
    return [(await client.get(path)).status_code for _ in range(times)]


async def test_h10_reads_end_at_their_rate_and_begin_again() -> None:
    async with stage(RATE_READS="5/hour") as on:
        assert await statuses(on, 6) == [200] * 5 + [429]
        answer = await on.client().get("/v1/assets")
        is_problem(answer, 429, "too-many-requests")
        wait = int(answer.headers["retry-after"])
        assert 0 < wait <= 720
        assert answer.headers["ratelimit-policy"] == '"reads";q=5;w=3600'
        assert await statuses(on, 1, key=BEN) == [200]
        on.clock.time = on.clock.time.fromtimestamp(on.clock.time.timestamp() + wait, on.clock.time.tzinfo)
        assert await statuses(on, 2) == [200, 429]


async def test_h10_reads_writes_and_uploads_are_counted_apart() -> None:
    async with stage(RATE_READS="1/hour", RATE_UPLOADS="2/hour") as on:
        assert await statuses(on, 2) == [200, 429]
        answers = [await on.client().post("/v1/uploads/presign", json=PRESIGN) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [201, 201, 429]
        assert len(on.events()) == 2


async def test_h10_a_key_has_a_rate_of_its_own() -> None:
    async with stage(RATE_KEYS="2/hour") as on:
        assert await statuses(on, 3) == [200, 200, 429]
        assert await statuses(on, 1, key=ROOT) == [200]


@pytest.mark.parametrize("path", ["/v1/nothing", "/openapi.json", "/v1/assets", "/docs"])
async def test_h10_strangers_are_counted_by_network(path: str) -> None:
    async with stage(RATE_STRANGERS="2/hour") as on:
        answers = [await on.client(None).get(path) for _ in range(3)]
        is_problem(answers[2], 429, "too-many-requests")
        assert answers[2].headers["x-content-type-options"] == "nosniff"
        assert 429 not in [answer.status_code for answer in answers[:2]]
        assert await statuses(on, 3) == [200] * 3
        assert (await on.client(None).get("/health")).status_code == 200


async def test_h10_wrong_credentials_are_counted_by_network() -> None:
    async with stage(RATE_STRANGERS="2/hour") as on:
        answers = [await on.client(f"wrong-{number}").get("/v1/assets") for number in range(3)]
        assert [answer.status_code for answer in answers] == [401, 401, 429]
        assert await statuses(on, 1) == [200]


async def test_l03_refusals_are_security_events_and_counted() -> None:
    async with stage(RATE_READS="1/hour") as on:
        with structlog.testing.capture_logs() as lines:
            await statuses(on, 2)
            await on.client("wrong").get("/v1/assets")
            await on.client().get("/health", headers={"host": "evil.example"})
        said = {line["event"]: line for line in lines if line.get("security")}
        assert said.keys() == {"rate_limited", "authentication_failed", "unknown_host"}
        assert {line["log_level"] for line in said.values()} == {"warning"}
        for event in said:
            value = on.metrics.registry.get_sample_value("darkroom_security_events_total", {"event": event})
            assert value == 1.0


async def test_h10_without_counters_reads_go_on(on: Stage) -> None:
    on.counters.away = True
    assert await statuses(on, 3) == [200] * 3


@pytest.mark.parametrize(
    ("client", "network"),
    [
        (("192.0.2.7", 1), "192.0.2.7"),
        (("::ffff:192.0.2.7", 1), "192.0.2.7"),
        (("2001:db8:1:2:3:4:5:6", 1), "2001:db8:1:2::/64"),
        (("2001:db8:1:2:ffff::1", 1), "2001:db8:1:2::/64"),
        (("not an address", 0), "unknown"),
        (("1" * 5000, 0), "unknown"),
        (None, "unknown"),
    ],
)
def test_a_network_is_what_one_customer_has(client: Any, network: str) -> None:
    assert network_of({"type": "http", "client": client}) == network


def test_logs_name_a_network_without_telling_it() -> None:
    name = pseudonym("192.0.2.7", b"s" * 32)
    assert name == pseudonym("192.0.2.7", b"s" * 32) != pseudonym("192.0.2.8", b"s" * 32)
    assert "192" not in pseudonym("192.0.2.7", b"other")


def test_in_production_proxies_are_named() -> None:
    warnings = load_settings({"TRUSTED_PROXIES": "*"}).warnings
    assert any(warning.startswith("TRUSTED_PROXIES") for warning in warnings)


@pytest.mark.parametrize("proxies", ["proxy.example", "10.0.0.1/8", "10.0.0.300", "10.0.0.1,x"])
def test_a_proxy_that_is_no_address_stops_the_start(proxies: str) -> None:
    with pytest.raises(SettingsError, match="TRUSTED_PROXIES must be addresses or networks"):
        load_settings({"TRUSTED_PROXIES": proxies})
    assert load_settings({"TRUSTED_PROXIES": "10.0.0.1, ::1"}).doors.trusted_proxies == (
        "10.0.0.1/32",
        "::1/128",
    )

"""Guessing passwords: throttled by account and by network, however it is spread, and told nothing (A16)."""

import os
import statistics
import time

import pytest
import structlog

from adapters.password_hashes import PasswordHashes
from tests.unit.api.doors import Stage, stage
from tests.unit.api.people import OTHER, PASSWORD, is_problem, log_in, register, somebody

MEASURED = int(os.environ.get("LOGIN_TIMINGS", "0"))


async def statuses(on: Stage, times: int, email: str = "ada@example.org", **headers: str) -> list[int]:
    return [(await log_in(on, email, OTHER, **headers)).status_code for _ in range(times)]


async def test_a16_a_hundred_wrong_passwords_for_one_account() -> None:
    async with stage() as on:
        await register(on)
        answered = await statuses(on, 100)
        assert answered == [401] * 10 + [429] * 90
        refused = await log_in(on)
        is_problem(refused, 429, "too-many-requests")
        assert 0 < int(refused.headers["retry-after"]) <= 90
        assert (await register(on, "ben@example.org")).status_code == 201
        assert (await log_in(on, "ben@example.org")).status_code == 200


async def test_a16_any_spelling_of_an_address_is_the_same_account() -> None:
    async with stage(RATE_LOGIN_ACCOUNT="3/hour") as on:
        spellings = ("ada@example.org", "ADA@Example.ORG", "ada@EXAMPLE.org", "Ada@example.org")
        answered = [status for email in spellings for status in await statuses(on, 1, email)]
        assert answered == [401] * 3 + [429]


async def test_a16_one_wrong_password_for_each_of_a_hundred_accounts() -> None:
    async with stage() as on:
        answered = [
            status for number in range(100) for status in await statuses(on, 1, f"user{number}@example.org")
        ]
        assert answered == [401] * 60 + [429] * 40


async def test_a16_a_header_makes_no_other_network() -> None:
    async with stage(RATE_LOGIN_NETWORK="5/hour") as on:
        answered = [
            status
            for number in range(8)
            for status in await statuses(
                on,
                1,
                f"user{number}@example.org",
                **{
                    "X-Forwarded-For": f"192.0.2.{number}",
                    "Forwarded": f"for=192.0.2.{number}",
                    "X-Real-IP": f"192.0.2.{number}",
                    "CF-Connecting-IP": f"192.0.2.{number}",
                },
            )
        ]
        assert answered == [401] * 5 + [429] * 3


async def test_a16_accounts_that_do_not_exist_are_throttled_alike() -> None:
    async with stage(RATE_LOGIN_ACCOUNT="4/hour") as on:
        await register(on)
        known, unknown = await statuses(on, 6), await statuses(on, 6, "nobody@example.org")
        assert known == unknown == [401] * 4 + [429] * 2


async def test_a16_right_passwords_use_nothing_up() -> None:
    async with stage(RATE_LOGIN_ACCOUNT="3/hour", RATE_LOGIN_NETWORK="3/hour") as on:
        await register(on)
        for _ in range(5):
            assert (await log_in(on)).status_code == 200
        assert await statuses(on, 4) == [401] * 3 + [429]


async def test_a16_changing_a_password_is_no_way_to_guess_it() -> None:
    async with stage(RATE_LOGIN_ACCOUNT="3/hour") as on:
        person = await somebody(on)
        body = {"old": OTHER, "new": PASSWORD + " again"}
        answers = [await person.client().post("/v1/auth/password", json=body) for _ in range(5)]
        assert [answer.status_code for answer in answers] == [401] * 3 + [429] * 2


async def test_a16_without_counters_nobody_guesses_and_sessions_go_on() -> None:
    async with stage() as on:
        person = await somebody(on)
        on.counters.away = True
        is_problem(await log_in(on), 503, "unavailable")
        is_problem(await register(on, "ben@example.org"), 503, "unavailable")
        assert (await person.client().get("/v1/auth/me")).status_code == 200
        assert (await person.refreshed()).status_code == 200


async def test_a16_registrations_are_counted_by_network() -> None:
    async with stage(RATE_REGISTRATIONS="2/hour") as on:
        answers = [await register(on, f"user{number}@example.org") for number in range(3)]
        assert [answer.status_code for answer in answers] == [201, 201, 429]


async def test_l03_wrong_and_right_logins_are_told_without_naming_anybody(on: Stage) -> None:
    await register(on)
    with structlog.testing.capture_logs() as lines:
        await log_in(on, password=OTHER)
        await log_in(on, "nobody@example.org")
        await log_in(on)
    told = [line["event"] for line in lines if line.get("security")]
    assert told == ["login_failed", "login_failed", "login_succeeded"]
    assert not [line for line in lines if "example.org" in str(line) or OTHER in str(line)]


async def test_a16_somebody_and_nobody_take_one_hash_each(on: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    await register(on)
    hashed: list[bool] = []
    true_check = PasswordHashes._checked

    def counted(self: PasswordHashes, password: str, known: str | None) -> object:
        hashed.append(known is not None)
        return true_check(self, password, known)

    monkeypatch.setattr(PasswordHashes, "_checked", counted)
    await log_in(on, password=OTHER)
    await log_in(on, "nobody@example.org")
    await log_in(on, "no address at all")
    assert hashed == [True, False, False]


@pytest.mark.skipif(not MEASURED, reason="LOGIN_TIMINGS=200 measures so many pairs of logins")
async def test_a16_somebody_and_nobody_take_the_same_time() -> None:
    async with stage(RATE_LOGIN_ACCOUNT="off", RATE_LOGIN_NETWORK="off", RATE_STRANGERS="off") as on:
        await register(on)
        taken: dict[str, list[float]] = {"ada@example.org": [], "nobody@example.org": []}
        for _ in range(MEASURED):
            for email, times in taken.items():
                began = time.perf_counter()
                await log_in(on, email, OTHER)
                times.append(time.perf_counter() - began)
        known, unknown = (statistics.median(times) for times in taken.values())
        assert abs(known - unknown) / unknown < 0.05, (known, unknown)

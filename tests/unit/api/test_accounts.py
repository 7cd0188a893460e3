"""Registering, logging in, changing the password: what people get, and what the log is told."""

import asyncio

import pytest

from adapters.event_log import LogUnavailable, OutcomeUnknown
from adapters.password_hashes import PasswordHashes
from schemas.events import PasswordChanged, SessionStarted, UserRegistered
from schemas.identity import user_id_of
from schemas.positions import Position
from tests.unit.api.doors import Stage
from tests.unit.api.people import (
    OTHER,
    PASSWORD,
    appended,
    is_problem,
    kinds,
    log_in,
    password_changed,
    person_of,
    register,
    somebody,
    told,
)


async def test_registering_makes_an_account_and_logs_in(on: Stage) -> None:
    answer = await register(on, "Ada@Example.ORG")
    assert answer.status_code == 201
    said = answer.json()
    assert said.keys() == {"user_id", "email", "access_token", "refresh_token", "expires_in"}
    assert (said["email"], said["expires_in"]) == ("Ada@example.org", 900)
    assert answer.headers["cache-control"] == "no-store"
    assert Position.from_token(answer.headers["darkroom-position"]).topic == on.log.topics.identity
    registered, started = told(on)
    assert isinstance(registered, UserRegistered)
    assert isinstance(started, SessionStarted)
    assert registered.user_id == user_id_of(registered.event_id) == started.user_id
    assert str(registered.user_id) == said["user_id"]
    me = (await person_of(on, answer).client().get("/v1/auth/me")).json()
    assert (me["user_id"], me["email"], me["role"]) == (said["user_id"], "Ada@example.org", "user")
    assert me["session_id"] == str(started.session_id)


async def test_nothing_personal_stands_in_the_open_parts_of_the_log(on: Stage) -> None:
    await register(on, "ada.lovelace@example.org")
    await log_in(on, "ada.lovelace@example.org")
    whole = b"".join(
        record.value + bytes(record.key or b"") + b"".join(value for _, value in record.headers)
        for record in on.log.records
        if record.value is not None
    )
    assert b"lovelace" not in whole
    assert b"argon2" not in whole
    assert PASSWORD.encode() not in whole


@pytest.mark.parametrize("other", ["ada@example.org", "ADA@EXAMPLE.org", "\uff41da@example.org"])
async def test_an_address_that_is_taken_is_refused_and_costs_no_record(on: Stage, other: str) -> None:
    await register(on)
    before = len(on.log.records)
    is_problem(await register(on, other, OTHER), 409, "address-taken")
    assert len(on.log.records) == before


async def test_of_many_who_register_one_address_at_once_one_gets_it(on: Stage) -> None:
    on.accounts.following = False
    answers = await asyncio.gather(*(register(on) for _ in range(8)))
    assert kinds(on) == ["UserRegistered"] * 8
    on.accounts.following = True
    # Without a projector in time they are told to ask again; by their own key each then hears the truth.
    keys = [is_problem(answer, 503, "pending")["idempotency_key"] for answer in answers]
    again = await asyncio.gather(*(register(on, **{"Idempotency-Key": key}) for key in keys))
    assert sorted(answer.status_code for answer in again) == [201] + [409] * 7
    assert kinds(on).count("UserRegistered") == 8  # nobody said it twice


@pytest.mark.parametrize("email", ["ada", "ada@", "ada@example", "a b@example.org", "ada@[::1]"])
async def test_what_is_no_address_is_said_to_be_none(on: Stage, email: str) -> None:
    said = is_problem(await register(on, email), 422, "invalid-request")
    assert [error["location"] for error in said["errors"]] == ["body.email"]
    assert email not in said["errors"][0]["message"]


@pytest.mark.parametrize("password", ["password", "ada@example.org", "short", "x" * 999, "qwertyuiop"])
async def test_a_weak_password_is_refused(on: Stage, password: str) -> None:
    said = is_problem(await register(on, password=password), 422, "invalid-request")
    assert [error["location"] for error in said["errors"]] == ["body.password"]
    assert told(on) == []


async def test_a19_nobody_registers_with_a_role(on: Stage) -> None:
    body = {"email": "ada@example.org", "password": PASSWORD, "role": "admin"}
    is_problem(await on.client(None).post("/v1/auth/register", json=body), 422, "invalid-request")
    assert told(on) == []


async def test_a_registration_repeats_under_its_key(on: Stage) -> None:
    key = {"Idempotency-Key": "register-ada"}
    first, second = await register(on, **key), await register(on, **key)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["user_id"] == second.json()["user_id"]
    assert first.json()["refresh_token"].split(".")[0] == "dr1"
    assert kinds(on).count("UserRegistered") == 1
    sessions = (await person_of(on, second).client().get("/v1/auth/sessions")).json()["items"]
    assert len(sessions) == 1
    is_problem(await register(on, password=OTHER, **key), 422, "idempotency-key-reused")
    is_problem(await register(on), 409, "address-taken")


async def test_without_a_projector_nothing_is_begun(on: Stage) -> None:
    on.accounts.projects = False
    answer = await register(on)
    is_problem(answer, 503, "projector-unavailable")
    assert int(answer.headers["retry-after"]) > 0
    assert on.log.records == []


async def test_a_registration_that_was_not_decided_in_time_names_its_key(on: Stage) -> None:
    on.accounts.following = False
    answer = await register(on)
    said = is_problem(answer, 503, "pending")
    assert answer.headers["retry-after"] == "1"
    on.accounts.following = True
    again = await register(on, **{"Idempotency-Key": said["idempotency_key"]})
    assert again.status_code == 201
    assert kinds(on).count("UserRegistered") == 1


async def test_a_registration_of_which_nobody_knows_whether_it_landed_names_its_key(on: Stage) -> None:
    on.log.failure, on.log.lands_anyway = OutcomeUnknown("cut"), True
    said = is_problem(await register(on, **{"Idempotency-Key": "mine"}), 503, "pending")
    assert said["idempotency_key"] == "mine"
    on.log.failure = None
    assert (await register(on, **{"Idempotency-Key": "mine"})).status_code == 201
    assert kinds(on) == ["UserRegistered", "SessionStarted"]


async def test_without_the_log_nobody_registers_or_logs_in(on: Stage) -> None:
    await register(on)
    on.log.failure = LogUnavailable("away")
    is_problem(await register(on, "ben@example.org"), 503, "log-unavailable")
    is_problem(await log_in(on), 503, "log-unavailable")


async def test_logging_in_takes_the_address_in_any_spelling(on: Stage) -> None:
    made = await somebody(on)
    for spelling in ("ada@example.org", "ADA@example.ORG"):
        answer = await log_in(on, spelling)
        assert answer.status_code == 200
        assert answer.json()["user_id"] == str(made.user_id)
    started = [event for event in told(on) if isinstance(event, SessionStarted)]
    assert [event.kind for event in started] == ["register", "login", "login"]
    assert [event.expected_version for event in started] == [None, 1, 1]


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("ada@example.org", OTHER),
        ("ada@example.org", PASSWORD + " "),
        ("ben@example.org", PASSWORD),
        ("no address", PASSWORD),
        ("ada@example.org", "x" * 999),
    ],
)
async def test_who_is_wrong_is_not_told_in_what(on: Stage, email: str, password: str) -> None:
    await register(on)
    said = is_problem(await log_in(on, email, password), 401, "wrong-credentials")
    said.pop("instance")
    other = (await log_in(on, "nobody@example.org", "whatever else it is")).json()
    other.pop("instance")
    assert said == other
    assert kinds(on) == ["UserRegistered", "SessionStarted"]


async def test_a_login_repeats_under_its_key(on: Stage) -> None:
    await register(on)
    key = {"Idempotency-Key": "log-me-in"}
    first, second = await log_in(on, **key), await log_in(on, **key)
    ada = person_of(on, second)
    assert len((await ada.client().get("/v1/auth/sessions")).json()["items"]) == 2
    assert person_of(on, first).user_id == ada.user_id
    assert (await ada.client().post("/v1/auth/logout")).status_code == 204
    third = person_of(on, await log_in(on, **key))  # the session of that key has ended: another begins
    assert (await third.client().get("/v1/auth/me")).status_code == 200


async def test_an_older_hash_is_made_anew_at_login_and_ends_nothing(on: Stage) -> None:
    older = PasswordHashes(threads=1, queue=8, passes=2, memory_kib=8)
    today, on.parts.identity.passwords._argon2 = on.parts.identity.passwords._argon2, older._argon2
    ada = await somebody(on)
    on.parts.identity.passwords._argon2 = today
    older.close()
    assert (await log_in(on)).status_code == 200
    changed = [event for event in told(on) if isinstance(event, PasswordChanged)]
    assert [(event.code, event.expected_version) for event in changed] == [("rehashed", 1)]
    assert (await log_in(on)).status_code == 200
    assert kinds(on).count("PasswordChanged") == 1
    assert (await ada.client().get("/v1/auth/me")).status_code == 200
    assert (await ada.refreshed()).status_code == 200


async def test_changing_the_password_ends_all_sessions_but_this_one(on: Stage) -> None:
    ada, elsewhere = await somebody(on), person_of(on, await log_in(on))
    answer = await ada.client().post("/v1/auth/password", json={"old": PASSWORD, "new": OTHER})
    assert answer.status_code == 204
    assert "darkroom-position" in answer.headers
    is_problem(await log_in(on), 401, "wrong-credentials")
    assert (await log_in(on, password=OTHER)).status_code == 200
    assert (await ada.refreshed()).status_code == 200
    is_problem(await elsewhere.refreshed(), 401, "refresh-refused")


async def test_a_password_change_needs_the_old_one_and_a_good_new_one(on: Stage) -> None:
    ada = await somebody(on)
    client = ada.client()
    wrong = await client.post("/v1/auth/password", json={"old": OTHER, "new": "eleven green hats"})
    is_problem(wrong, 401, "wrong-credentials")
    for new in ("password", PASSWORD):
        weak = await client.post("/v1/auth/password", json={"old": PASSWORD, "new": new})
        is_problem(weak, 422, "invalid-request")
    assert "PasswordChanged" not in kinds(on)


async def test_a_password_change_repeats_under_its_key(on: Stage) -> None:
    client = (await somebody(on)).client(**{"Idempotency-Key": "change"})
    body = {"old": PASSWORD, "new": OTHER}
    answers = [await client.post("/v1/auth/password", json=body) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [204, 204]
    assert kinds(on).count("PasswordChanged") == 1
    other = await client.post("/v1/auth/password", json={"old": PASSWORD, "new": "eleven green hats"})
    is_problem(other, 422, "idempotency-key-reused")


async def test_two_password_changes_at_once_have_one_winner(on: Stage) -> None:
    ada = await somebody(on)
    on.accounts.following = False
    body = {"old": PASSWORD, "new": OTHER}
    answers = [await ada.client().post("/v1/auth/password", json=body) for _ in range(2)]
    keys = [answer.json()["idempotency_key"] for answer in answers]
    on.accounts.following = True
    again = [
        await ada.client(**{"Idempotency-Key": key}).post("/v1/auth/password", json=body) for key in keys
    ]
    assert [answer.status_code for answer in again] == [204, 401]  # the other's old password is no more


async def test_a_login_that_checked_the_old_password_does_not_outlive_its_change(on: Stage) -> None:
    ada = await somebody(on)
    on.accounts.following = False  # the change is in the log, and this door does not know yet
    await appended(on, await password_changed(on, ada))
    thief = person_of(on, await log_in(on))
    assert (await thief.refreshed()).status_code == 200
    on.accounts.following = True
    is_problem(await thief.refreshed(), 401, "refresh-refused")
    sessions = await on.accounts.live_sessions(ada.user_id, on.clock.now(), 10)
    assert sessions == []


async def test_while_rows_are_made_anew_nobody_is_told_that_they_are_wrong(on: Stage) -> None:
    await register(on)
    on.accounts.states.clear()  # as after a reset of the read models
    on.accounts.projects = False
    is_problem(await log_in(on), 503, "projector-unavailable")
    key = on.client("drk_aaaaaaaa_" + "a" * 43)
    is_problem(await key.get("/v1/assets"), 503, "projector-unavailable")
    on.accounts.projects = True
    is_problem(await log_in(on, "nobody@example.org"), 401, "wrong-credentials")
    is_problem(await key.get("/v1/assets"), 401, "unauthenticated")

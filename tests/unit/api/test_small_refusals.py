"""What strangers and repetitions may cost: no query, no wait, no unthrottled password, no second record."""

import pytest

from tests.unit.api.doors import ADA, ROOT, Stage, stage
from tests.unit.api.people import OTHER, is_problem, kinds, log_in, person_of, register, somebody


async def test_h10_keys_that_nobody_has_are_counted_before_they_are_looked_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with stage(RATE_STRANGERS="4/hour") as on:
        ada = await somebody(on)  # the first stranger
        body = {"name": "reads", "scopes": ["assets:read"]}
        known = (await ada.client().post("/v1/api-keys", json=body)).json()["key"]
        assert (await on.client(known).get("/v1/assets")).status_code == 200
        asked: list[str] = []
        look_up = on.accounts.keys_by_prefix

        async def counted(prefix: str) -> object:
            asked.append(prefix)
            return await look_up(prefix)

        monkeypatch.setattr(on.accounts, "keys_by_prefix", counted)
        unknown = known[:-1] + ("a" if known[-1] != "a" else "b")
        answered = [(await on.client(unknown).get("/v1/assets")).status_code for _ in range(5)]
        assert answered == [401] * 3 + [429] * 2
        assert len(asked) == 3
        assert (await on.client(known).get("/v1/assets")).status_code == 200


async def test_h10_a_key_that_is_right_uses_nothing_up() -> None:
    async with stage(RATE_STRANGERS="2/hour") as on:
        ada = await somebody(on)  # the first stranger
        for number in range(3):  # each has to be looked up once
            body = {"name": f"key {number}", "scopes": ["assets:read"]}
            key = (await ada.client().post("/v1/api-keys", json=body)).json()["key"]
            assert (await on.client(key).get("/v1/assets")).status_code == 200


async def test_strangers_wait_for_no_position_at_an_erasure(
    on: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[object] = []

    async def wait_for(*args: object) -> None:
        waited.append(args)

    monkeypatch.setattr(on.reads, "wait_for", wait_for)
    path = "/v1/erasures/0199a8e4-7c1d-8b6e-9f00-2f5a6f1f8e11"
    ada = await somebody(on)
    after = (await ada.client().delete("/v1/auth/sessions/" + await _session(on))).headers[
        "Darkroom-Position"
    ]
    waited.clear()
    is_problem(await on.client(None).get(path, params={"after": after}), 404, "not-found")
    on.accounts.projects = False
    is_problem(await on.client(None).get(path), 503, "projector-unavailable")
    assert waited == []


async def _session(on: Stage) -> str:
    other = person_of(on, await log_in(on))
    return str((await other.client().get("/v1/auth/me")).json()["session_id"])


async def test_a16_a_repeated_registration_is_no_way_to_guess_a_password() -> None:
    async with stage(RATE_LOGIN_ACCOUNT="2/hour") as on:
        key = {"Idempotency-Key": "mine"}
        assert (await register(on, **key)).status_code == 201
        guesses = [(await register(on, password=OTHER, **key)).status_code for _ in range(4)]
        assert guesses == [422] * 2 + [429] * 2


async def test_a_session_that_has_ended_ends_no_second_time(on: Stage) -> None:
    ada = await somebody(on)
    path = "/v1/auth/sessions/" + await _session(on)
    answers = [(await ada.client().delete(path)).status_code for _ in range(3)]
    assert answers == [204] * 3
    assert kinds(on).count("SessionRevoked") == 1


async def test_a_key_that_was_revoked_is_revoked_no_second_time(on: Stage) -> None:
    ada = await somebody(on)
    body = {"name": "reads", "scopes": ["assets:read"]}
    key_id = (await ada.client().post("/v1/api-keys", json=body)).json()["id"]
    answers = [await ada.client().delete(f"/v1/api-keys/{key_id}") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [204] * 3
    assert len({answer.headers["Darkroom-Position"] for answer in answers}) == 1
    assert kinds(on).count("ApiKeyRevoked") == 1


async def test_the_audit_knows_which_events_there_are(on: Stage) -> None:
    said = is_problem(
        await on.client(ROOT).get("/v1/audit", params={"action": "Nonsense"}), 422, "invalid-request"
    )
    (error,) = said["errors"]
    assert error["location"] == "query.action"
    assert "RoleChanged" in error["message"]
    assert "UploadCompleted" in error["message"]
    assert (await on.client(ADA).get("/v1/assets")).status_code == 200

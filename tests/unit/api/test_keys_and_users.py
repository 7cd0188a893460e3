"""A21, A22, A25: keys that people issue; users, roles, erasure and audit, and who may see and do what."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from schemas.events import ApiKeyIssued, RoleChanged, SubjectErased
from schemas.positions import Position
from tests.unit.api.doors import JPEG, ROOT, Stage, stage, upload
from tests.unit.api.people import (
    OTHER,
    PASSWORD,
    Person,
    appended,
    erase,
    is_problem,
    kinds,
    log_in,
    person_of,
    register,
    role_changed,
    somebody,
    told,
)


async def issue(person: Person, *scopes: str, **other: Any) -> httpx.Response:
    headers = other.pop("headers", {})
    body = {"name": "nightly backup", "scopes": list(scopes or ("assets:read",)), **other}
    return await person.client(**headers).post("/v1/api-keys", json=body)


async def test_a21_a_key_is_shown_once_and_kept_as_a_hash(on: Stage) -> None:
    ada = await somebody(on)
    answer = await issue(ada, "assets:write", "assets:read", "assets:read")
    assert answer.status_code == 201
    said = answer.json()
    assert said["scopes"] == ["assets:read", "assets:write"]
    assert answer.headers["cache-control"] == "no-store"
    (issued,) = [event for event in told(on) if isinstance(event, ApiKeyIssued)]
    secret = said["key"].split("_", 2)[2]
    whole = b"".join(bytes(record.value or b"") for record in on.log.records)
    assert secret.encode() not in whole
    assert b"nightly" not in whole
    assert len(issued.hash) == 32
    (listed,) = (await ada.client().get("/v1/api-keys")).json()["items"]
    assert (listed["prefix"], listed["name"]) == (said["prefix"], "nightly backup")
    assert secret not in str(listed)
    assert "hash" not in listed


async def test_a21_a_key_acts_within_its_scopes(on: Stage) -> None:
    ada = await somebody(on)
    reads = on.client((await issue(ada, "assets:read")).json()["key"])
    writes = on.client((await issue(ada, "assets:write")).json()["key"])
    assert (await reads.get("/v1/assets")).status_code == 200
    files = {"file": ("harbour.jpg", JPEG, "image/jpeg")}
    said = is_problem(await reads.post("/v1/uploads", files=files), 403, "scope-missing")
    assert said["scope"] == "assets:write"
    assert (await writes.post("/v1/uploads", files=files)).status_code == 202
    is_problem(await writes.get("/v1/assets"), 403, "scope-missing")
    on.reads.catch_up()
    (item,) = (await reads.get("/v1/assets")).json()["items"]
    assert (await ada.client().get(f"/v1/assets/{item['id']}")).status_code == 200
    me = (await reads.get("/v1/auth/me")).json()
    assert (me["user_id"], me["scopes"], me["session_id"]) == (str(ada.user_id), ["assets:read"], None)


async def test_a22_a_key_makes_no_keys_and_changes_no_password(on: Stage) -> None:
    root = await somebody(on, role="admin")
    key = on.client((await issue(root, "admin", "assets:read", "assets:write", "generate")).json()["key"])
    calls = [
        await key.post("/v1/api-keys", json={"name": "x", "scopes": ["assets:read"]}),
        await key.get("/v1/api-keys"),
        await key.delete(f"/v1/api-keys/{uuid4()}"),
        await key.post("/v1/auth/password", json={"old": PASSWORD, "new": "seven blue boats on a lake"}),
        await key.get("/v1/auth/sessions"),
        await key.delete(f"/v1/auth/sessions/{uuid4()}"),
        await key.post("/v1/auth/logout"),
    ]
    for answer in calls:
        is_problem(answer, 403, "person-needed")
    assert (await key.get("/v1/users")).status_code == 200


async def test_an_administrators_key_without_that_scope_is_no_administrator(on: Stage) -> None:
    root = await somebody(on, role="admin")
    key = on.client((await issue(root, "assets:read")).json()["key"])
    said = is_problem(await key.get("/v1/users"), 403, "scope-missing")
    assert said["scope"] == "admin"


async def test_nobody_issues_what_they_may_not_do(on: Stage) -> None:
    ada = await somebody(on)
    for answer in (
        await issue(ada, "admin"),
        await issue(ada, "everything"),
        await ada.client().post("/v1/api-keys", json={"name": "x", "scopes": []}),
        await issue(ada, expires_at="2026-05-17T08:09:10Z"),
        await issue(ada, expires_at="2027-05-17T08:09:10"),
        await issue(ada, expires_at="9999-12-31T23:59:59-00:01"),  # in UTC it has no year any more
        await issue(ada, name=""),
        await issue(ada, owner_id=str(uuid4())),
    ):
        is_problem(answer, 422, "invalid-request")
    assert "ApiKeyIssued" not in kinds(on)


async def test_an_administrators_key_is_worth_less_when_they_are_none_any_more(on: Stage) -> None:
    root = await somebody(on, role="admin")
    key = on.client((await issue(root, "admin")).json()["key"])
    assert (await key.get("/v1/users")).status_code == 200
    change = {"role": "user"}
    assert (await on.client(ROOT).patch(f"/v1/users/{root.user_id}", json=change)).status_code == 200
    on.parts.identity.denials.account_changed(root.user_id, version=3, kept=None)
    is_problem(await key.get("/v1/users"), 403, "not-allowed")


async def test_keys_end_with_their_time(on: Stage) -> None:
    ada = await somebody(on)
    key = on.client((await issue(ada, expires_at="2026-05-17T09:00:00Z")).json()["key"])
    assert (await key.get("/v1/assets")).status_code == 200
    on.clock.advance(timedelta(minutes=51))
    is_problem(await key.get("/v1/assets"), 401, "unauthenticated")


async def test_a21_a_revoked_key_is_refused_at_once_and_only_its_person_revokes_it(on: Stage) -> None:
    ada, ben = await somebody(on), await somebody(on, "ben@example.org")
    said = (await issue(ada)).json()
    key = on.client(said["key"])
    assert (await key.get("/v1/assets")).status_code == 200
    for stranger, target in ((ben, said["id"]), (ada, str(uuid4()))):
        is_problem(await stranger.client().delete(f"/v1/api-keys/{target}"), 404, "not-found")
    for _ in range(2):
        assert (await ada.client().delete(f"/v1/api-keys/{said['id']}")).status_code == 204
    is_problem(await key.get("/v1/assets"), 401, "unauthenticated")
    assert (await ada.client().get("/v1/api-keys")).json()["items"] == []


async def test_a_key_says_when_it_was_last_used(on: Stage) -> None:
    ada = await somebody(on)
    said = (await issue(ada)).json()
    (before,) = (await ada.client().get("/v1/api-keys")).json()["items"]
    assert before["last_used_at"] is None
    on.clock.advance(timedelta(minutes=1))
    await on.client(said["key"]).get("/v1/assets")
    await on.parts.identity.uses.flush()
    (after,) = (await ada.client().get("/v1/api-keys")).json()["items"]
    assert after["last_used_at"] == "2026-05-17T08:10:10Z"


async def test_without_a_database_a_key_is_not_believed_blindly(on: Stage) -> None:
    ada = await somebody(on)
    known, unknown = (await issue(ada)).json()["key"], (await issue(ada)).json()["key"]
    assert (await on.client(known).get("/v1/auth/me")).status_code == 200
    on.accounts.down = True
    is_problem(await on.client(unknown).get("/v1/auth/me"), 503, "read-store-unavailable")
    is_problem(await on.client("drk_aaaaaaaa_" + "a" * 43).get("/v1/auth/me"), 503, "read-store-unavailable")


async def test_issuing_repeats_under_its_key_and_shows_the_same_secret(on: Stage) -> None:
    ada = await somebody(on)
    headers = {"Idempotency-Key": "issue"}
    first, second = await issue(ada, headers=headers), await issue(ada, headers=headers)
    assert first.json() == second.json()
    assert len((await ada.client().get("/v1/api-keys")).json()["items"]) == 1
    other = await issue(ada, "assets:write", headers=headers)
    is_problem(other, 422, "idempotency-key-reused")


async def test_there_are_only_so_many_keys(on: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.commands.issue_api_key.MOST_KEYS", 2)
    ada = await somebody(on)
    assert [(await issue(ada)).status_code for _ in range(2)] == [201, 201]
    is_problem(await issue(ada), 409, "too-many-keys")


async def test_administrators_list_users_page_by_page(on: Stage) -> None:
    root = await somebody(on, role="admin")
    for name in ("ben", "cy", "dee"):
        on.clock.advance(timedelta(seconds=1))
        await register(on, f"{name}@example.org")
    client, seen, query = root.client(), [], "?limit=2"
    while query:
        answer = await client.get(f"/v1/users{query}")
        seen += [item["email"] for item in answer.json()["items"]]
        following = answer.json()["next_cursor"]
        query = f"?limit=2&cursor={following}" if following else ""
    assert seen == [f"{name}@example.org" for name in ("dee", "cy", "ben", "ada")]
    shown = (await client.get("/v1/users")).json()["items"][-1]
    assert shown.keys() == {"id", "email", "role", "version", "registered_at"}
    is_problem(await client.get("/v1/users?cursor=forged"), 422, "invalid-request")


async def test_an_administrator_changes_a_role_and_it_takes_effect_at_once(on: Stage) -> None:
    root, ada = await somebody(on, "root@example.org", role="admin"), await somebody(on)
    path = f"/v1/users/{ada.user_id}"
    answer = await root.client().patch(path, json={"role": "admin"})
    assert (answer.status_code, answer.json()["role"], answer.json()["version"]) == (200, "admin", 2)
    assert Position.from_token(answer.headers["darkroom-position"]).topic == on.log.topics.identity
    promoted = on.client((await ada.refreshed()).json()["access_token"])
    assert (await promoted.get("/v1/users")).status_code == 200
    again = await root.client().patch(path, json={"role": "admin"})
    assert again.json()["version"] == 2
    for wrong in ({"role": "root"}, {}, {"role": "user", "version": 9}):
        is_problem(await root.client().patch(path, json=wrong), 422, "invalid-request")
    nobody = await root.client().patch(f"/v1/users/{uuid4()}", json={"role": "admin"})
    is_problem(nobody, 404, "not-found")


async def test_a_role_that_was_decided_on_an_old_version_is_decided_again(on: Stage) -> None:
    root, ada = await somebody(on, "root@example.org", role="admin"), await somebody(on)
    faster = await role_changed(on, ada, "user")
    on.accounts.following = False
    await appended(on, faster)  # the log has it, this door does not know
    key = {"Idempotency-Key": "promote"}
    path = f"/v1/users/{ada.user_id}"
    is_problem(await root.client(**key).patch(path, json={"role": "admin"}), 503, "pending")
    on.accounts.following = True
    answer = await root.client(**key).patch(path, json={"role": "admin"})
    assert (answer.status_code, answer.json()["role"], answer.json()["version"]) == (200, "admin", 3)
    changed = [event for event in told(on) if isinstance(event, RoleChanged) and event.user_id == ada.user_id]
    assert [event.expected_version for event in changed] == [1, 1, 2]


async def test_people_erase_themselves_and_the_address_is_free(on: Stage) -> None:
    ada = await somebody(on)
    answer = await erase(ada)
    assert answer.status_code == 202
    said = answer.json()
    (erased,) = [event for event in told(on) if isinstance(event, SubjectErased)]
    assert str(erased.event_id) == said["erasure_id"]
    status = await on.client(None).get(said["status_url"])
    assert (status.status_code, status.json()["status"]) == (200, "running")
    assert status.json()["receipt"] is None
    is_problem(await ada.client().get("/v1/auth/me"), 401, "unauthenticated")
    is_problem(await ada.refreshed(), 401, "refresh-refused")
    is_problem(await log_in(on), 401, "wrong-credentials")
    again = person_of(on, await register(on))
    assert again.user_id != ada.user_id
    assert (await again.client().get("/v1/assets")).json()["items"] == []
    is_problem(await on.client(None).get(f"/v1/erasures/{uuid4()}"), 404, "not-found")


async def test_who_erases_their_account_shows_the_password_once_more(on: Stage) -> None:
    ada = await somebody(on)
    is_problem(await ada.client().delete(f"/v1/users/{ada.user_id}"), 415, "unsupported-media-type")
    is_problem(await erase(ada, {}), 422, "invalid-request")
    is_problem(await erase(ada, {"password": OTHER}), 401, "wrong-credentials")
    assert "SubjectErased" not in kinds(on)
    assert (await erase(ada)).status_code == 202


async def test_an_own_erasure_is_answered_again_under_its_key_and_to_nobody_else(on: Stage) -> None:
    """H11: the token that asked for it opens nothing any more, and still hears the same 202."""
    ada, ben = await somebody(on), await somebody(on, "ben@example.org")
    first, *others = [await erase(ada, **{"Idempotency-Key": "gone"}) for _ in range(3)]
    assert first.status_code == 202
    assert [(answer.status_code, answer.json()) for answer in others] == [(202, first.json())] * 2
    assert kinds(on).count("SubjectErased") == 1
    is_problem(await erase(ada, **{"Idempotency-Key": "other"}), 401, "unauthenticated")
    is_problem(await erase(ada), 401, "unauthenticated")
    stranger = on.client(None, **{"Idempotency-Key": "gone"})
    is_problem(await stranger.delete(f"/v1/users/{ada.user_id}"), 401, "unauthenticated")
    theirs = ben.client(**{"Idempotency-Key": "gone"})
    is_problem(await theirs.delete(f"/v1/users/{ada.user_id}"), 404, "not-found")


async def test_a_password_is_not_guessed_by_erasing(on: Stage) -> None:
    """A16: wrong ones count against the account, as at the login."""
    async with stage(RATE_LOGIN_ACCOUNT="3/hour") as limited:
        ada = await somebody(limited)
        said = [(await erase(ada, {"password": OTHER})).status_code for _ in range(4)]
        assert said == [401] * 3 + [429]


async def test_others_are_not_there_to_be_erased_but_by_administrators(on: Stage) -> None:
    ada, ben = await somebody(on), await somebody(on, "ben@example.org")
    key = on.client((await issue(ada, "assets:write")).json()["key"])
    for target in (ben.user_id, uuid4()):
        is_problem(await ada.client().delete(f"/v1/users/{target}"), 404, "not-found")
    is_problem(await key.delete(f"/v1/users/{ada.user_id}"), 403, "person-needed")
    admin = await somebody(on, "root@example.org", role="admin")
    is_problem(await admin.client().delete(f"/v1/users/{admin.user_id}"), 415, "unsupported-media-type")
    is_problem(await on.client(ROOT).delete(f"/v1/users/{uuid4()}"), 404, "not-found")
    assert (await on.client(ROOT).delete(f"/v1/users/{ben.user_id}")).status_code == 202
    assert "SubjectErased" in kinds(on)


async def test_machines_with_static_keys_are_known_but_no_persons(on: Stage) -> None:
    me = (await on.client().get("/v1/auth/me")).json()
    assert (me["email"], me["role"], me["session_id"]) == (None, "user", None)
    _, completed = await upload(on)
    assert me["user_id"] == str(completed.owner_id)
    is_problem(await on.client().get("/v1/auth/sessions"), 403, "person-needed")


async def test_an_erasure_repeats_under_its_key(on: Stage) -> None:
    ada = await somebody(on)
    root = on.client(ROOT, **{"Idempotency-Key": "erase"})
    answers = [await root.delete(f"/v1/users/{ada.user_id}") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json()["erasure_id"] == answers[1].json()["erasure_id"]
    assert kinds(on).count("SubjectErased") == 1
    is_problem(await on.client(ROOT).delete(f"/v1/users/{ada.user_id}"), 404, "not-found")

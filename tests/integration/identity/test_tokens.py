"""A10–A15, A21 on real servers: sessions survive what dies, end when they must, and do so everywhere."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import httpx

from adapters.settings.secrets import named_secrets
from ops.keys import following
from tests.integration.identity.running import WITHIN, RunningIdentity, somebody, until


def test_a11_a13_the_same_token_at_both_doors_at_once_has_one_successor(identity: RunningIdentity) -> None:
    who = identity.somebody()
    with ThreadPoolExecutor(12) as pool:
        answers = [*pool.map(lambda number: identity.refresh(who.refresh, number % 2), range(24))]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1


def test_a10_reuse_at_one_door_ends_the_session_at_the_other(identity: RunningIdentity) -> None:
    who = identity.somebody()
    second = identity.refresh(who.refresh, 0).json()
    third = identity.refresh(second["refresh_token"], 1)
    assert third.status_code == 200
    until(lambda: identity.refresh(who.refresh, 0).status_code == 401)
    assert until(lambda: identity.refresh(third.json()["refresh_token"], 1).status_code == 401) < WITHIN
    headers = {"Authorization": f"Bearer {third.json()['access_token']}"}
    assert until(lambda: identity.clients[1].get("/v1/auth/me", headers=headers).status_code == 401) < WITHIN


def test_a15_a_session_that_one_door_ended_is_refused_by_the_other_within_a_second(
    identity: RunningIdentity,
) -> None:
    who = identity.somebody()
    assert until(lambda: identity.me(who, 1).status_code == 200) < 5
    out = identity.clients[0].post("/v1/auth/logout", headers=who.headers)
    assert out.status_code == 204
    assert identity.me(who, 0).status_code == 401
    assert until(lambda: identity.me(who, 1).status_code == 401) < WITHIN
    assert identity.refresh(who.refresh, 1).status_code == 401


def test_a21_an_issued_key_works_at_once_and_is_refused_within_a_second(identity: RunningIdentity) -> None:
    who = identity.somebody()
    body = {"name": "backup", "scopes": ["assets:read"]}
    issued = identity.clients[0].post("/v1/api-keys", json=body, headers=who.headers)
    assert issued.status_code == 201, issued.text
    key = {"Authorization": f"Bearer {issued.json()['key']}"}
    for door in (0, 1):
        assert identity.clients[door].get("/v1/assets", headers=key).status_code == 200
        refused = identity.clients[door].post("/v1/uploads", headers=key, files={"file": ("a.jpg", b"x")})
        assert refused.status_code == 403
    gone = identity.clients[0].delete(f"/v1/api-keys/{issued.json()['id']}", headers=who.headers)
    assert gone.status_code == 204
    assert identity.clients[0].get("/v1/assets", headers=key).status_code == 401
    assert until(lambda: identity.clients[1].get("/v1/assets", headers=key).status_code == 401) < WITHIN
    for door in (0, 1):
        whole = identity.apis[door].output()
        assert issued.json()["key"].split("_", 2)[2] not in whole
        assert who.refresh not in whole
        assert who.access not in whole
        assert who.email not in whole


def test_a14_a_door_that_dies_between_rotations_leaves_nobody_locked_out(identity: RunningIdentity) -> None:
    """Killed while tokens rotate: the last one that anybody got still works."""
    who = identity.somebody()
    held = [who.refresh]
    stop = threading.Event()

    def rotate() -> None:
        while not stop.is_set():
            try:
                answer = identity.refresh(held[-1], 1)
            except httpx.HTTPError:
                continue
            if answer.status_code == 200:
                held.append(answer.json()["refresh_token"])
            else:
                assert answer.status_code == 503, answer.text

    rotating = threading.Thread(target=rotate)
    rotating.start()
    try:
        door = identity.apis[1]
        until(lambda: len(held) > 5)
        door.kill()
        door.restart().wait_ready(f"http://127.0.0.1:{door.port}/readyz")
    finally:
        stop.set()
        rotating.join(20)
    assert identity.refresh(held[-1], 0).status_code == 200
    assert identity.refresh(held[-1], 1).status_code == 200


def test_a_projector_that_is_away_logs_nobody_out_and_nobody_registers_in_vain(
    identity: RunningIdentity,
) -> None:
    before, fresh = identity.somebody(), None
    identity.projector.stop()
    try:
        until(
            lambda: all("projector-unavailable" in identity.register(door=n % 2).text for n in range(12)), 30
        )
        records = identity.records()
        answer = identity.register()
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/projector-unavailable")
        assert identity.records() == records
        fresh = somebody(identity.log_in(before.email))
        for who in (before, fresh):
            token = who.refresh
            for turn in range(4):
                answer = identity.refresh(token, turn % 2)
                assert answer.status_code == 200, answer.text
                token = answer.json()["refresh_token"]
                headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
                assert identity.clients[turn % 2].get("/v1/assets", headers=headers).status_code == 200
    finally:
        identity.projector.restart().wait_ready()
    assert fresh is not None
    until(lambda: identity.register().status_code == 201, 30)
    until(lambda: identity.refresh(fresh.refresh).status_code == 401)  # now that all is known: it is reuse


def test_a09_a_secret_is_replaced_under_two_doors_and_nobody_meets_a_401(identity: RunningIdentity) -> None:
    """Introduced and promoted, each by a rolling restart; whoever is logged in is let in all the while."""
    ring = named_secrets(identity.apis[0].env["JWT_SECRET"])
    held = [identity.somebody()]
    # That the second door follows is what the first did; each costs a start.
    for step, doors in (("introduced", (0, 1)), ("promoted", (0,))):
        rotation = following(ring, now=datetime.now(UTC))
        ring = rotation.ring
        for door in doors:
            api = identity.apis[door]
            api.env["JWT_SECRET"] = rotation.text()
            api.stop()
            api.restart().wait_ready(f"http://127.0.0.1:{api.port}/readyz")
            held.append(somebody(identity.log_in(held[0].email, door)))
            seen = [identity.me(who, each).status_code for who in held for each in (0, 1)]
            assert seen == [200] * len(seen), step

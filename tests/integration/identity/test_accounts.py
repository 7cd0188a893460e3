"""R10: the log's order decides whose an address is, whichever doors are asked, and at every replay."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from tests.integration.identity.running import (
    OTHER,
    PASSWORD,
    WITHIN,
    RunningIdentity,
    address,
    somebody,
    until,
)


def test_of_fifty_who_register_one_address_at_two_doors_one_gets_it(identity: RunningIdentity) -> None:
    email = address()
    with ThreadPoolExecutor(50) as pool:
        answers = [*pool.map(lambda number: identity.register(email, number % 2), range(50))]
    # Whoever was told to ask again does so by the key that was named.
    while waiting := [answer for answer in answers if answer.status_code == 503]:
        answers = [answer for answer in answers if answer.status_code != 503]
        for answer in waiting:
            assert answer.json()["type"] in {"/problems/pending", "/problems/busy"}, answer.text
            key = {"Idempotency-Key": answer.json()["idempotency_key"]} if "pending" in answer.text else {}
            answers.append(identity.register(email, **key))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 49}
    (won,) = [somebody(answer) for answer in answers if answer.status_code == 201]
    for door in (0, 1):
        assert identity.me(won, door).json()["user_id"] == str(won.user_id)
        again = identity.log_in(email, door)
        assert again.json()["user_id"] == str(won.user_id)

    reset = identity.ops("read-models", "reset", "--wait", "--json")
    assert reset.returncode == 0, reset.stderr
    until(lambda: identity.log_in(email, 1).status_code == 200)
    assert identity.log_in(email).json()["user_id"] == str(won.user_id)
    assert identity.register(email, 1).status_code == 409
    assert identity.refresh(won.refresh).status_code == 200


def test_a_taken_address_costs_no_record(identity: RunningIdentity) -> None:
    who = identity.somebody()
    before = identity.records()
    answers = [identity.register(who.email, door) for door in (0, 1, 0, 1)]
    assert {answer.status_code for answer in answers} == {409}
    assert identity.records() == before


def test_a_change_of_password_is_seen_by_the_other_door_at_once(identity: RunningIdentity) -> None:
    who = identity.somebody()
    elsewhere = somebody(identity.log_in(who.email, 1))
    changed = identity.clients[0].post(
        "/v1/auth/password", json={"old": PASSWORD, "new": OTHER}, headers=who.headers
    )
    assert changed.status_code == 204, changed.text
    assert identity.log_in(who.email, 1).status_code == 401
    assert identity.log_in(who.email, 1, OTHER).status_code == 200
    assert identity.refresh(elsewhere.refresh, 1).status_code == 401
    assert until(lambda: identity.me(elsewhere, 1).status_code == 401) < WITHIN
    assert identity.me(who, 1).status_code == 200


def test_after_an_erasure_the_address_begins_anew(identity: RunningIdentity) -> None:
    who = identity.somebody()
    asked = {**who.headers, "Idempotency-Key": "forget-me"}
    said = [
        identity.clients[door].request(
            "DELETE", f"/v1/users/{who.user_id}", json={"password": PASSWORD}, headers=asked
        )
        for door in (0, 1, 0)
    ]
    answer = said[0]
    assert answer.status_code == 202, answer.text
    assert [(each.status_code, each.json()) for each in said] == [(202, answer.json())] * 3
    status = identity.clients[1].get(answer.json()["status_url"])
    assert (status.status_code, status.json()["status"]) == (200, "running")
    assert identity.refresh(who.refresh, 1).status_code == 401
    assert until(lambda: identity.me(who, 1).status_code == 401) < WITHIN
    again = somebody(identity.register(who.email, 1))
    assert again.user_id != who.user_id
    activity = identity.clients[1].get("/v1/auth/activity", headers=again.headers).json()["items"]
    assert {entry["subject"] for entry in activity} == {str(again.user_id)}


def test_the_first_administrator_is_made_by_an_operator_once(identity: RunningIdentity) -> None:
    """A25, and that what was said of the role before changes nothing when it is said again."""
    who = identity.somebody()
    users = "/v1/users"
    assert identity.clients[0].get(users, headers=who.headers).status_code == 403
    done = identity.ops("users", "promote", who.email.upper(), "--json")
    assert done.returncode == 0, done.stderr
    assert '"changed": true' in done.stdout
    assert who.email in identity.ops("users", "list", "--json").stdout
    promoted = somebody(identity.log_in(who.email, 1))
    assert identity.clients[1].get(users, headers=promoted.headers).status_code == 200

    back = identity.clients[0].patch(
        f"{users}/{who.user_id}", json={"role": "user"}, headers=promoted.headers
    )
    assert (back.status_code, back.json()["role"]) == (200, "user")
    assert until(lambda: identity.clients[1].get(users, headers=promoted.headers).status_code == 401) < WITHIN
    identity.repeat("RoleChanged")
    later = somebody(identity.log_in(who.email))
    assert identity.clients[0].get(users, headers=later.headers).status_code == 403

"""A10–A15: refresh tokens go on and tell of theft; what is revoked is refused, at once and everywhere."""

from datetime import timedelta
from uuid import uuid4

import pytest

from adapters.event_log import LogUnavailable, OutcomeUnknown
from adapters.telemetry import Loop
from api.credentials.denial_tail import DenialTail
from schemas.events import SessionRefreshed, SessionRevoked, SessionStarted
from schemas.identity import refresh_id
from tests.unit.api.doors import ADA, Stage, stage
from tests.unit.api.people import (
    PASSWORD,
    Person,
    appended,
    is_problem,
    kinds,
    log_in,
    password_changed,
    person_of,
    role_changed,
    somebody,
    told,
)


async def chain(person: Person, length: int) -> list[str]:
    """The refresh tokens that follow each other from the person's first, which is presented first."""
    tokens = [person.refresh]
    for _ in range(length):
        answer = await person.refreshed(tokens[-1])
        assert answer.status_code == 200, answer.text
        tokens.append(answer.json()["refresh_token"])
    return tokens


async def test_a10_a_token_that_was_used_and_left_behind_ends_the_whole_family(on: Stage) -> None:
    ada = await somebody(on)
    tokens = await chain(ada, 2)
    is_problem(await ada.refreshed(tokens[0]), 401, "refresh-refused")
    revoked = [event for event in told(on) if isinstance(event, SessionRevoked)]
    assert [event.code for event in revoked] == ["reuse"]
    for token in tokens:
        is_problem(await ada.refreshed(token), 401, "refresh-refused")
    is_problem(await ada.client().get("/v1/auth/me"), 401, "unauthenticated")
    assert on.metrics.security.events.of("token_reused")._value.get() == 1


async def test_a11_a13_the_same_token_gives_the_same_successor_until_that_is_shown(on: Stage) -> None:
    ada = await somebody(on)
    answers = [await ada.refreshed() for _ in range(3)]
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1
    presented = [event for event in told(on) if isinstance(event, SessionRefreshed)]
    assert [event.presented_generation for event in presented] == [0]
    for answer in answers:
        tab = on.client(answer.json()["access_token"])
        assert (await tab.get("/v1/auth/me")).status_code == 200


async def test_a12_the_grandparent_is_theft_and_so_is_the_parent_of_what_was_shown(on: Stage) -> None:
    for back in (0, 1):
        ada = await somebody(on, f"ada{back}@example.org")
        tokens = await chain(ada, 3)  # the last was not shown yet, the one before it was
        is_problem(await ada.refreshed(tokens[back]), 401, "refresh-refused")
        is_problem(await ada.refreshed(tokens[3]), 401, "refresh-refused")


async def test_a14_a_door_that_died_after_its_append_has_cost_nobody_their_session(on: Stage) -> None:
    ada = await somebody(on)
    on.log.failure, on.log.lands_anyway = OutcomeUnknown("died"), True
    is_problem(await ada.refreshed(), 503, "outcome-unknown")
    on.log.failure = None
    answer = await ada.refreshed()
    assert answer.status_code == 200
    assert (await ada.refreshed(answer.json()["refresh_token"])).status_code == 200


async def test_what_two_doors_say_of_one_token_is_one_event(on: Stage) -> None:
    ada = await somebody(on)
    on.accounts.following = False
    await ada.refreshed()
    on.parts.identity.presented.clear()  # as another process sees it
    await ada.refreshed()
    said = [event for event in told(on) if isinstance(event, SessionRefreshed)]
    assert len(said) == 2
    assert {event.event_id for event in said} == {refresh_id(said[0].session_id, 0)}


async def test_a_projector_that_is_away_logs_nobody_out(on: Stage) -> None:
    old = await somebody(on)
    await chain(old, 1)
    on.accounts.following = on.accounts.projects = False
    new = person_of(on, await log_in(on))
    tokens = await chain(new, 5)
    assert (await new.refreshed(tokens[-1])).status_code == 200
    assert (await on.client(new.access).get("/v1/auth/me")).status_code == 200
    on.accounts.following = True
    assert (await new.refreshed(tokens[-1])).status_code == 200


async def test_a10_a_door_needs_no_projector_to_notice_what_was_left_behind_at_it(on: Stage) -> None:
    ada = await somebody(on)
    on.accounts.following = False
    tokens = await chain(ada, 2)
    is_problem(await ada.refreshed(tokens[0]), 401, "refresh-refused")
    is_problem(await ada.refreshed(tokens[2]), 401, "refresh-refused")


async def test_a10_what_was_left_behind_at_another_door_is_noticed_once_it_is_known(on: Stage) -> None:
    ada = await somebody(on)
    on.accounts.following = False
    tokens = await chain(ada, 2)
    on.parts.identity.presented.clear()  # another process, and a projector that lags
    again = await ada.refreshed(tokens[0])
    assert again.json()["refresh_token"] == tokens[1]  # the same successor, never another branch
    on.accounts.following = True
    is_problem(await ada.refreshed(tokens[0]), 401, "refresh-refused")
    is_problem(await ada.refreshed(tokens[2]), 401, "refresh-refused")


async def test_without_a_database_nobody_is_logged_out_and_nobody_goes_on(on: Stage) -> None:
    ada = await somebody(on)
    on.accounts.down = on.reads.down = True
    is_problem(await ada.refreshed(), 503, "read-store-unavailable")
    assert (await ada.client().get("/v1/assets")).status_code == 503  # believed, and then unreadable
    on.accounts.down = on.reads.down = False
    assert (await ada.refreshed()).status_code == 200


async def test_without_the_log_a_session_does_not_go_on_and_does_not_end(on: Stage) -> None:
    ada = await somebody(on)
    on.log.failure = LogUnavailable("away")
    is_problem(await ada.refreshed(), 503, "log-unavailable")
    on.log.failure = None
    assert (await ada.refreshed()).status_code == 200


@pytest.mark.parametrize("text", ["", "x", "dr1.", "dr1.k.AAAA", ADA, "eyJ.eyJ.x"])
async def test_what_is_no_refresh_token_is_refused(on: Stage, text: str) -> None:
    answer = await on.client(None).post("/v1/auth/refresh", json={"refresh_token": text})
    assert answer.status_code == (401 if text else 422)


async def test_a05_an_access_token_refreshes_nothing_and_a_refresh_token_opens_nothing(on: Stage) -> None:
    ada = await somebody(on)
    is_problem(await ada.refreshed(ada.access), 401, "refresh-refused")
    is_problem(await on.client(ada.refresh).get("/v1/auth/me"), 401, "unauthenticated")


async def test_tokens_end_with_their_time(on: Stage) -> None:
    ada = await somebody(on)
    on.clock.advance(timedelta(minutes=15))
    is_problem(await ada.client().get("/v1/auth/me"), 401, "unauthenticated")
    renewed = await ada.refreshed()
    assert (await on.client(renewed.json()["access_token"]).get("/v1/auth/me")).status_code == 200
    on.clock.advance(timedelta(days=7))
    is_problem(await ada.refreshed(renewed.json()["refresh_token"]), 401, "refresh-refused")


async def test_a15_after_logging_out_nothing_of_the_session_works(on: Stage) -> None:
    ada, elsewhere = await somebody(on), person_of(on, await log_in(on))
    assert (await ada.client().post("/v1/auth/logout")).status_code == 204
    is_problem(await ada.client().get("/v1/auth/me"), 401, "unauthenticated")
    is_problem(await ada.refreshed(), 401, "refresh-refused")
    assert (await elsewhere.client().get("/v1/auth/me")).status_code == 200


async def test_sessions_are_listed_and_revoked_by_their_person_alone(on: Stage) -> None:
    ada, elsewhere = await somebody(on), person_of(on, await log_in(on))
    ben = await somebody(on, "ben@example.org")
    items = (await ada.client().get("/v1/auth/sessions")).json()["items"]
    assert len(items) == 2
    (current,) = [item["id"] for item in items if item["current"]]
    (other,) = [item["id"] for item in items if not item["current"]]
    for stranger, target in ((ben, other), (ada, str(uuid4()))):
        is_problem(await stranger.client().delete(f"/v1/auth/sessions/{target}"), 404, "not-found")
    for _ in range(2):
        assert (await ada.client().delete(f"/v1/auth/sessions/{other}")).status_code == 204
    is_problem(await elsewhere.client().get("/v1/auth/me"), 401, "unauthenticated")
    is_problem(await elsewhere.refreshed(), 401, "refresh-refused")
    left = (await ada.client().get("/v1/auth/sessions")).json()["items"]
    assert [item["id"] for item in left] == [current]


async def heard(on: Stage) -> None:
    """What the tail of this process hears of others."""
    tail = DenialTail(
        on.accounts,
        on.reads,
        on.parts.identity.denials,
        partitions=on.log.partitions,
        clock=on.clock,
        loop=Loop(),
    )
    await tail.look()


async def test_a15_what_another_process_revoked_is_refused_here(on: Stage) -> None:
    ada, elsewhere = await somebody(on), person_of(on, await log_in(on))
    started = [event for event in told(on) if isinstance(event, SessionStarted)][-1]
    revoked = SessionRevoked(
        event_id=uuid4(),
        occurred_at=on.clock.now(),
        account_key=started.account_key,
        user_id=ada.user_id,
        actor_id=ada.user_id,
        session_id=started.session_id,
        code="logout",
    )
    await appended(on, revoked)
    assert (await elsewhere.client().get("/v1/assets")).status_code == 200
    await heard(on)
    is_problem(await elsewhere.client().get("/v1/assets"), 401, "unauthenticated")
    assert (await ada.client().get("/v1/assets")).status_code == 200


async def test_a15_a_password_that_changed_elsewhere_ends_the_tokens_here(on: Stage) -> None:
    ada = await somebody(on)
    await appended(on, await password_changed(on, ada))
    await heard(on)
    is_problem(await ada.client().get("/v1/assets"), 401, "unauthenticated")
    is_problem(await ada.refreshed(), 401, "refresh-refused")


async def test_a15_a_role_that_changed_elsewhere_voids_access_and_keeps_the_session(on: Stage) -> None:
    root = await somebody(on, role="admin")
    assert (await root.client().get("/v1/users")).status_code == 200
    await appended(on, await role_changed(on, root, "user"))
    await heard(on)
    is_problem(await root.client().get("/v1/users"), 401, "unauthenticated")
    renewed = on.client((await root.refreshed()).json()["access_token"])
    is_problem(await renewed.get("/v1/users"), 403, "not-allowed")
    assert (await renewed.get("/v1/auth/me")).json()["role"] == "user"


async def test_a23_a_door_that_hears_nothing_believes_a_role_for_a_tokens_life_and_no_longer(
    on: Stage,
) -> None:
    root = await somebody(on, role="admin")
    await appended(on, await role_changed(on, root, "user"))
    assert (await root.client().get("/v1/users")).status_code == 200
    on.clock.advance(timedelta(minutes=15))
    is_problem(await root.client().get("/v1/users"), 401, "unauthenticated")


async def test_an_old_repeat_of_a_role_or_a_password_changes_nothing(on: Stage) -> None:
    ada = await somebody(on)
    promoted = await role_changed(on, ada, "admin")
    await appended(on, promoted)
    await appended(on, await role_changed(on, ada, "user"))
    await appended(on, promoted)
    account = await on.accounts.by_user(ada.user_id)
    assert account is not None
    assert (account.role, account.version) == ("user", 3)


async def test_more_sessions_than_anybody_needs_end_the_oldest(
    on: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.commands.end_session.MOST_SESSIONS", 3)
    ada = await somebody(on)
    people = []
    for _ in range(4):
        on.clock.advance(timedelta(seconds=1))
        people.append(person_of(on, await log_in(on)))
    assert len((await people[-1].client().get("/v1/auth/sessions")).json()["items"]) == 3
    is_problem(await ada.refreshed(), 401, "refresh-refused")
    assert (await people[1].refreshed()).status_code == 200


COOKIE = {"Darkroom-Session": "cookie"}


async def test_a24_the_page_gets_a_cookie_that_no_script_can_read(on: Stage) -> None:
    await somebody(on)
    page = on.client(None, **COOKIE)
    answer = await page.post("/v1/auth/login", json={"email": "ada@example.org", "password": PASSWORD})
    assert answer.json()["refresh_token"] is None
    said = answer.headers["set-cookie"].lower()
    for part in ("darkroom_refresh=dr1.", "httponly", "samesite=strict", "path=/v1/auth", "max-age=604800"):
        assert part in said
    assert "secure" not in said  # this stage is plain HTTP on one machine
    for _ in range(2):
        renewed = await page.post("/v1/auth/refresh")
        assert renewed.status_code == 200
        assert renewed.json()["refresh_token"] is None
    assert (await page.post("/v1/auth/logout")).status_code == 204
    is_problem(await page.post("/v1/auth/refresh"), 401, "refresh-refused")


@pytest.mark.parametrize(
    "headers",
    [
        {"Darkroom-Session": ""},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://testserver.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_a24_no_other_page_makes_use_of_the_cookie(on: Stage, headers: dict[str, str]) -> None:
    await somebody(on)
    page = on.client(None, **COOKIE)
    await page.post("/v1/auth/login", json={"email": "ada@example.org", "password": PASSWORD})
    before = kinds(on)
    for path in ("/v1/auth/refresh", "/v1/auth/logout"):
        is_problem(await page.post(path, headers=headers), 403, "origin-refused")
    assert kinds(on) == before
    own = {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}
    assert (await page.post("/v1/auth/refresh", headers=own)).status_code == 200


async def test_a24_an_old_cookie_fills_no_log(on: Stage) -> None:
    await somebody(on)
    page = on.client(None, **COOKIE)
    await page.post("/v1/auth/login", json={"email": "ada@example.org", "password": PASSWORD})
    old = {"Cookie": f"darkroom_refresh={page.cookies['darkroom_refresh']}"}
    assert (await page.post("/v1/auth/logout")).status_code == 204
    before = kinds(on)
    assert before[-1] == "SessionRevoked"
    again = await on.client(None, **COOKIE, **old).post("/v1/auth/logout")
    assert again.status_code == 204
    assert "darkroom_refresh" in again.headers["set-cookie"]
    assert kinds(on) == before


async def test_a24_where_we_are_reached_by_tls_the_cookie_never_leaves_it() -> None:
    async with stage(DARKROOM_URL="https://gallery.example.org") as on:
        await somebody(on)
        page = on.client(None, **COOKIE)
        answer = await page.post("/v1/auth/login", json={"email": "ada@example.org", "password": PASSWORD})
        assert "secure" in answer.headers["set-cookie"].lower()
        sent = {**COOKIE, "Cookie": answer.headers["set-cookie"].partition(";")[0]}
        own = {"Origin": "https://gallery.example.org"}  # the proxy in front may name another host
        assert (await on.client(None, **sent).post("/v1/auth/refresh", headers=own)).status_code == 200


async def test_a24_not_even_a_listed_origin_may_send_the_cookies_header() -> None:
    async with stage(CORS_ORIGIN="https://gallery.example.org") as on:
        asked = {
            "Origin": "https://gallery.example.org",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "darkroom-session",
        }
        answer = await on.client(None).options("/v1/auth/refresh", headers=asked)
        assert answer.headers["access-control-allow-origin"] == asked["Origin"]
        assert "darkroom-session" not in answer.headers["access-control-allow-headers"].lower()
        assert "access-control-allow-credentials" not in answer.headers

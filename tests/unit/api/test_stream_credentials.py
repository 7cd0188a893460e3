"""Who may listen without a header: a page with its cookie, or anybody with a ticket, once. S04, S07."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie
from uuid import uuid4

import pytest

from adapters.settings import NamedSecret
from api.notifications.passes import LONGEST, read_pass, write_pass
from api.notifications.tickets import LIFE
from tests.unit.api.doors import ADA, BEN, Stage, stage, upload
from tests.unit.api.ear import listen
from tests.unit.api.people import somebody

SESSION, TICKET = "/v1/notifications/session", "/v1/notifications/ticket"


@pytest.fixture
async def live() -> AsyncIterator[Stage]:
    async with stage(SSE_HEARTBEAT="0.1") as made, made.living():
        yield made


async def cookie_of(on: Stage, key: str = ADA) -> str:
    answer = await on.client(key).post(SESSION)
    assert (answer.status_code, answer.content) == (204, b"")
    morsel = SimpleCookie(answer.headers["set-cookie"])["darkroom_stream"]
    assert (morsel["path"], morsel["httponly"]) == ("/v1/notifications/stream", True)
    assert morsel["samesite"].lower() == "strict"
    return f"darkroom_stream={morsel.value}"


async def ticket_of(on: Stage, key: str = ADA) -> str:
    answer = await on.client(key).post(TICKET)
    assert answer.status_code == 200
    return str(answer.json()["ticket"])


async def test_a_page_listens_with_its_cookie_as_often_as_it_likes(live: Stage) -> None:
    cookie = await cookie_of(live)
    assert ADA not in cookie
    for _ in range(2):
        async with listen(live, None, cookie=cookie) as ear:
            answer, _ = await upload(live)
            await ear.until(1)
            assert ear.told() == [("asset.uploaded", answer["asset_id"])]


async def test_s07_a_cookie_opens_no_other_door_and_no_text_in_a_url_does(live: Stage) -> None:
    cookie, text = await cookie_of(live), (await cookie_of(live)).partition("=")[2]
    assert (await live.client(None, Cookie=cookie).get("/v1/assets")).status_code == 401
    assert (await live.client(text).get("/v1/assets")).status_code == 401
    for query in (f"ticket={text}", f"ticket={ADA}", f"access_token={ADA}", f"token={text}", "ticket="):
        async with listen(live, None, query=query) as ear:
            assert ear.status == 401
    assert not len(live.doors.hub)


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_a_cookie_that_another_page_sends_is_not_looked_at(live: Stage, site: str) -> None:
    cookie = await cookie_of(live)
    async with listen(live, None, cookie=cookie, sec_fetch_site=site) as ear:
        assert ear.status == 401
    async with listen(live, None, cookie=cookie, sec_fetch_site="same-origin") as ear:
        assert ear.status == 200


@pytest.mark.parametrize(
    "spoil", [lambda text: text[:-2], lambda text: "x" + text, lambda text: text + "A" * 9000]
)
async def test_a_cookie_that_is_not_ours_is_nobodys(live: Stage, spoil: object) -> None:
    assert callable(spoil)
    async with listen(live, None, cookie=spoil(await cookie_of(live))) as ear:
        assert ear.status == 401


async def test_s04_what_a_cookie_opened_ends_with_the_session(
    live: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.notifications.stream.CREDENTIAL_SECONDS", 0.05)
    ada = await somebody(live)
    cookie, ticket = await cookie_of(live, ada.access), await ticket_of(live, ada.access)
    async with listen(live, None, cookie=cookie) as one, listen(live, None, query=f"ticket={ticket}") as two:
        assert (await ada.client().post("/v1/auth/logout")).status_code == 204
        await one.eventually(lambda: one.ended)
        await two.eventually(lambda: two.ended)
    async with listen(live, None, cookie=cookie) as late:
        assert late.status == 401


async def test_s04_a_stream_ends_when_its_token_is_out_of_date(
    live: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.notifications.stream.CREDENTIAL_SECONDS", 0.05)
    ada = await somebody(live)
    cookie = await cookie_of(live, ada.access)
    async with listen(live, ada.access) as one, listen(live, None, cookie=cookie) as two:
        live.clock.advance(timedelta(minutes=16))
        await one.eventually(lambda: one.ended)
        await two.eventually(lambda: two.ended)


async def test_a_cookie_never_outlives_its_credential(live: Stage) -> None:
    ada = await somebody(live)
    of_person = SimpleCookie((await ada.client().post(SESSION)).headers["set-cookie"])["darkroom_stream"]
    of_key = SimpleCookie((await live.client().post(SESSION)).headers["set-cookie"])["darkroom_stream"]
    assert int(of_person["max-age"]) == 15 * 60
    assert int(of_key["max-age"]) == LONGEST.total_seconds()
    live.clock.advance(LONGEST)
    async with listen(live, None, cookie=f"darkroom_stream={of_key.value}") as ear:
        assert ear.status == 401


async def test_a_ticket_opens_one_stream_once(live: Stage) -> None:
    ticket = await ticket_of(live)
    async with listen(live, None, query=f"ticket={ticket}") as ear:
        answer, _ = await upload(live)
        await ear.until(1)
        async with listen(live, None, query=f"ticket={ticket}") as again:
            assert again.status == 401
    assert ear.told() == [("asset.uploaded", answer["asset_id"])]


async def test_of_many_who_come_with_one_ticket_one_listens(live: Stage) -> None:
    ticket = await ticket_of(live)

    async def status() -> int:
        async with listen(live, None, query=f"ticket={ticket}") as ear:
            return ear.status

    assert sorted(await asyncio.gather(*(status() for _ in range(5)))) == [200, 401, 401, 401, 401]


async def test_a_ticket_is_good_for_half_a_minute(live: Stage) -> None:
    ticket = await ticket_of(live)
    live.clock.advance(LIFE)
    async with listen(live, None, query=f"ticket={ticket}") as ear:
        assert ear.status == 401
    assert timedelta(seconds=30) == LIFE


async def test_everybody_hears_by_ticket_what_is_their_own(live: Stage) -> None:
    async with listen(live, None, query=f"ticket={await ticket_of(live, BEN)}") as ear:
        await upload(live)
        answer, _ = await upload(live, BEN)
        await ear.until(1)
    assert [asset_id for _, asset_id in ear.told()] == [answer["asset_id"]]


async def test_whoever_presents_nothing_good_is_counted_and_said(live: Stage) -> None:
    async with listen(live, None, query=f"ticket={'x' * 43}") as ear:
        assert json.loads(ear.body)["type"] == "/problems/unauthenticated"
    count = live.metrics.registry.get_sample_value(
        "darkroom_security_events_total", {"event": "authentication_failed"}
    )
    assert count == 1


def test_a_pass_opens_under_any_secret_that_still_counts() -> None:
    now = datetime(2026, 5, 17, tzinfo=UTC)
    old, new = NamedSecret(kid="a", secret=b"a" * 32), NamedSecret(kid="b", secret=b"b" * 32)
    text = write_pass([old], str(uuid4()), now + timedelta(hours=1))
    assert read_pass([new, old], text, now) is not None
    assert read_pass([new], text, now) is None
    assert read_pass([NamedSecret(kid="b", secret=b"a" * 32)], "b" + text[1:], now) is None

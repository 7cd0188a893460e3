"""Shared links: who has one sees the picture, until it ends; nobody can tell why one opens nothing."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import pytest

from api.links import link_token
from schemas.events import LinkIssued, LinkRevoked
from tests.unit.api.doors import ADA, BEN, Stage, stage, upload

KEY: Final = {"Idempotency-Key": "key-1"}


@pytest.fixture
async def on() -> AsyncIterator[Stage]:
    async with stage() as made:
        made.reads.keeps_up = True
        yield made


async def picture(on: Stage) -> str:
    answer, completed = await upload(on)
    await on.worked_on(completed)
    return str(answer["asset_id"])


async def share(on: Stage, asset_id: str, key: str = ADA, headers: Any = None, **body: Any) -> httpx.Response:
    return await on.client(key).post(f"/v1/assets/{asset_id}/links", json=body, headers=headers)


async def opened(on: Stage, url: str, **params: str) -> httpx.Response:
    return await on.client(None).get(url, params=params)


async def revoke(on: Stage, asset_id: str, link_id: str, key: str = ADA) -> httpx.Response:
    return await on.client(key).delete(f"/v1/assets/{asset_id}/links/{link_id}")


async def test_a_link_leads_a_stranger_to_the_picture_for_two_minutes(on: Stage) -> None:
    asset_id = await picture(on)
    answer = await share(on, asset_id, variant="thumbnail")
    assert answer.status_code == 201, answer.text
    link = answer.json()
    assert (link["variant"], link["expires_at"]) == ("thumbnail", None)
    led = await opened(on, link["url"])
    assert led.status_code == 307
    assert "thumbnail.jpg" in led.headers["location"]
    (expires,) = parse_qs(urlsplit(led.headers["location"]).query)["expires"]
    assert datetime.fromisoformat(expires) - on.clock.now() <= timedelta(minutes=2)
    assert (led.headers["cache-control"], led.headers["referrer-policy"]) == ("no-store", "no-referrer")
    assert asset_id not in link["url"]


async def test_a_link_to_all_shows_any_but_the_original_and_first_the_largest(on: Stage) -> None:
    asset_id = await picture(on)
    url = (await share(on, asset_id)).json()["url"]
    assert "small.jpg" in (await opened(on, url)).headers["location"]
    assert "thumbnail.jpg" in (await opened(on, url, variant="thumbnail")).headers["location"]
    for name in ("original", "huge"):
        assert (await opened(on, url, variant=name)).status_code == 404
    one = (await share(on, asset_id, variant="small")).json()["url"]
    assert (await opened(on, one, variant="thumbnail")).status_code == 404
    whole = (await share(on, asset_id, variant="original")).json()["url"]
    assert "attachment=true" in (await opened(on, whole)).headers["location"]


async def test_whatever_ended_a_link_it_is_the_same_404(on: Stage) -> None:
    asset_id = await picture(on)
    soon = (on.clock.now() + timedelta(hours=1)).isoformat()
    expiring = (await share(on, asset_id, expires_at=soon)).json()["url"]
    revoked, trashed = [(await share(on, asset_id)).json() for _ in range(2)]
    assert (await revoke(on, asset_id, revoked["id"])).status_code == 204
    on.clock.advance(timedelta(hours=1))
    made_up = "/s/" + link_token(on.parts.signer, uuid4())
    dead = [expiring, revoked["url"], made_up, "/s/x", f"/s/{uuid4()}", "/s/k1.AAAA"]
    answers = [await opened(on, url) for url in dead]
    await on.client().delete(f"/v1/assets/{asset_id}")
    answers.append(await opened(on, trashed["url"]))
    await on.client().post(f"/v1/assets/{asset_id}/restore")
    assert (await opened(on, trashed["url"])).status_code == 307
    await on.client().delete(f"/v1/assets/{asset_id}", params={"permanent": True})
    answers.append(await opened(on, trashed["url"]))
    assert {answer.status_code for answer in answers} == {404}
    assert len({str({**answer.json(), "instance": ""}) for answer in answers}) == 1


async def test_a_picture_that_is_not_ready_opens_nothing_yet(on: Stage) -> None:
    answer, completed = await upload(on)
    url = (await share(on, answer["asset_id"], variant="small")).json()["url"]
    assert (await opened(on, url)).status_code == 404
    await on.worked_on(completed)
    assert (await opened(on, url)).status_code == 307


async def test_the_list_has_what_can_still_be_revoked(on: Stage) -> None:
    asset_id = await picture(on)
    first, second = [(await share(on, asset_id)).json() for _ in range(2)]
    path = f"/v1/assets/{asset_id}/links"
    assert (await on.client().get(path)).json()["items"] in ([second, first], [first, second])
    for _ in range(2):
        assert (await revoke(on, asset_id, first["id"])).status_code == 204
    assert (await on.client().get(path)).json()["items"] == [second]
    assert len([event for event in on.events() if isinstance(event, LinkRevoked)]) == 1


async def test_h11_a_link_asked_for_twice_is_one(on: Stage) -> None:
    asset_id = await picture(on)
    first, second = [await share(on, asset_id, headers=KEY) for _ in range(2)]
    assert first.json() == second.json()
    assert len([event for event in on.events() if isinstance(event, LinkIssued)]) == 1
    assert (await share(on, asset_id, headers=KEY, variant="small")).status_code == 422


@pytest.mark.parametrize(
    "body",
    [
        {"variant": "huge"},
        {"variant": "../x"},
        {"expires_at": "2020-01-01T00:00:00Z"},
        {"expires_at": "2030-01-01T00:00:00"},
        {"expires_at": "9999-12-31T23:59:59-14:00"},  # in UTC it has no year any more
        {"owner_id": "x"},
    ],
    ids=["unknown", "path", "past", "zone", "beyond the years", "extra"],
)
async def test_impossible_links_are_refused(on: Stage, body: dict[str, str]) -> None:
    assert (await share(on, await picture(on), **body)).status_code == 422


async def test_an_asset_has_so_many_links_at_most(on: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.commands.issue_link.MOST_LINKS", 3)
    asset_id = await picture(on)
    for _ in range(3):
        assert (await share(on, asset_id)).status_code == 201
    answer = await share(on, asset_id)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/too-many-links")


async def test_links_are_their_owners(on: Stage) -> None:
    asset_id, other = await picture(on), await picture(on)
    link = (await share(on, asset_id)).json()
    assert (await share(on, asset_id, BEN)).status_code == 404
    assert (await on.client(BEN).get(f"/v1/assets/{asset_id}/links")).status_code == 404
    assert (await revoke(on, asset_id, link["id"], BEN)).status_code == 404
    assert (await revoke(on, other, link["id"])).status_code == 404
    await on.client().delete(f"/v1/assets/{asset_id}")
    assert (await share(on, asset_id)).json()["type"] == "/problems/in-trash"


async def test_guessing_is_counted_with_and_without_a_credential() -> None:
    async with stage(RATE_STRANGERS="5/minute") as on:
        for client in (on.client(None), on.client("nonsense-key-0123456789")):
            answers = [(await client.get("/s/x")).status_code for _ in range(6)]
            assert answers[-1] == 429

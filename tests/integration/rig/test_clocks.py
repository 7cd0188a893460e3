"""R21: whole programs whose clocks are hours apart, and a store that minds.

One world of clocks by itself; each program alone and all against each other with CHAOS_SECONDS.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, Final
from uuid import UUID

import httpx
import jwt
import pytest

from adapters.settings.secrets import named_secrets
from api.credentials.access_tokens import ALGORITHM, LEEWAY_SECONDS
from schemas.events import AssetUpdated, UploadCompleted, VariantsReady
from tests.integration.rig.conftest import Scene
from tests.programs import PLAIN
from tests.rig.clocks import skewed
from tests.rig.evidence import Evidence
from tests.rig.fleet import Fleet
from tests.rig.history import Acknowledged, Attempt
from tests.rig.load import picture
from tests.rig.proxy import TIME_TOO_SKEWED, Weather

# Hours by which the clocks of the doors, the worker and the projector differ from the log's.
CLOCKS: Final = (
    (2, -2, 2),
    (-2, 2, -2),
    (2, 0, 0),
    (-2, 0, 0),
    (0, 2, 0),
    (0, -2, 0),
    (0, 0, 2),
    (0, 0, -2),
)
NEAR: Final = 300.0
# Other runs of this module bring the same pictures for the same owner.
COMPLETE: Final = "/v1/uploads/complete?duplicate=allow"
pytestmark = pytest.mark.usefixtures("projected")


@pytest.fixture
async def owner(outside: Scene) -> AsyncIterator[httpx.AsyncClient]:
    """Whose uploads these are."""
    key = outside.world.env["API_KEYS"].split(":")[0]
    async with httpx.AsyncClient(
        base_url=outside.world.env["DARKROOM_URL"],
        headers={"Authorization": f"Bearer {key}"},
        timeout=30.0,
        verify=PLAIN,
    ) as client:
        yield client


@pytest.mark.parametrize("hours", CLOCKS if "CHAOS_SECONDS" in os.environ else CLOCKS[:1], ids=str)
async def test_the_order_of_the_log_decides_whatever_clocks_say(
    outside: Scene, api: Fleet, owner: httpx.AsyncClient, hours: tuple[int, int, int]
) -> None:
    """Results that precede their requests, an edit that precedes what it edits: all count, in their order."""
    doors, worker, projector = hours
    outside.workers.start(0, ready=False, **skewed(worker))
    outside.projectors.start(0, ready=False, **skewed(projector))
    api.start(0, **skewed(doors, store_minds=False))
    before = len(outside.history.acknowledged)
    await outside.load.burst(3)
    told = outside.history.acknowledged[before:]
    assert len(told) == 3
    await outside.end()
    api.stop(0)
    api.start(0, **skewed(-doors, store_minds=False))
    asset = f"/v1/assets/{told[0].asset_id}"
    shown = await owner.get(asset)
    headers = {"If-Match": shown.headers["ETag"]}
    changed = await _decided(lambda: owner.patch(asset, json={"title": "Later"}, headers=headers))
    assert changed.status_code == 200, changed.text
    evidence = await outside.end()
    after = await owner.get(asset)
    assert (after.json()["title"], after.json()["status"]) == ("Later", "ready")
    by_door = [ahead for each in told for ahead in _ahead(evidence, each.asset_id, UploadCompleted)]
    by_worker = [ahead for each in told for ahead in _ahead(evidence, each.asset_id, VariantsReady)]
    assert (len(by_door), len(by_worker)) == (3, 3)
    assert all(abs(ahead - doors * 3600) < NEAR for ahead in by_door)
    assert all(abs(ahead - worker * 3600) < NEAR for ahead in by_worker)
    (edited,) = _ahead(evidence, told[0].asset_id, AssetUpdated)
    assert abs(edited + doors * 3600) < NEAR


def _ahead(evidence: Evidence, asset_id: UUID, kind: type) -> Iterator[float]:
    """By how many seconds whoever wrote the asset's events of this kind was ahead of the log's clock."""
    for told in evidence.stories[asset_id]:
        if isinstance(told.event, kind):
            yield told.event.occurred_at.timestamp() - told.log_ms / 1000


async def test_a_store_that_refuses_our_clock_is_a_503_and_says_why(
    outside: Scene, api: Fleet, owner: httpx.AsyncClient
) -> None:
    """It looks at the clock that signs a copy; what sends a form's bytes keeps the true time: there the wire
    says what the store would. Once the clock is right, what was refused is taken.
    """
    outside.workers.start(0, ready=False)
    outside.projectors.start(0, ready=False)
    api.start(0, **skewed(2))
    body = await _granted(owner)
    _refused(await owner.post(COMPLETE, json=body))
    assert _reasons(api) == ["RequestTimeTooSkewed"]
    await _tokens_hold_by_the_doors_clock(owner, outside.world.env["JWT_SECRET"])
    api.stop(0)
    api.start(0, RIG_CLOCK_SKEW="0", S3_ENDPOINT=f"http://{outside.store_wire.address}")
    with outside.store_wire.weather(Weather(answer=TIME_TOO_SKEWED)):
        _refused(await _form(owner))
    assert _reasons(api) == ["RequestTimeTooSkewed"] * 2
    for name, answer in {
        "granted": await owner.post(COMPLETE, json=body),
        "form": await _form(owner),
    }.items():
        assert answer.status_code == 202, answer.text
        outside.history.add(Attempt(name=name))
        outside.history.add(Acknowledged(name=name, asset_id=UUID(answer.json()["asset_id"])))
    await outside.end()


async def _granted(owner: httpx.AsyncClient) -> dict[str, str]:
    """The body that completes an upload whose bytes have been sent."""
    data = picture(1)
    described = {"file_name": "a.jpg", "content_type": "image/jpeg", "size": len(data)}
    grant = (await owner.post("/v1/uploads/presign", json=described)).json()
    async with httpx.AsyncClient(timeout=30.0, verify=PLAIN) as browser:
        sent = await browser.post(grant["url"], data=grant["fields"], files={"file": data})
    assert sent.status_code == 204, sent.text
    return {"upload_token": grant["upload_token"]}


async def _form(owner: httpx.AsyncClient) -> httpx.Response:
    return await owner.post(
        "/v1/uploads?duplicate=allow",
        files={"file": ("a.jpg", picture(2), "image/jpeg")},
        headers={"Idempotency-Key": "the-same-form"},
    )


async def _tokens_hold_by_the_doors_clock(door: httpx.AsyncClient, secrets: str) -> None:
    """Those of a door hours apart are refused, either way; a few seconds ahead are forgiven."""
    token = await _token(door)
    (secret, *_) = named_secrets(secrets)
    header = {"typ": "at+jwt", "kid": secret.kid}
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})

    async def asked(hours: float, seconds: float = 0.0) -> int:
        off = round(hours * 3600 + seconds)
        moved = {**claims, **{name: claims[name] + off for name in ("iat", "nbf", "exp")}}
        signed = jwt.encode(moved, secret.secret, ALGORITHM, headers=header)
        headers = {"Authorization": f"Bearer {signed}"}
        return (await door.get("/v1/auth/me", headers=headers)).status_code

    assert [await asked(0), await asked(0, LEEWAY_SECONDS - 1)] == [200, 200]
    assert [await asked(-2), await asked(2), await asked(0, LEEWAY_SECONDS + 120)] == [401, 401, 401]


async def _token(door: httpx.AsyncClient) -> str:
    """Of somebody new."""
    body = {"email": "clock@example.org", "password": "nine red lamps by the river"}
    answer = await _decided(lambda: door.post("/v1/auth/register", json=body))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["access_token"])


async def _decided(ask: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
    """The answer, as soon as doors that have just opened have heard of a projector."""
    deadline = time.monotonic() + 60
    while (answer := await ask()).status_code == 503 and time.monotonic() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.2)
    return answer


def _refused(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/object-store-unavailable")
    assert int(answer.headers["Retry-After"]) > 0


def _reasons(api: Fleet) -> list[str]:
    """The codes of the store's refusals, as the doors' log has them."""
    lines = [line for line in api[0].output().splitlines() if '"outside_failed"' in line]
    return [line.partition('"code": "')[2].partition('"')[0] for line in lines]

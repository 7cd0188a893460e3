"""Streams keep to themselves and within their bounds: S05, S06, R32, and the waves of a shutdown."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.telemetry import Metrics
from api.notifications.hub import Hub, Listener
from api.notifications.stream import SEND_SECONDS
from api.problems import Unavailable
from tests.unit.api.doors import ADA, BEN, Stage, stage, upload
from tests.unit.api.ear import Ear, listen

# More than the default queue of a stream, which a client that takes nothing has to overflow.
MANY = 300


@pytest.fixture
async def live() -> AsyncIterator[Stage]:
    async with stage(SSE_HEARTBEAT="0.1") as made, made.living():
        yield made


async def lives(on: Stage, owners: list[bool]) -> dict[str, list[str]]:
    """One asset's whole life for each, in this order; the ids by owner."""
    made: dict[str, list[str]] = defaultdict(list)
    for hers in owners:
        key = ADA if hers else BEN
        answer, completed = await upload(on, key)
        await on.worked_on(completed)
        made[key].append(answer["asset_id"])
    return made


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.booleans(), min_size=1, max_size=6), st.lists(st.booleans(), max_size=4))
def test_s05_nobody_hears_of_what_is_not_theirs(before: list[bool], after: list[bool]) -> None:
    """Whatever two owners do, live and resumed, each hears of all that is theirs and of nothing else."""

    async def heard() -> None:
        async with stage(SSE_HEARTBEAT="0.05") as on, on.living():
            async with listen(on, ADA) as hers, listen(on, BEN) as his:
                made = await lives(on, before)
                await told_all(hers, made[ADA])
                await told_all(his, made[BEN])
            more = await lives(on, after)
            async with listen(on, ADA, hers.last_id) as hers, listen(on, BEN, his.last_id) as his:
                await told_all(hers, more[ADA])
                await told_all(his, more[BEN])

    asyncio.run(heard())


async def told_all(ear: Ear, assets: list[str]) -> None:
    await ear.until(3 * len(assets))
    beats = len(ear.ids)
    await ear.eventually(lambda: len(ear.ids) > beats)
    assert sorted(ear.told()) == sorted(
        (kind, asset_id)
        for asset_id in assets
        for kind in ("asset.uploaded", "asset.processing", "asset.ready")
    )


async def test_s06_silence_is_short_and_who_takes_nothing_is_let_go(
    live: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage() as usual:
        assert usual.settings.doors.sse_heartbeat <= timedelta(seconds=15)
    assert SEND_SECONDS + 10 <= 60  # a half-open client: its next heartbeat, and then its patience
    monkeypatch.setattr("api.notifications.stream.SEND_SECONDS", 0.05)
    async with listen(live) as ear:
        assert (ear.headers["cache-control"], ear.headers["x-accel-buffering"]) == ("no-store", "no")
        ear.listening.clear()
        await until(lambda: not len(live.doors.hub))
    ended = live.metrics.registry.get_sample_value("darkroom_sse_streams_ended_total", {"reason": "stalled"})
    assert ended == 1


async def test_r32_only_the_slow_client_is_cut_and_it_resumes(live: Stage) -> None:
    made = []
    async with listen(live) as slow, listen(live) as quick, listen(live) as other:
        slow.listening.clear()
        for _ in range(MANY):
            answer, _ = await upload(live)
            made.append(answer["asset_id"])
        await quick.eventually(lambda: len(quick.heard) >= MANY, 30)
        await other.eventually(lambda: len(other.heard) >= MANY, 30)
        slow.listening.set()
        await slow.eventually(lambda: slow.ended, 30)
        assert (quick.ended, other.ended) == (False, False)
        assert slow.kinds()[-1] == "reconnect"
    assert [asset_id for _, asset_id in quick.told()] == made
    told = slow.told()
    assert len(told) < MANY
    async with listen(live, last_id=slow.last_id) as again:
        await again.eventually(lambda: len(told + again.told()) >= MANY, 30)
    assert sorted(asset_id for _, asset_id in told + again.told()) == sorted(made)


async def test_a_shutdown_ends_streams_in_waves() -> None:
    hub = Hub(streams_per_user=1000, queue=2, metrics=Metrics().sse)
    listeners = [hub.join(owner) for owner in owners(500)]
    hub.drain(0.4)
    with pytest.raises(Unavailable):
        hub.join(owners(1)[0])
    seen = [ended(listeners)]

    def all_ended() -> bool:
        seen.append(ended(listeners))
        return seen[-1] == 500

    await until(all_ended)
    assert len(set(seen)) > 4
    assert max(later - earlier for earlier, later in pairwise(seen)) < 500


async def test_a_few_streams_end_at_once() -> None:
    hub = Hub(streams_per_user=1000, queue=2, metrics=Metrics().sse)
    listeners = [hub.join(owner) for owner in owners(50)]
    hub.drain(60)
    await until(lambda: ended(listeners) == 50)


def owners(count: int) -> list[UUID]:
    return [UUID(int=number) for number in range(count)]


def ended(listeners: list[Listener]) -> int:
    return sum(listener.ending == "shutdown" for listener in listeners)


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(2000):
        if holds():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it never held")

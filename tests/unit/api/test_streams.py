"""Live streams: one's own entries, in order, resumed without a gap or a double, and never without bounds."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from prometheus_client import generate_latest

from schemas.events import UploadCompleted
from schemas.positions import Position, vector_from_token, vector_token
from tests.unit.api.doors import ADA, BEN, Stage, ready, refused, stage, started, upload
from tests.unit.api.ear import Ear, listen
from tests.unit.api.people import somebody


@pytest.fixture
async def live() -> AsyncIterator[Stage]:
    async with stage(SSE_HEARTBEAT="0.1", SSE_QUEUE="64") as made, made.living():
        yield made


@pytest.fixture
async def narrow() -> AsyncIterator[Stage]:
    async with stage(SSE_HEARTBEAT="0.1", SSE_QUEUE="8") as made, made.living():
        yield made


async def happen(on: Stage, key: str = ADA, **words: str) -> str:
    """A whole life of an asset: uploaded, processing, ready."""
    answer, completed = await upload(on, key, **words)
    await on.worked_on(completed)
    return str(answer["asset_id"])


ALL = ("asset.uploaded", "asset.processing", "asset.ready")


async def test_an_asset_is_heard_of_from_upload_to_ready(live: Stage) -> None:
    async with listen(live) as ear:
        assert (ear.status, ear.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        assert (ear.headers["cache-control"], ear.headers["x-accel-buffering"]) == ("no-store", "no")
        asset_id = await happen(live, title="Harbour")
        await ear.until(3)
    assert ear.told() == [(kind, asset_id) for kind in ALL]
    _, last = ear.heard[-1]
    assert last["status"] == "ready"
    assert last["title"] == "Harbour"
    assert f"assets/{asset_id}/variants/x/thumbnail.jpg" in last["url"]
    assert last["timestamp"] == "2026-05-17T08:09:10.000Z"
    assert Position.from_token(last["position"]) == live.log.records[-1].position


async def test_everybody_hears_only_of_their_own(live: Stage) -> None:
    async with listen(live) as hers, listen(live, BEN) as his:
        ada = await happen(live)
        ben = await happen(live, BEN)
        await hers.until(3)
        await his.until(3)
    assert {asset_id for _, asset_id in hers.told()} == {ada}
    assert {asset_id for _, asset_id in his.told()} == {ben}


async def test_failures_are_told_apart_from_tries(live: Stage) -> None:
    async with listen(live) as ear:
        _, completed = await upload(live)
        await live.append(started(completed, live.clock.now()))
        await live.append(refused(completed, live.clock.now(), will_retry=True))
        live.reads.catch_up()
        await live.append(started(completed, live.clock.now(), attempt=2))
        await live.append(refused(completed, live.clock.now(), attempt=2))
        live.reads.catch_up()
        await ear.until(5)
    tries = ["asset.processing", "job.retrying", "asset.processing", "asset.failed"]
    assert ear.kinds() == ["asset.uploaded", *tries]
    assert ear.heard[-1][1]["status"] == "failed"


async def test_heartbeats_carry_the_id_and_dispatch_nothing(live: Stage) -> None:
    async with listen(live) as ear:
        before = ear.last_id
        await happen(live, BEN)
        await ear.eventually(lambda: ear.last_id != before)
        beats = len(ear.ids)
        await asyncio.sleep(0.3)
        assert len(ear.ids) > beats
    assert ear.heard == []
    assert sum(vector_from_token(ear.last_id).values()) > sum(vector_from_token(before).values())


@pytest.mark.parametrize("how", ["header", "query", "both"])
async def test_s03_a_cut_stream_resumes_with_nothing_missed_and_nothing_twice(live: Stage, how: str) -> None:
    async with listen(live) as first:
        made = [await happen(live)]
        await first.until(3)
    made += [await happen(live) for _ in range(3)]
    query = {"header": "", "query": f"after={first.last_id}", "both": f"after={vector_token({0: 0})}"}[how]
    last_id = None if how == "query" else first.last_id
    async with listen(live, last_id=last_id, query=query) as second:
        made.append(await happen(live))
        await second.until(12)
        await asyncio.sleep(0.15)
    told = first.told() + second.told()
    assert sorted(told) == sorted((kind, asset_id) for asset_id in made for kind in ALL)


@pytest.mark.parametrize("cut_after", range(1, 6))
async def test_a_cut_after_any_entry_resumes_right_there(live: Stage, cut_after: int) -> None:
    async with listen(live) as first:
        made = [await happen(live), await happen(live)]
        await first.until(6)
    identifier, _ = first.heard[cut_after - 1]
    async with listen(live, last_id=identifier) as second:
        await second.until(6 - cut_after)
        await asyncio.sleep(0.15)
    told = first.told()[:cut_after] + second.told()
    assert sorted(told) == sorted((kind, asset_id) for asset_id in made for kind in ALL)


async def test_a_writes_position_is_a_place_to_begin(live: Stage) -> None:
    answer, completed = await upload(live)
    position = answer["status_url"].partition("after=")[2]
    await live.worked_on(completed)
    async with listen(live, query=f"after={position}") as ear:
        await ear.until(2)
        await asyncio.sleep(0.15)
    assert ear.kinds() == ["asset.processing", "asset.ready"]


@pytest.mark.parametrize(
    "token",
    [
        "nonsense",
        "x" * 5000,
        vector_token({99: 1}),
        vector_token({0: 10**9}),
        Position(topic="a", partition=0, offset=0).token(),
    ],
)
async def test_s03_what_is_not_known_is_a_reset(live: Stage, token: str) -> None:
    await happen(live)
    async with listen(live, last_id=token) as ear:
        await ear.until(1)
        asset_id = await happen(live)
        await ear.until(4)
    assert ear.kinds() == ["reset", *ALL]
    assert {told for _, told in ear.told()} == {asset_id}


async def test_s03_what_is_too_old_is_a_reset(live: Stage) -> None:
    async with listen(live) as first:
        await happen(live)
        await first.until(3)
    await happen(live)
    live.clock.advance(timedelta(hours=23))
    async with listen(live, last_id=first.last_id) as second:
        await second.until(3)
    live.clock.advance(timedelta(hours=2))
    async with listen(live, last_id=first.last_id) as third:
        await third.until(1)
    assert (second.kinds(), third.kinds()) == (list(ALL), ["reset"])
    # Nothing missed is nothing too old, however long it was.
    async with listen(live, last_id=second.last_id) as fourth:
        await asyncio.sleep(0.15)
    assert fourth.heard == []


@pytest.mark.parametrize("ahead", [True, False])
async def test_a_tailer_that_lags_doubles_nothing_and_loses_nothing(live: Stage, ahead: bool) -> None:
    """A client comes back while this process has not fanned out what is applied: another one was faster."""
    async with listen(live) as first:
        _, completed = await upload(live)
        await first.until(1)
        live.reads.tailing.clear()
        await upload(live)
        elsewhere = live.log.records[-1].position.partition
        await live.append(started(completed, live.clock.now()))
        live.reads.catch_up()
        where = live.log.records[-1].position
        seen = vector_from_token(first.last_id)
        last_id = vector_token({**seen, where.partition: where.offset}) if ahead else vector_token({})
        async with listen(live, last_id=last_id) as second:
            live.reads.tailing.set()
            await live.append(ready(completed, live.clock.now()))
            live.reads.catch_up()
            await second.eventually(lambda: "asset.ready" in second.kinds())
            await asyncio.sleep(0.15)
        mine = [data["type"] for _, data in second.heard if data["asset_id"] == str(completed.asset_id)]
        assert mine == (["asset.ready"] if ahead else list(ALL))
        # The other asset's entry was seen by nobody, unless its partition is the one that was ahead.
        assert len(second.heard) == len(mine) + (not ahead or elsewhere != where.partition)
        if ahead:
            seen_there = [vector_from_token(each)[where.partition] for each in second.ids]
            assert min(seen_there) >= where.offset


def readies(told: list[tuple[str, str]]) -> set[str]:
    return {asset_id for kind, asset_id in told if kind == "asset.ready"}


async def slow(on: Stage, ear: Ear, lives: int) -> list[str]:
    ear.listening.clear()
    made = [await happen(on) for _ in range(lives)]
    await asyncio.sleep(0.1)
    return made


async def test_a_slow_client_gets_the_latest_and_ids_that_hold(narrow: Stage) -> None:
    async with listen(narrow) as ear:
        _, completed = await upload(narrow)
        await ear.until(1)
        ear.listening.clear()
        for attempt in range(1, 12):
            await narrow.append(started(completed, narrow.clock.now(), attempt=attempt))
            await narrow.append(refused(completed, narrow.clock.now(), attempt=attempt, will_retry=True))
        await narrow.append(ready(completed, narrow.clock.now()))
        narrow.reads.catch_up()
        await asyncio.sleep(0.1)
        ear.listening.set()
        await ear.eventually(lambda: "asset.ready" in ear.kinds())
    assert not ear.ended
    assert len(ear.heard) < 20
    identifiers = [sum(vector_from_token(identifier).values()) for identifier in ear.ids]
    assert identifiers == sorted(identifiers)


async def test_a_client_that_is_too_slow_is_cut_and_resumes(narrow: Stage) -> None:
    async with listen(narrow) as ear:
        made = await slow(narrow, ear, 30)
        ear.listening.set()
        await ear.eventually(lambda: ear.ended)
    assert ear.kinds()[-1] == "reconnect"
    told = ear.told()
    async with listen(narrow, last_id=ear.last_id) as again:
        await again.eventually(lambda: readies(told + again.told()) == set(made))
    assert len(told + again.told()) == len(set(told + again.told()))


async def test_s01_streams_are_counted_and_their_places_come_back(live: Stage) -> None:
    most = live.settings.doors.sse_streams_per_user
    async with contextlib.AsyncExitStack() as streams:
        for _ in range(most):
            assert (await streams.enter_async_context(listen(live))).status == 200
        async with listen(live) as refusal:
            assert refusal.status == 429
            assert json.loads(refusal.body)["type"] == "/problems/too-many-streams"
        async with listen(live, BEN) as other:
            assert other.status == 200
    assert not len(live.doors.hub)
    async with listen(live) as again:
        assert again.status == 200


async def test_whoever_is_nobody_hears_nothing(live: Stage) -> None:
    async with listen(live, None) as ear:
        assert ear.status == 401
    async with listen(live, None, query=f"token={ADA}&access_token={ADA}&key={ADA}") as ear:
        assert ear.status == 401
    assert not len(live.doors.hub)


async def test_a_head_request_takes_no_place(live: Stage) -> None:
    async with listen(live, method="HEAD") as ear:
        assert (ear.status, ear.body) == (200, b"")
    assert not len(live.doors.hub)


async def test_streams_end_with_the_process(live: Stage) -> None:
    async with listen(live) as ear:
        live.doors.hub.close()
        await ear.eventually(lambda: ear.ended)
        assert ear.kinds() == ["reconnect"]
        assert len(ear.retries) == 2
    async with listen(live) as late:
        assert late.status == 503


async def test_streams_end_when_they_are_old() -> None:
    async with stage(SSE_LIFETIME="0.3", SSE_HEARTBEAT="0.1") as on, on.living():
        async with listen(on) as ear:
            asset_id = await happen(on)
            await ear.eventually(lambda: ear.ended)
        assert ear.kinds() == [*ALL, "reconnect"]
        assert {told for _, told in ear.told()} == {asset_id}


async def test_an_outage_of_the_database_passes(live: Stage) -> None:
    async with listen(live) as ear:
        live.reads.down = True
        _, completed = await upload(live)
        assert isinstance(completed, UploadCompleted)
        await asyncio.sleep(0.2)
        async with listen(live, BEN) as late:
            assert late.status == 200  # the tailer knows where it stands
        live.reads.down = False
        await live.worked_on(completed)
        await ear.until(3)
    assert ear.kinds() == list(ALL)


async def test_without_a_database_no_stream_begins(live: Stage) -> None:
    live.reads.down = True
    async with listen(live) as ear:
        assert ear.status == 503
        assert json.loads(ear.body)["type"] == "/problems/read-store-unavailable"


async def test_s02_hostile_titles_break_no_block(live: Stage) -> None:
    title = "a\nb\r\ndata: {}\n\nid: 1\u2028\u2029\u0085<script>"
    async with listen(live) as ear:
        await happen(live, title=title)
        await ear.until(3)
    assert [data["title"] for _, data in ear.heard] == [title] * 3
    assert ear.body.isascii()  # no reader can take a character for the end of a line


async def test_what_streams_do_is_measured(live: Stage) -> None:
    async with listen(live) as ear:
        await happen(live)
        await ear.until(3)
        assert "darkroom_sse_streams 1.0" in generate_latest(live.metrics.registry).decode()
    measured = generate_latest(live.metrics.registry).decode()
    assert "darkroom_sse_streams 0.0" in measured
    assert 'darkroom_sse_streams_ended_total{reason="client"} 1.0' in measured
    assert 'darkroom_sse_entries_total{type="asset.ready"} 1.0' in measured


async def test_s04_a_stream_ends_with_its_credential(live: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.notifications.stream.CREDENTIAL_SECONDS", 0.05)
    ada = await somebody(live)
    async with listen(live, ada.access) as ear, listen(live) as other:
        live.accounts.down = live.reads.down = True  # while nobody can say, it goes on
        await asyncio.sleep(0.2)
        live.accounts.down = live.reads.down = False
        assert (await ada.client().post("/v1/auth/logout")).status_code == 204
        await ear.eventually(lambda: ear.ended)
        assert not other.ended
    assert ear.kinds() == ["reconnect"]

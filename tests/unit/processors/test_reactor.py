"""The reactor: every way in which a record can end, and that it says so exactly once."""

import asyncio
from dataclasses import replace
from uuid import uuid4

import pytest

from adapters.event_log import LogUnavailable, OutcomeUnknown
from processors.failures import Exhaustion, Outage, Refusal, Unfit
from processors.look_ahead.headers import fact_of
from processors.look_ahead.job_index import JobFact
from schemas.envelope import RawRecord, read_headers
from schemas.events import (
    ProcessingStarted,
)
from tests.unit.processors.scripted import Scripted, raising, well
from tests.unit.processors.worlds import Left, World, altered, take


async def test_work_that_goes_well_is_said_with_its_causes() -> None:
    world = World()
    correlation = uuid4()
    request = await world.request()
    record = await world.appended(request, correlation)

    assert await take(world.reactor(Scripted(well)), record)

    assert world.names() == ["ProcessingStarted", "VariantsReady"]
    for said in world.log.records[1:]:
        headers = read_headers(said.headers)
        assert headers["correlationid"] == str(correlation)
        assert headers["causationid"] == str(request.event_id)
        assert headers["lane"] == "live"
        assert headers["attempt"] == "1"
        assert headers["jobid"] == str(request.job_id)
        assert said.key == record.key


async def test_the_same_job_says_the_same_result_whoever_says_it() -> None:
    ids = set()
    request = await World().request()
    for _ in range(2):
        world = World()
        await take(world.reactor(Scripted(well)), await world.appended(request))
        ids.add(world.said()[-1].event_id)
    assert len(ids) == 1


async def test_each_start_has_an_event_id_of_its_own() -> None:
    world = World()
    record = await world.appended(await world.request())
    await take(world.reactor(Scripted(raising(ValueError("once")))), record)
    starts = [event.event_id for event in world.said() if isinstance(event, ProcessingStarted)]
    assert len(set(starts)) == 2


@pytest.mark.parametrize(
    ("error", "kind", "letters"),
    [
        (Refusal("corrupt"), "refused", 0),
        (Exhaustion("timeout"), "exhausted", 0),
        (Outage("store_unavailable"), "unavailable", 1),
    ],
)
async def test_an_end_of_the_works_own_is_said_once(error: Exception, kind: str, letters: int) -> None:
    world, scripted = World(), Scripted(raising(error))
    assert await take(world.reactor(scripted), await world.appended(await world.request()))
    (failure,) = world.failures()
    assert (failure.kind, failure.will_retry, failure.attempt) == (kind, False, 1)
    assert scripted.attempts == [1]
    assert len(world.dead_letters.letters) == letters


async def test_a_bug_is_tried_three_times_then_set_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("processors.reactor._PAUSE_AFTER_A_BUG", 0.0)
    world = World()
    scripted = Scripted(raising(*[ValueError("always")] * 9))
    record = await world.appended(await world.request())
    assert await take(world.reactor(scripted), record)
    assert scripted.attempts == [1, 2, 3]
    assert [(f.attempt, f.kind, f.will_retry) for f in world.failures()] == [
        (1, "internal", True),
        (2, "internal", True),
        (3, "internal", False),
    ]
    (letter,) = world.dead_letters.letters
    assert letter.record.value == record.value
    assert (letter.reason.code, letter.reason.attempts) == ("unexpected_error", 3)


async def test_attempts_go_on_where_other_workers_ended_in_silence() -> None:
    world, scripted = World(), Scripted(well)
    record = await world.appended(request := await world.request())
    world.look_ahead.said(
        record.partition,
        JobFact(offset=1, event="ProcessingStarted", job_id=request.job_id, attempt=1),
    )
    assert await take(world.reactor(scripted), record)
    assert scripted.attempts == [2]


async def test_the_third_silent_end_is_the_last() -> None:
    world, scripted = World(), Scripted(well)
    record = await world.appended(request := await world.request())
    for attempt in (1, 2, 3):
        begun = JobFact(offset=1, event="ProcessingStarted", job_id=request.job_id, attempt=attempt)
        world.look_ahead.said(record.partition, begun)
    assert await take(world.reactor(scripted), record)
    assert scripted.attempts == []
    (failure,) = world.failures()
    assert (failure.kind, failure.code, failure.attempt, failure.will_retry) == (
        "internal",
        "worker_lost",
        3,
        False,
    )
    assert len(world.dead_letters.letters) == 1


async def test_a_record_that_comes_twice_is_worked_on_once() -> None:
    world, scripted = World(), Scripted(well)
    reactor = world.reactor(scripted)
    record = await world.appended(await world.request())
    assert await take(reactor, record)
    assert await take(reactor, record)
    assert scripted.attempts == [1]
    assert world.names() == ["ProcessingStarted", "VariantsReady"]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, "null_value"),
        (b"", "empty_value"),
        (b"GIF89a and more", "wrong_magic"),
        (b"\0\0\0", "too_short"),
        (b"\0\xff\xff\xff\xff rest", "unknown_schema_id"),
        (b"\0\0\0\0\x02rest", "truncated_value"),
    ],
)
async def test_poison_goes_to_the_dead_letters_as_it_was(value: bytes | None, code: str) -> None:
    """R11: the original bytes with their place and the reason; nothing is said, and the next goes on."""
    world, scripted = World(), Scripted(well)
    reactor = world.reactor(scripted)
    record = await world.appended(await world.request())
    assert await take(reactor, altered(record, value))
    (letter,) = world.dead_letters.letters
    assert letter.record.value == value
    assert (letter.headers["dl-offset"], letter.headers["dl-code"]) == (str(record.offset), code)
    assert world.said() == []
    assert await take(reactor, await world.appended(await world.request()))
    assert scripted.attempts == [1]


async def test_the_other_lane_is_left_to_the_other_group() -> None:
    world, scripted = World(lane="bulk"), Scripted(well)
    reactor = world.reactor(scripted)
    record = await world.appended(await world.request())
    assert await take(reactor, record)
    without_headers = RawRecord(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        timestamp_ms=0,
        key=record.key,
        value=record.value,
        headers=(),
    )
    assert await take(reactor, without_headers)
    assert scripted.attempts == []


async def test_what_the_other_lane_can_not_read_is_for_it_to_set_aside() -> None:
    world = World(lane="bulk")
    record = altered(await world.appended(await world.request()), b"poison")
    assert await take(world.reactor(Scripted(well)), record)
    assert world.dead_letters.letters == []


async def test_a_record_that_names_no_lane_and_nobody_can_read_is_one_letter() -> None:
    letters = []
    for lane in ("live", "bulk"):
        world = World(lane=lane)
        record = altered(await world.appended(await world.request()), b"poison")
        assert await take(world.reactor(Scripted(well)), replace(record, headers=()))
        letters += [(lane, letter.reason.code) for letter in world.dead_letters.letters]
    assert letters == [("live", "wrong_magic")]


async def test_events_that_ask_for_nothing_are_passed() -> None:
    world, scripted = World(), Scripted(well)
    reactor = world.reactor(scripted)
    await take(reactor, await world.appended(await world.request()))
    for record in list(world.log.records)[1:]:
        assert await take(reactor, record)
    assert scripted.attempts == [1]


async def test_only_what_asks_for_nothing_passes_at_once() -> None:
    """Requests of our lane and what can't be read are for `take`, whose policy knows what to do with them."""
    world = World()
    reactor = world.reactor(Scripted(well))
    await take(reactor, await world.appended(await world.request()))
    request, *said = world.log.records
    assert [reactor.passes(record) for record in said] == [True, True]
    assert skipped(world) == 2
    unread = [
        altered(said[0], value) for value in (None, b"", b"\0\0\0\0\x02rest", (said[0].value or b"")[:-1])
    ]
    assert [reactor.passes(record) for record in (request, *unread)] == [False] * 5
    assert skipped(world) == 2
    world.lane = "bulk"
    assert world.reactor(Scripted(well)).passes(request)


def skipped(world: World) -> float | None:
    return world.metrics.registry.get_sample_value("darkroom_worker_records_total", {"outcome": "skipped"})


@pytest.mark.parametrize("failure", [LogUnavailable("gone"), OutcomeUnknown("cut")])
async def test_without_a_log_the_process_leaves(failure: LogUnavailable | OutcomeUnknown) -> None:
    world = World()
    record = await world.appended(await world.request())
    world.log.failure = failure
    with pytest.raises(Left, match="took nothing"):
        await take(world.reactor(Scripted(well)), record)


async def test_a_log_that_comes_back_in_time_hears_everything() -> None:
    world = World()
    record = await world.appended(await world.request())
    world.log.failure = LogUnavailable("gone")

    async def heal() -> None:
        await asyncio.sleep(0.1)
        world.log.failure = None

    _, settled = await asyncio.gather(heal(), take(world.reactor(Scripted(well), wait=5.0), record))
    assert settled
    assert world.names() == ["ProcessingStarted", "VariantsReady"]


async def test_without_dead_letters_the_process_leaves_and_nothing_is_passed_over() -> None:
    world = World()
    world.dead_letters.failing = True
    record = altered(await world.appended(await world.request()), b"poison")
    with pytest.raises(Left):
        await take(world.reactor(Scripted(well)), record)


async def test_a_process_that_can_work_no_more_says_so_and_leaves() -> None:
    world = World()
    record = await world.appended(await world.request())
    with pytest.raises(Left):
        await take(world.reactor(Scripted(raising(Unfit("shutdown")))), record)
    (failure,) = world.failures()
    assert (failure.kind, failure.will_retry) == ("interrupted", True)


async def test_sightings_read_off_records_are_those_of_the_events() -> None:
    world = World()
    request = await world.request()
    await take(world.reactor(Scripted(raising(Refusal("corrupt")))), await world.appended(request))
    started, failed = (fact_of(record, world.log.codec.decode) for record in world.log.records[1:])
    assert started is not None
    assert failed is not None
    assert (started.event, started.job_id, started.attempt) == ("ProcessingStarted", request.job_id, 1)
    assert (failed.kind, failed.will_retry, failed.asset_id) == ("refused", False, request.asset_id)
    assert fact_of(world.log.records[0], world.log.codec.decode) is None

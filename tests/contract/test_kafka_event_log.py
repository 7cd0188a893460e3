"""What the event log on Kafka does when the broker is away, silent, wrong or beyond repair."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
from confluent_kafka import KafkaError

from adapters.event_log import AppendFailed, KafkaEventLog, LogUnavailable, OutcomeUnknown
from adapters.telemetry import Metrics
from schemas.codec import Codec
from schemas.events import UploadRequested
from schemas.positions import Position
from tests.contract.appending import recovered
from tests.contract.ground import make_topics, metadata, read, upload_requested
from tests.servers import World

DOOR_SECONDS = 5.0
"""What the doors promise, from request to answer."""


@pytest.fixture(scope="module")
def prepared(world: World) -> World:
    make_topics(world.settings().kafka)
    return world


@asynccontextmanager
async def opened(
    world: World, metrics: Metrics | None = None, **overrides: str
) -> AsyncIterator[KafkaEventLog]:
    kafka = world.settings(**overrides).kafka
    log = KafkaEventLog(kafka, Codec.local(), metrics=(metrics or Metrics()).log)
    try:
        yield log
    finally:
        await log.close()


async def end_of(log: KafkaEventLog, event: UploadRequested) -> Position | AppendFailed:
    """How an append ended, which must be within the doors' time."""
    began = time.monotonic()
    try:
        return await log.append(event, metadata())
    except AppendFailed as error:
        return error
    finally:
        assert time.monotonic() - began < DOOR_SECONDS


def held(world: World) -> list[str]:
    """The event ids that the log holds, each as often as it stands there."""
    kafka, codec = world.settings().kafka, Codec.local()
    return [str(codec.decode(record.value).event_id) for record in read(kafka, kafka.topics.assets)]


async def test_a_refused_event_never_lands_and_appends_go_on_by_themselves(prepared: World) -> None:
    refused, last = [], upload_requested()
    async with opened(prepared) as log:
        await recovered(log, upload_requested(), end_of)
        with prepared.servers.kafka.down():
            for _ in range(20):
                event = upload_requested()
                end = await end_of(log, event)
                assert isinstance(end, AppendFailed)
                if isinstance(end, LogUnavailable):
                    refused.append(str(event.event_id))
                await asyncio.sleep(0.05)
            assert not await log.reachable()
        await recovered(log, last, end_of)
        await asyncio.sleep(1)  # time for anything that was still on its way
    there = held(prepared)
    assert len(refused) > 10
    assert not set(refused) & set(there)
    assert str(last.event_id) in there


async def test_a_silent_broker_leaves_the_outcome_unknown_and_a_repetition_settles_it(
    prepared: World,
) -> None:
    events = [upload_requested() for _ in range(5)]
    async with opened(prepared) as log:
        await recovered(log, upload_requested(), end_of)
        with prepared.servers.kafka.paused():
            ends = await asyncio.gather(*(end_of(log, event) for event in events))
            assert all(isinstance(end, OutcomeUnknown) for end in ends)
            # From here the outage is known, and nothing more is handed to the client library.
            assert isinstance(await end_of(log, upload_requested()), LogUnavailable)
        for event in events:
            await recovered(log, event, end_of)
    there = held(prepared)
    assert all(str(event.event_id) in there for event in events)


async def test_a_cancelled_append_ends_only_when_its_outcome_is_known(prepared: World) -> None:
    event = upload_requested()
    async with opened(prepared) as log:
        await recovered(log, upload_requested(), end_of)
        with prepared.servers.kafka.paused():
            began = time.monotonic()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await log.append(event, metadata())
            assert time.monotonic() - began > 1


async def test_no_broker_at_all_is_said_within_the_doors_time(prepared: World) -> None:
    async with opened(prepared, KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1") as log:
        assert isinstance(await end_of(log, upload_requested()), LogUnavailable)
        assert not await log.reachable()


async def test_topics_that_are_missing_or_drifted_are_refused_with_a_sentence(prepared: World) -> None:
    async with opened(prepared, TOPIC_PREFIX=f"x{uuid4().hex}") as log:
        missing = await end_of(log, upload_requested())
    async with opened(prepared, KAFKA_PARTITIONS="5") as log:
        drifted = await end_of(log, upload_requested())
    assert isinstance(missing, LogUnavailable)
    assert "has 0 partitions instead of" in str(missing)
    assert isinstance(drifted, LogUnavailable)
    assert "has 4 partitions instead of 5" in str(drifted)


async def test_after_a_fatal_error_the_producer_is_replaced(prepared: World) -> None:
    metrics = Metrics()
    async with opened(prepared, metrics) as log:
        await recovered(log, upload_requested(), end_of)
        log._producer._on_error(KafkaError(KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER, "injected", True))
        event = upload_requested()
        await recovered(log, event, end_of)
        restarts = metrics.registry.get_sample_value("darkroom_log_producer_restarts_total")
    assert restarts == 1
    assert str(event.event_id) in held(prepared)


async def test_what_is_on_its_way_is_awaited_when_the_log_is_closed(prepared: World) -> None:
    events = [upload_requested() for _ in range(50)]
    async with opened(prepared) as log:
        await recovered(log, upload_requested(), end_of)
        ends = asyncio.gather(*(end_of(log, event) for event in events))
        await asyncio.sleep(0)
    assert all(isinstance(end, Position) for end in await ends)
    assert {str(event.event_id) for event in events} <= set(held(prepared))


async def test_appends_are_counted_by_their_end(prepared: World) -> None:
    metrics = Metrics()
    async with opened(prepared, metrics) as log:
        await recovered(log, upload_requested(), end_of)
    count = metrics.registry.get_sample_value
    assert count("darkroom_log_appends_total", {"verdict": "acknowledged"}) == 1
    assert count("darkroom_log_append_seconds_count") == 1

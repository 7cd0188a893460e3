"""The contract of an event log, met by the one in memory and by Kafka."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from uuid import uuid4

import pytest

from adapters.event_log import EventLog, InMemoryEventLog, KafkaEventLog, LogUnavailable, RecordTooLarge
from adapters.telemetry import Metrics
from schemas.codec import Codec
from schemas.envelope import RawRecord, headers_for
from schemas.partitioner import partition_for
from tests.contract.ground import at, make_topics, metadata, read, upload_requested
from tests.servers import World


@dataclass(frozen=True, slots=True)
class Subject:
    """A log, its partition count, and a way to see what it holds."""

    log: EventLog
    partitions: int
    records: Callable[[], list[RawRecord]]


@pytest.fixture(params=["memory", "kafka"])
async def subject(request: pytest.FixtureRequest) -> AsyncIterator[Subject]:
    if request.param == "memory":
        memory = InMemoryEventLog()
        yield Subject(memory, memory.partitions, lambda: memory.records)
        return
    world: World = request.getfixturevalue("prepared")
    kafka = world.settings().kafka
    log = KafkaEventLog(kafka, Codec.local(), metrics=Metrics().log)
    yield Subject(log, kafka.partitions, lambda: read(kafka, kafka.topics.assets))
    await log.close()


@pytest.fixture(scope="module")
def prepared(world: World) -> World:
    make_topics(world.settings().kafka)
    return world


async def test_an_appended_event_stands_at_its_position(subject: Subject) -> None:
    event, about = upload_requested(), metadata()
    position = await subject.log.append(event, about)
    record = at(subject.records(), position)
    assert record.key == str(event.asset_id).encode()
    assert record.value is not None
    assert Codec.local().decode(record.value) == event
    assert list(record.headers) == headers_for(event, about)
    assert record.partition == partition_for(record.key, subject.partitions)


async def test_events_of_one_key_keep_their_order(subject: Subject) -> None:
    asset_id = uuid4()
    positions = [await subject.log.append(upload_requested(asset_id), metadata()) for _ in range(5)]
    assert len({position.partition for position in positions}) == 1
    assert positions == sorted(positions)


async def test_many_appends_at_once_each_have_their_own_position(subject: Subject) -> None:
    positions = await asyncio.gather(
        *(subject.log.append(upload_requested(), metadata()) for _ in range(300))
    )
    assert len(set(positions)) == 300


async def test_what_no_log_takes_is_refused_for_good(subject: Subject) -> None:
    with pytest.raises(RecordTooLarge):
        await subject.log.append(upload_requested(words=bytes(1_100_000)), metadata())
    await subject.log.append(upload_requested(), metadata())


async def test_a_log_is_reachable_until_it_is_closed(subject: Subject) -> None:
    assert await subject.log.reachable()
    await subject.log.close()
    with pytest.raises(LogUnavailable):
        await subject.log.append(upload_requested(), metadata())

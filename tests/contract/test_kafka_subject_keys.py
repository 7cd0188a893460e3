"""What the keys of the key topic do across processes, restarts, lost files, new topics and outages."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from adapters.event_log import AppendFailed, KafkaEventLog, LogUnavailable
from adapters.settings import Settings
from adapters.subject_keys import KafkaSubjectKeys, KeyErased, UnknownKey
from adapters.telemetry import Metrics
from schemas.codec import Codec
from schemas.events import SubjectKey
from tests.contract.ground import make_topics, metadata, read
from tests.servers import World

A_MASTER = "a:" + "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="
B_MASTER = "b:" + "QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI="


@pytest.fixture
def settings(world: World) -> Settings:
    """Settings with topics of the test's own."""
    made = world.settings(uuid4().hex, TOPIC_PREFIX=f"k{uuid4().hex[:10]}")
    make_topics(made.kafka)
    return made


def elsewhere(world: World, settings: Settings, **changed: str) -> Settings:
    """The same log as another process sees it, with a state folder of its own."""
    return world.settings(uuid4().hex, TOPIC_PREFIX=settings.kafka.topic_prefix, **changed)


@asynccontextmanager
async def process(
    settings: Settings, metrics: Metrics | None = None, *, current: bool = True
) -> AsyncIterator[tuple[KafkaSubjectKeys, KafkaEventLog]]:
    """A process that may make keys."""
    metrics = metrics or Metrics()
    log = KafkaEventLog(settings.kafka, Codec.local(), metrics=metrics.log)
    keys = KafkaSubjectKeys(settings, Codec.local(), log, component="test", metrics=metrics.keys)
    keys.start()
    try:
        if current:
            assert await asyncio.to_thread(keys.wait_until_current, 15)
        yield keys, log
    finally:
        await asyncio.to_thread(keys.close)
        await log.close()


def marker(user_id: UUID, key_id: UUID) -> SubjectKey:
    now = datetime.now(UTC)
    return SubjectKey(event_id=uuid4(), occurred_at=now, user_id=user_id, key_id=key_id, erased=True)


def records(settings: Settings) -> list[SubjectKey]:
    found = [
        Codec.local().decode(record.value)
        for record in read(settings.kafka, settings.kafka.topics.subject_keys)
    ]
    return [event for event in found if isinstance(event, SubjectKey)]


async def test_a_key_is_in_the_topic_wrapped_before_it_is_used(settings: Settings) -> None:
    user = uuid4()
    async with process(settings) as (keys, _):
        key = await keys.data_key(user)
        (record,) = records(settings)
    assert (record.user_id, record.key_id, record.erased) == (user, key, False)
    assert record.wrapped is not None
    assert len(record.wrapped) == 12 + 32 + 16


async def test_another_process_opens_what_was_sealed_a_moment_ago(world: World, settings: Settings) -> None:
    other = KafkaSubjectKeys(elsewhere(world, settings), Codec.local(), None, component="other")
    other.start()
    async with process(settings) as (keys, _):
        for _ in range(5):
            user = uuid4()
            key = await keys.data_key(user)
            sealed = keys.seal(user, key, "sealed_words", b"words")
            assert await asyncio.to_thread(other.open, user, "sealed_words", sealed) == b"words"
            assert await other.data_key(user) == key
        with pytest.raises(LogUnavailable):
            await other.data_key(uuid4())
    other.close()


async def test_a_restart_goes_on_from_its_file_and_needs_no_broker_for_it(
    world: World, settings: Settings
) -> None:
    user = uuid4()
    async with process(settings) as (keys, _):
        sealed = keys.seal(user, await keys.data_key(user), "sealed_words", b"words")
        assert keys.wait_until_current(40)
    unreachable = world.settings(
        settings.runtime.state_dir.name,
        TOPIC_PREFIX=settings.kafka.topic_prefix,
        KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1",
    )
    async with process(unreachable, current=False) as (keys, _):
        assert keys.open(user, "sealed_words", sealed) == b"words"
        assert not await asyncio.to_thread(keys.wait_until_current, 0.5)
        assert keys.trouble() is not None


@pytest.mark.parametrize("damage", ["missing", "garbage", "truncated"])
async def test_a_lost_file_is_made_anew_from_the_topic(settings: Settings, damage: str) -> None:
    user = uuid4()
    file = settings.runtime.state_dir / "subject-keys.sqlite3"
    async with process(settings) as (keys, _):
        sealed = keys.seal(user, await keys.data_key(user), "sealed_words", b"words")
    await asyncio.to_thread(_damage, file, damage)
    async with process(settings) as (keys, _):
        assert keys.open(user, "sealed_words", sealed) == b"words"
    assert file.stat().st_mode & 0o077 == 0


def _damage(file: Path, how: str) -> None:
    match how:
        case "missing":
            file.unlink()
        case "garbage":
            file.write_bytes(b"no database" * 1000)
        case _:
            file.write_bytes(file.read_bytes()[:5000])


async def test_keys_of_a_topic_that_was_made_anew_are_forgotten(settings: Settings) -> None:
    user = uuid4()
    topic = settings.kafka.topics.subject_keys
    async with process(settings) as (keys, _):
        sealed = keys.seal(user, await keys.data_key(user), "sealed_words", b"words")
    admin = AdminClient(settings.kafka.client())
    admin.delete_topics([topic])[topic].result(30)
    await asyncio.to_thread(_until_gone, admin, topic)
    make_topics(settings.kafka, only=frozenset({topic}))
    async with process(settings) as (keys, _):
        with pytest.raises(UnknownKey):
            await asyncio.to_thread(keys.open, user, "sealed_words", sealed)


def _until_gone(admin: AdminClient, topic: str) -> None:
    while topic in admin.list_topics(timeout=10).topics:
        time.sleep(0.1)


async def test_a_key_behind_its_marker_stays_erased_and_the_marker_is_said_again(
    world: World, settings: Settings
) -> None:
    user, metrics = uuid4(), Metrics()
    async with process(settings, metrics) as (keys, log):
        key = await keys.data_key(user)
        sealed = keys.seal(user, key, "sealed_words", b"words")
        (original,) = records(settings)
        await log.append(marker(user, key), metadata())
        await log.append(original, metadata())
        deadline = time.monotonic() + 40
        while not (found := records(settings))[-1].erased or len(found) < 4:
            assert time.monotonic() < deadline, found
            await asyncio.sleep(0.1)
        assert keys.open(user, "sealed_words", sealed) is None
        with pytest.raises(KeyErased):
            keys.seal(user, key, "sealed_words", b"words")
        await asyncio.sleep(0.5)
    assert [event.erased for event in records(settings)] == [False, True, False, True]
    assert metrics.registry.get_sample_value("darkroom_keys_markers_repeated_total") == 1
    async with process(elsewhere(world, settings)) as (keys, _):
        assert keys.open(user, "sealed_words", sealed) is None
    assert len(records(settings)) == 4


async def test_records_that_cannot_be_read_are_counted_and_passed_over(settings: Settings) -> None:
    metrics, user = Metrics(), uuid4()
    producer = Producer(settings.kafka.client())
    for value in (b"", None, b"\x00\x00", b"garbage", b"\x00\x00\x00\x00\x63abc"):
        producer.produce(settings.kafka.topics.subject_keys, value=value, key=b"k", partition=0)
    assert producer.flush(10) == 0
    async with process(settings, metrics) as (keys, _):
        sealed = keys.seal(user, await keys.data_key(user), "sealed_words", b"words")
        assert keys.open(user, "sealed_words", sealed) == b"words"
        assert keys.wait_until_current(40)
    counted = {
        sample.labels["code"]: sample.value
        for family in metrics.registry.collect()
        if family.name == "darkroom_keys_unreadable"
        for sample in family.samples
        if sample.name.endswith("_total")
    }
    assert sum(counted.values()) == 5


async def test_without_brokers_no_key_is_made_and_it_is_said_in_time(
    world: World, settings: Settings
) -> None:
    nowhere = elsewhere(world, settings, KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1")
    async with process(nowhere, current=False) as (keys, _):
        user, began = uuid4(), time.monotonic()
        ends = await asyncio.gather(*(keys.data_key(user) for _ in range(8)), return_exceptions=True)
        assert all(isinstance(end, AppendFailed) for end in ends)
        assert time.monotonic() - began < 15


async def test_the_first_master_key_wraps_and_all_unwrap(world: World, settings: Settings) -> None:
    ada, ben = uuid4(), uuid4()
    async with process(elsewhere(world, settings, MASTER_KEY=A_MASTER)) as (keys, _):
        of_ada = keys.seal(ada, await keys.data_key(ada), "sealed_words", b"ada")
    async with process(elsewhere(world, settings, MASTER_KEY=f"{B_MASTER},{A_MASTER}")) as (keys, _):
        of_ben = keys.seal(ben, await keys.data_key(ben), "sealed_words", b"ben")
        assert keys.open(ada, "sealed_words", of_ada) == b"ada"
    async with process(elsewhere(world, settings, MASTER_KEY=A_MASTER)) as (keys, _):
        assert keys.open(ada, "sealed_words", of_ada) == b"ada"
        with pytest.raises(UnknownKey, match="master key b"):
            keys.open(ben, "sealed_words", of_ben)
    assert {record.master_key_id for record in records(settings)} == {"a", "b"}


async def test_following_goes_on_after_an_outage(world: World, settings: Settings) -> None:
    async with process(settings) as (keys, _):
        with world.servers.kafka.down():
            assert not await asyncio.to_thread(keys.wait_until_current, 1)
        user = uuid4()
        key = await _made_at_last(keys, user)
        assert await asyncio.to_thread(keys.wait_until_current, 10)
        assert keys.seal(user, key, "sealed_words", b"words")


async def _made_at_last(keys: KafkaSubjectKeys, user: UUID) -> UUID:
    for _ in range(200):
        try:
            return await keys.data_key(user)
        except AppendFailed:
            await asyncio.sleep(0.25)
    raise AssertionError("no key could be made after the outage")

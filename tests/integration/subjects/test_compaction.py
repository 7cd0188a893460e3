"""Erased keys leave the brokers' segments within seconds, and living ones stay."""

import asyncio
import time
from uuid import uuid4

from confluent_kafka.admin import (  # type: ignore[attr-defined]  # public, but not in its __all__
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from adapters.settings import KafkaSettings
from adapters.subject_keys import Custody
from ops.subjects.compaction import fill, fillers, short_segments, wait_until_gone
from ops.subjects.key_records import key_places, still_there
from schemas.codec import Codec
from schemas.envelope import key_of
from schemas.partitioner import partition_for
from tests.contract.ground import make_topics
from tests.contract.test_kafka_subject_keys import process
from tests.servers import World


def overrides(kafka: KafkaSettings) -> dict[str, str]:
    """What is set on the key topic beside what every such topic has."""
    resource = ConfigResource(ResourceType.TOPIC, kafka.topics.subject_keys)
    admin = AdminClient(kafka.client())  # held until it has answered
    (asked,) = admin.describe_configs([resource]).values()
    found = asked.result(10)
    ours = {"segment.ms", "file.delete.delay.ms"}
    return {name: entry.value for name, entry in found.items() if not entry.is_default and name in ours}


def test_fillers_reach_every_partition() -> None:
    for partitions in (1, 4, 12):
        assert {partition_for(key_of(each), partitions) for each in fillers(partitions)} == set(
            range(partitions)
        )


async def test_an_erased_key_leaves_the_segments_and_a_living_one_stays(world: World) -> None:
    settings = world.settings("compaction")
    make_topics(settings.kafka)
    kafka, codec, ada, ben = settings.kafka, Codec.local(), uuid4(), uuid4()
    async with process(settings) as (keys, log):
        sealed = keys.seal(ben, await keys.data_key(ben), "sealed_words", b"words")
        await keys.data_key(ada)
        held = Custody(keys, log, settings.secrets.master_keys, source="/test")
        held.erase(ada)
        places = await asyncio.to_thread(key_places, kafka, codec, [ada, ben])
        assert [len(places[user]) for user in (ada, ben)] == [1, 1]
        fill(kafka, log, source="/test")
        assert still_there(kafka, places[ada]) == places[ada]  # no filler alone does it
        told: list[int] = []
        with short_segments(kafka):
            assert overrides(kafka).keys() == {"segment.ms", "file.delete.delay.ms"}
            left = await asyncio.to_thread(
                lambda: wait_until_gone(kafka, log, places[ada], source="/test", seconds=60, told=told.append)
            )
        assert (left, told[0], told[-1]) == ([], 1, 0)
        assert overrides(kafka) == {}
        assert await asyncio.to_thread(key_places, kafka, codec, [ada, ben]) == {ada: [], ben: places[ben]}
        assert keys.open(ben, "sealed_words", sealed) == b"words"
    async with process(world.settings("fresh")) as (keys, _):
        assert keys.open(ben, "sealed_words", sealed) == b"words"


def test_what_an_operator_had_set_comes_back(world: World) -> None:
    kafka = world.settings("operator", TOPIC_PREFIX=f"o{uuid4().hex[:10]}").kafka
    make_topics(kafka, only=frozenset({kafka.topics.subject_keys}))
    admin = AdminClient(kafka.client())
    entry = ConfigEntry("segment.ms", "3600000", incremental_operation=AlterConfigOpType.SET)
    theirs = ConfigResource(ResourceType.TOPIC, kafka.topics.subject_keys, incremental_configs=[entry])
    (altered,) = admin.incremental_alter_configs([theirs]).values()
    altered.result(10)
    told(kafka, {"segment.ms": "3600000"})
    with short_segments(kafka):
        told(kafka, {"segment.ms": "1000", "file.delete.delay.ms": "1000"})
    told(kafka, {"segment.ms": "3600000"})


def told(kafka: KafkaSettings, wanted: dict[str, str]) -> None:
    """Waits until the broker tells of what it was told: it does so a moment later."""
    deadline = time.monotonic() + 30
    while overrides(kafka) != wanted:
        assert time.monotonic() < deadline, overrides(kafka)
        time.sleep(0.1)

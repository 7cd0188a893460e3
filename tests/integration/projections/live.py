"""A real log with people's keys, for tests that run the projector as a program."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from confluent_kafka import Consumer, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # its own way of exporting

from adapters.event_log import KafkaEventLog, LogUnavailable, OutcomeUnknown
from adapters.schema_registry import ConfluentSchemaRegistry, codec_of
from adapters.settings import Settings
from adapters.subject_keys import KafkaSubjectKeys
from adapters.telemetry import Metrics
from projections import operating
from projections.checkpoints import LoopName, live_loop
from projections.composition import group_of
from projections.records import Record, record_of
from projections.topic import ends
from schemas.envelope import Metadata, key_of
from schemas.events import AssetEvent, IdentityEvent
from schemas.partitioner import partition_for
from schemas.topics import topic_specs
from tests.integration.projections.rows import Dump, dump
from tests.servers import World
from tests.unit.projections.stories import Stories, an_id

PATIENCE_SECONDS = 60.0


class LiveLog:
    """Appends events and bytes, and looks at what came of them."""

    def __init__(
        self, world: World, name: str = "author", loop: LoopName = "assets", **overrides: str
    ) -> None:
        self.settings: Settings = world.settings(name, **overrides)
        self._registry = ConfluentSchemaRegistry(self.settings.registry)
        self.codec = codec_of(self._registry, self.settings.kafka.topics)
        self.loop = live_loop(self.settings.kafka.topics, loop)
        self.log = KafkaEventLog(self.settings.kafka, self.codec, metrics=Metrics().log)
        self.keys = KafkaSubjectKeys(self.settings, self.codec, self.log, component=name)
        self.keys.start()
        self.stories = Stories(name, self.keys)
        self._raw = Producer(self.settings.kafka.client() | {"acks": "all"})

    def owner(self, name: str) -> Any:
        return asyncio.run(self.stories.owner(name))

    def append(self, *events: AssetEvent | IdentityEvent) -> None:
        """Appends each, again under the same id where the broker has only just come back."""
        for event in events:
            metadata = Metadata(correlation_id=an_id(key_of(event).decode()), source="/test")
            deadline = time.monotonic() + 60
            while not self._appended(event, metadata):
                assert time.monotonic() < deadline, "the log stays away"

    def _appended(self, event: AssetEvent | IdentityEvent, metadata: Metadata) -> bool:
        try:
            self.log.append_sync(event, metadata)
        except (LogUnavailable, OutcomeUnknown):
            return False
        return True

    def put(self, *records: tuple[bytes | None, bytes | None], partition: int | None = None) -> None:
        """Appends keys and values as they are, in their order."""
        failures: list[object] = []

        def told(error: object, _message: Message) -> None:
            if error is not None:
                failures.append(error)

        for key, value in records:
            number = (
                partition_for(key or b"", self.settings.kafka.partitions) if partition is None else partition
            )
            self._raw.produce(self.loop.topic, value, key, number, on_delivery=told)
        assert self._raw.flush(20) == 0
        assert failures == []

    def connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.settings.postgres.url.get_secret_value(), autocommit=True)

    def dump(self, *tables: str) -> Dump:
        with self.connect() as conn:
            return dump(conn, *tables)

    def rows(self, query: str) -> Sequence[tuple[Any, ...]]:
        with self.connect() as conn:
            return conn.execute(query.encode()).fetchall()

    def records(self) -> list[Record]:
        """All that the log holds, partition by partition."""
        goal = ends(self.settings.kafka, self.loop.topic)
        reader = Consumer(self.settings.kafka.client() | {"group.id": "nobody", "enable.auto.commit": False})
        reader.assign([TopicPartition(self.loop.topic, number, 0) for number in goal])
        found: list[Record] = []
        while len(found) < sum(goal.values()):
            message = reader.poll(10)
            assert message is not None
            assert message.error() is None
            found.append(record_of(message))
        reader.close()
        return sorted(found, key=lambda record: (record.partition, record.offset))

    def applied(self) -> bool:
        """Whether the read models have all that the log holds now; not, while a broker comes up."""
        try:
            goal = ends(self.settings.kafka, self.loop.topic)
        except KafkaException:
            return False
        with self.connect() as conn:
            at = operating.standing(conn, self.loop).positions
        return all(at.get(partition, 0) >= end for partition, end in goal.items())

    def group_lag(self) -> int:
        """What a Kafka UI shows: how far the group's own offsets are behind."""
        goal = ends(self.settings.kafka, self.loop.topic)
        group = group_of(self.settings.kafka.topic_prefix, self.loop.name)
        asker = Consumer(self.settings.kafka.client() | {"group.id": group})
        told = asker.committed([TopicPartition(self.loop.topic, number) for number in goal], 10)
        asker.close()
        return sum(goal[place.partition] - max(place.offset, 0) for place in told)

    def members(self) -> set[str | None]:
        """The names that the group's members keep over restarts; None for one without."""
        group = group_of(self.settings.kafka.topic_prefix, self.loop.name)
        admin = AdminClient(self.settings.kafka.client())
        told = admin.describe_consumer_groups([group])[group].result(20)
        return {member.group_instance_id for member in told.members}

    def letters(self) -> int:
        """How many dead letters there are."""
        return sum(ends(self.settings.kafka, self.settings.kafka.topics.dead_letters).values())

    def wait_applied(self) -> None:
        until(self.applied, "the read models to have the whole log")

    def forget_log(self) -> None:
        """Deletes the asset log and makes another of its name."""
        admin = AdminClient(self.settings.kafka.client())
        admin.delete_topics([self.loop.topic])[self.loop.topic].result(20)
        kafka = self.settings.kafka
        specs = topic_specs(kafka.topic_prefix, kafka.partitions, kafka.replication)
        (spec,) = (spec for spec in specs if spec.name == self.loop.topic)
        new = NewTopic(spec.name, spec.partitions, spec.replication, config=dict(spec.config))

        def made() -> bool:
            try:
                admin.create_topics([new])[spec.name].result(20)
            except KafkaException:  # the old one is still on its way out
                return False
            return True

        until(made, "the topic to be made anew")

    def reset(self) -> None:
        with self.connect() as conn:
            operating.reset(conn, self.loop)

    def close(self) -> None:
        self.keys.close()
        self.log.close_sync()
        self._registry.close()


def until(true: Callable[[], bool], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Waits until it is true; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.05)

"""What the broker says of a topic: whether it is there, which one it is, how many partitions it has."""

from dataclasses import dataclass
from typing import Final

from confluent_kafka import KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # its own way of exporting

from adapters.settings import KafkaSettings

_ASK_SECONDS: Final = 5.0


class TopicMissing(Exception):
    """The broker has no such topic."""


class WrongPartitions(Exception):
    """The topic has another number of partitions than the settings say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A topic as it stands; `topic_id` is new whenever the topic is made anew."""

    name: str
    topic_id: str
    partitions: int


def partitions_of(kafka: KafkaSettings, name: str) -> int:
    """How many partitions a topic of ours has to have; the operations log has one, and one order."""
    return 1 if name == kafka.topics.operations else kafka.partitions


def ends(kafka: KafkaSettings, name: str) -> dict[int, int]:
    """For each partition the offset that the next record will have; raises TopicMissing, KafkaException."""
    admin = AdminClient(kafka.client() | {"socket.timeout.ms": round(_ASK_SECONDS * 1000)})
    partitions = range(describe(kafka, name).partitions)
    latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # not annotated there
    asked = admin.list_offsets({TopicPartition(name, number): latest for number in partitions})
    return {place.partition: found.result(_ASK_SECONDS * 2).offset for place, found in asked.items()}


def describe(kafka: KafkaSettings, name: str) -> Topic:
    """Asks the broker; raises TopicMissing, WrongPartitions, and KafkaException when it can't be reached."""
    admin = AdminClient(kafka.client() | {"socket.timeout.ms": round(_ASK_SECONDS * 1000)})
    asked = admin.describe_topics(TopicCollection([name]), request_timeout=_ASK_SECONDS)
    try:
        found = asked[name].result(_ASK_SECONDS * 2)
    except KafkaException as error:
        if error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            raise TopicMissing(f"{name} does not exist; `python -m ops topics apply` makes it") from error
        raise
    partitions = len(found.partitions)
    if partitions != (wanted := partitions_of(kafka, name)):
        raise WrongPartitions(
            f"{name} has {partitions} partitions and KAFKA_PARTITIONS says {wanted}; the number is "
            "fixed when the topic is made, so correct the setting"
        )
    return Topic(name=name, topic_id=str(found.topic_id), partitions=partitions)

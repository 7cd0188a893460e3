"""What the broker says of a topic: whether it is there, which one it is, how many partitions it has."""

from dataclasses import dataclass
from typing import Final

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

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
    if partitions != kafka.partitions:
        raise WrongPartitions(
            f"{name} has {partitions} partitions and KAFKA_PARTITIONS says {kafka.partitions}; the number is "
            "fixed when the topic is made, so correct the setting"
        )
    return Topic(name=name, topic_id=str(found.topic_id), partitions=partitions)

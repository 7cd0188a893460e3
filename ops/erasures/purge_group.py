"""How far the purge workers have come, as their consumer group says."""

from collections.abc import Mapping
from contextlib import closing
from typing import Final

from confluent_kafka import Consumer, TopicPartition

from adapters.settings import KafkaSettings
from processors.purge.group import purge_group

_REQUEST_SECONDS: Final = 10.0


def done_with(kafka: KafkaSettings, goal: Mapping[int, int]) -> bool:
    """Whether the group has passed all offsets before `goal` of the asset log; raises KafkaException."""
    if not goal:
        return True
    # By a consumer that never joins: an admin request to the coordinator can abort the process.
    config = kafka.client() | {"group.id": purge_group(kafka.topic_prefix), "enable.auto.commit": False}
    with closing(Consumer(config)) as consumer:
        places = [TopicPartition(kafka.topics.assets, partition) for partition in goal]
        told = consumer.committed(places, timeout=_REQUEST_SECONDS)
    return all(place.offset >= goal[place.partition] for place in told)

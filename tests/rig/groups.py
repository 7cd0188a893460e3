"""The consumer groups of one namespace, and how far they are."""

import time
from typing import Final

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from adapters.settings import KafkaSettings

_LOOK_SECONDS: Final = 0.25
_ANSWER_SECONDS: Final = 10.0


class Groups:
    """Looks at them from outside, with clients of each look's own, so that outages don't matter."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self.seen: set[str] = set()

    def wait_at_the_end(self, seconds: float) -> None:
        """Waits until every group has committed all that its topics hold."""
        deadline = time.monotonic() + seconds
        while behind := self._behind():
            assert time.monotonic() < deadline, f"behind after {seconds} s: {behind}"
            time.sleep(_LOOK_SECONDS)

    def _behind(self) -> dict[str, int]:
        """By group and partition how many records are not committed; only where it ever committed."""
        try:
            return self._looked()
        except KafkaException as error:
            return {str(error.args[0]): 0}

    def _looked(self) -> dict[str, int]:
        admin = AdminClient(self._kafka.client())
        listed = admin.list_consumer_groups(request_timeout=_ANSWER_SECONDS).result().valid
        self.seen = {each.group_id for each in listed if each.group_id.startswith(self._kafka.topic_prefix)}
        reader = Consumer(self._kafka.client() | {"group.id": "look", "log_level": 0})
        try:
            return {
                f"{group} {place.topic} {place.partition}": left
                for group in sorted(self.seen)
                for place in self._committed(admin, group)
                if (left := self._left(reader, place)) > 0
            }
        finally:
            reader.close()

    def _committed(self, admin: AdminClient, group: str) -> list[TopicPartition]:
        asked = admin.list_consumer_group_offsets(
            [ConsumerGroupTopicPartitions(group)], request_timeout=_ANSWER_SECONDS
        )
        return list(asked[group].result().topic_partitions)

    def _left(self, reader: Consumer, place: TopicPartition) -> int:
        _, end = reader.get_watermark_offsets(
            TopicPartition(place.topic, place.partition), timeout=_ANSWER_SECONDS
        )
        return int(end) - max(0, place.offset)

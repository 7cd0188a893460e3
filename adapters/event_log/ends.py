"""Where the partitions of a topic end, asked once."""

from collections.abc import Mapping
from typing import Final

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # public, but not in its __all__
    AdminClient,
    OffsetSpec,
)

_SECONDS: Final = 2.0


def log_ends(client: Mapping[str, str | int | float | bool], topic: str) -> dict[int, int]:
    """The next offset of each partition; empty where no broker says so within some seconds. Blocks."""
    admin = AdminClient(dict(client))
    try:
        known = admin.list_topics(topic, timeout=_SECONDS).topics.get(topic)
        latest: OffsetSpec = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # the library's gap
        places = [TopicPartition(topic, number) for number in (known.partitions if known else ())]
        asked = admin.list_offsets(dict.fromkeys(places, latest), request_timeout=_SECONDS) if places else {}
        return {place.partition: answer.result(_SECONDS).offset for place, answer in asked.items()}
    except (KafkaException, TimeoutError):
        return {}

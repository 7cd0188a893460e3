"""How one consumer without a group gets on: how far it is, if that is the end, and who answers."""

from collections.abc import Iterable
from typing import Final

from confluent_kafka import Consumer, KafkaException, TopicPartition

from adapters.hearing import Hearing
from adapters.telemetry import Loop
from adapters.telemetry.progress import ReadOn

_BROKER: Final = "broker"
_NO_ANSWER: Final = "broker: no answer"


class Following:
    """Of a consumer and the loop that polls it; `progress` outlives it, as another consumer goes on there.

    Belongs to the thread that polls: the client makes its callers wait for each other.
    """

    def __init__(self, topic: str, *, loop: Loop, progress: ReadOn, hearing: Hearing) -> None:
        self._topic = topic
        self._loop = loop
        self._progress = progress
        self._hearing = hearing

    def look(self, consumer: Consumer) -> None:
        """To be called at each turn: takes note of the ends that came with what was fetched; asks nobody."""
        self._progress.told(ends_of(consumer, self._topic, self._progress.positions()))
        tell_of_silence(self._loop, self._hearing)

    def at_the_end(self) -> bool:
        """Whether all that there is was read, as far as the brokers said since it began, and still answer."""
        return self._progress.complete() and not self._hearing.doubted


def ends_of(consumer: Consumer, topic: str, partitions: Iterable[int]) -> dict[int, int]:
    """The end of each partition, as the client was told with its last fetch; only those that were told."""
    ends: dict[int, int] = {}
    for partition in partitions:
        try:
            _, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), cached=True)
        except KafkaException:
            continue
        if high >= 0:
            ends[partition] = high
    return ends


def tell_of_silence(loop: Loop, hearing: Hearing) -> None:
    """Whether the brokers answer is a trouble of the loop: it begins with the first question unanswered."""
    if hearing.silent:
        loop.trouble(_BROKER, "no broker answers", error=_NO_ANSWER)
    else:
        loop.well(_BROKER)

"""Reads dead letters from Kafka, by a consumer of its own for each question."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from adapters.dead_letters.letters import Letter, LetterPage, LettersUnreadable, Wanted, letter_of, place_of
from adapters.dead_letters.newest_first import Windows, newest_first
from adapters.settings import KafkaSettings
from schemas.envelope import RawRecord, read_headers

_ASK_SECONDS: Final = 5.0
_CONFIG: Final[dict[str, Any]] = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "enable.partition.eof": True,
    "auto.offset.reset": "error",
    "allow.auto.create.topics": False,
    "fetch.wait.max.ms": 20,
    # Letters may be a megabyte each: what is fetched ahead is memory.
    "queued.max.messages.kbytes": 8_192,
    "fetch.max.bytes": 4_194_304,
}


class KafkaLetterBox:
    """The dead-letter topic, read when asked. Blocks; to be called in a thread."""

    def __init__(self, kafka: KafkaSettings, *, patience: float = _ASK_SECONDS) -> None:
        """Connects to nothing yet; each question of the brokers waits so many seconds for its answer."""
        self._patience = patience
        self._topic = kafka.topics.dead_letters
        self._partitions = kafka.partitions
        self._config = {**kafka.client(), **_CONFIG, "group.id": f"{kafka.topic_prefix}.letter-box"}

    def page(self, wanted: Wanted, *, limit: int, before: Mapping[int, int] | None = None) -> LetterPage:
        """As the Protocol says."""
        with self._consumer() as consumer:
            bounds = self._bounds(consumer, before)
            return newest_first(lambda windows: self._read(consumer, windows), bounds, wanted, limit=limit)

    def letter(self, letter_id: str) -> Letter | None:
        """As the Protocol says."""
        place = place_of(letter_id)
        if place is None or place[0] >= self._partitions:
            return None
        partition, offset = place
        with self._consumer() as consumer:
            first, end = self._ends(consumer, partition)
            if not first <= offset < end:
                return None
            found = self._read(consumer, {partition: (offset, offset + 1)})[partition]
            return next((letter for letter in found if letter.offset == offset), None)

    @contextmanager
    def _consumer(self) -> Iterator[Consumer]:
        consumer = Consumer(self._config)
        try:
            yield consumer
        except KafkaException as error:
            raise LettersUnreadable(str(error)) from error
        finally:
            consumer.close()

    def _bounds(self, consumer: Consumer, before: Mapping[int, int] | None) -> dict[int, tuple[int, int]]:
        numbers = [number for number in range(self._partitions) if before is None or number in before]
        bounds = {}
        for number in numbers:
            first, end = self._ends(consumer, number)
            bounds[number] = (first, end if before is None else min(end, before[number]))
        return bounds

    def _ends(self, consumer: Consumer, partition: int) -> tuple[int, int]:
        place = TopicPartition(self._topic, partition)
        ends = consumer.get_watermark_offsets(place, timeout=self._patience)
        if ends is None:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))  # noqa: SLF001 - its public name
        return ends

    def _read(self, consumer: Consumer, windows: Windows) -> dict[int, list[Letter]]:
        found: dict[int, list[Letter]] = {number: [] for number in windows}
        left = {number: end for number, (start, end) in windows.items() if end > start}
        consumer.assign([TopicPartition(self._topic, number, windows[number][0]) for number in left])
        while left:
            polled = consumer.poll(self._patience)
            if polled is None:
                raise KafkaException(KafkaError(KafkaError._TIMED_OUT))  # noqa: SLF001
            number = polled.partition() or 0
            if number in left and self._take(polled, left[number], found[number]):
                del left[number]
        return found

    def _take(self, polled: Message, end: int, found: list[Letter]) -> bool:
        """Keeps a record that lies before `end`; whether the window is read."""
        error, offset = polled.error(), polled.offset() or 0
        if error is not None:
            if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001
                return True
            raise KafkaException(error)
        if offset < end:
            found.append(letter_of(_raw(polled)))
        return offset + 1 >= end


def _raw(polled: Message) -> RawRecord:
    return RawRecord(
        topic=polled.topic() or "",
        partition=polled.partition() or 0,
        offset=polled.offset() or 0,
        timestamp_ms=polled.timestamp()[1],
        key=polled.key(),
        value=polled.value(),
        headers=[(name, text.encode()) for name, text in read_headers(polled.headers()).items()],
    )

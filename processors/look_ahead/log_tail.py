"""Reads chosen partitions of a topic from where a consumer group stands, outside of that group's dealings."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec

from adapters.following import ends_of, tell_of_silence
from adapters.hearing import Deaf, Hearing
from adapters.telemetry import Loop
from schemas.envelope import RawRecord

_REQUEST_SECONDS: Final = 5.0
_MOST_RECORDS: Final = 500
_TIMESTAMP: Final = 1

# The topic was made anew below us, or its beginning was cut off: what was read so far is worth nothing.
_LOST: Final = frozenset(
    {
        KafkaError._AUTO_OFFSET_RESET,  # noqa: SLF001 - the client's public names
        KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001
        KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001
        KafkaError.OFFSET_OUT_OF_RANGE,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
    }
)


class TailLost(Exception):
    """The tail can't go on from where it is; a new one has to begin anew."""


@dataclass(frozen=True, slots=True)
class Span:
    """Next offsets of a partition: where the group stands, and the end as it was when asked."""

    start: int
    end: int


class Tail(Protocol):
    """Everything raises TailLost when the broker or the topic can't be read on."""

    def spans(self, partitions: Iterable[int]) -> dict[int, Span]:
        """For each partition where its group stands and where it ends."""
        ...

    def follow(self, starts: Mapping[int, int]) -> None:
        """Begins to read these partitions from these offsets."""
        ...

    def leave(self, partitions: Iterable[int]) -> None:
        """Reads these partitions no more."""
        ...

    def read(self, seconds: float) -> list[RawRecord]:
        """The next records, waiting at most `seconds` for the first."""
        ...

    def ends(self, partitions: Iterable[int]) -> dict[int, int]:
        """Where partitions end, as the broker told with what was read last; asks nobody."""
        ...

    def tell(self, loop: Loop) -> None:
        """Tells whether the brokers answer."""
        ...

    def committed(self, partitions: Iterable[int]) -> dict[int, int]:
        """Where the group stands in each partition that it ever committed."""
        ...

    def close(self) -> None:
        """Lets go of the broker."""
        ...


class KafkaTail:
    """A tail over confluent-kafka. It bears the group's name only to be told the group's offsets."""

    def __init__(self, client: Mapping[str, str | int | float | bool], *, group: str, topic: str) -> None:
        self._topic = topic
        self._admin = AdminClient(dict(client))
        self._hearing = Hearing()
        self._consumer = Consumer(
            dict(client)
            | {
                "error_cb": self._hearing.doubt,
                "group.id": group,
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "auto.offset.reset": "error",
                # Under load a tenth of a second's records come together: a request each would cost the broker
                # as much as writing them did, and nothing waits for the tail but a gate that opens.
                "fetch.wait.max.ms": 100,
                "fetch.min.bytes": 65_536,
                # Headers are what is wanted; values are read past, and need not be hoarded.
                "queued.max.messages.kbytes": 8192,
            }
        )

    def spans(self, partitions: Iterable[int]) -> dict[int, Span]:
        """As the Protocol says."""
        wanted = list(partitions)
        ends = self._offsets(wanted, OffsetSpec.latest())  # type: ignore[no-untyped-call]
        earliest = self._offsets(wanted, OffsetSpec.earliest())  # type: ignore[no-untyped-call]
        starts = earliest | self.committed(wanted)
        return {partition: Span(starts[partition], ends[partition]) for partition in wanted}

    def follow(self, starts: Mapping[int, int]) -> None:
        """As the Protocol says."""
        self._consumer.incremental_assign(
            [TopicPartition(self._topic, partition, start) for partition, start in starts.items()]
        )

    def leave(self, partitions: Iterable[int]) -> None:
        """As the Protocol says."""
        self._consumer.incremental_unassign([TopicPartition(self._topic, part) for part in partitions])

    def read(self, seconds: float) -> list[RawRecord]:
        """As the Protocol says."""
        first = self._consumer.poll(seconds)
        if first is None:
            self._listen()
            return []
        self._hearing.answered()
        # After the first, only what is there already: consume() would wait out its time.
        messages = [first, *self._consumer.consume(_MOST_RECORDS, 0)]
        return [_record(message) for message in messages if _is_record(message)]

    def ends(self, partitions: Iterable[int]) -> dict[int, int]:
        """As the Protocol says."""
        return ends_of(self._consumer, self._topic, partitions)

    def tell(self, loop: Loop) -> None:
        """As the Protocol says."""
        tell_of_silence(loop, self._hearing)

    def _listen(self) -> None:
        try:
            self._hearing.listen(self._consumer, self._topic)
        except Deaf as error:
            raise TailLost(str(error)) from error

    def committed(self, partitions: Iterable[int]) -> dict[int, int]:
        """As the Protocol says."""
        wanted = [TopicPartition(self._topic, partition) for partition in partitions]
        try:
            found = self._consumer.committed(wanted, timeout=_REQUEST_SECONDS) if wanted else []
        except KafkaException as error:
            raise TailLost(str(error)) from error
        return {place.partition: place.offset for place in found if place.offset >= 0}

    def close(self) -> None:
        """As the Protocol says."""
        self._consumer.close()

    def _offsets(self, partitions: Iterable[int], spec: OffsetSpec) -> dict[int, int]:
        # Not get_watermark_offsets: it waits behind the long poll.
        wanted = {TopicPartition(self._topic, partition): spec for partition in partitions}
        if not wanted:
            return {}
        try:
            answers = self._admin.list_offsets(
                wanted,
                isolation_level=IsolationLevel.READ_UNCOMMITTED,
                request_timeout=_REQUEST_SECONDS,
            )
            return {
                place.partition: answer.result(2 * _REQUEST_SECONDS).offset
                for place, answer in answers.items()
            }
        except (KafkaException, TimeoutError) as error:  # the latter where the client itself never answers
            raise TailLost(str(error)) from error


def _is_record(message: Message) -> bool:
    error = message.error()
    if error is not None and (error.fatal() or error.code() in _LOST):
        raise TailLost(error.str())
    return error is None


def _record(message: Message) -> RawRecord:
    headers = message.headers() or []
    return RawRecord(
        topic=message.topic() or "",
        partition=message.partition() or 0,
        offset=message.offset() or 0,
        timestamp_ms=message.timestamp()[_TIMESTAMP],
        key=_bytes(message.key()),
        value=_bytes(message.value()),
        headers=[(header[0], _bytes(header[1]) or b"") for header in headers],
    )


def _bytes(value: str | bytes | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value

"""Reads one partition of a log in order, mostly from its beginning, as nobody's member."""

from collections.abc import Mapping
from typing import Any, Final

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from projections.log_reader import OffsetOutOfRange
from projections.records import Record, record_of

_POLL_SECONDS: Final = 1.0
# As long the broker may stay silent while records are still due.
_MOST_SILENCE: Final = 60

_log = structlog.get_logger(__name__)


class Span:
    """The records of one partition from `begin` on; `position` is the next offset."""

    def __init__(
        self, client: Mapping[str, Any], topic: str, partition: int, *, group: str, begin: int = 0
    ) -> None:
        """Reads nothing before the first `read`; `group` is a name that the client demands."""
        self.position = begin
        self._topic = topic
        self._partition = partition
        self._consumer = Consumer({**client, **_CONFIG, "group.id": group})
        self._consumer.assign([TopicPartition(topic, partition, begin)])
        self._ahead: list[Record] = []

    def read(self, until: int, most: int) -> list[Record]:
        """Up to `most` records below the offset `until`; none only when there are no more below it.

        Raises OffsetOutOfRange where the log does not begin at its beginning, KafkaException when the broker
        stays silent.
        """
        found = self._below(self._ahead, until)
        silent = 0
        while not found and self.position < until:
            silent += 1
            if silent > _MOST_SILENCE:
                raise KafkaException(KafkaError(KafkaError._TIMED_OUT))  # noqa: SLF001 - its public name
            # Never more than are due: the client would wait a second for those that don't come.
            found = self._below(self._polled(min(most, until - self.position)), until)
        return found

    def close(self) -> None:
        """Ends the connection."""
        self._consumer.close()

    def _polled(self, most: int) -> list[Record]:
        records: list[Record] = []
        while len(records) < most:
            # What is there comes at once; waiting for more would wait for the end of the log.
            found = self._consumer.consume(min(_FETCH, most - len(records)), 0 if records else _POLL_SECONDS)
            for one in found:
                if (error := one.error()) is None:
                    records.append(record_of(one))
                else:
                    self._judge(error)
            if not found:
                break
        return records

    def _below(self, records: list[Record], until: int) -> list[Record]:
        """Those below `until`; the others are kept for the next time."""
        if records and records[-1].offset >= until:
            found = [record for record in records if record.offset < until]
            self._ahead = records[len(found) :]
        else:
            found, self._ahead = records, []
        if found:
            self.position = found[-1].offset + 1
        return found

    def _judge(self, error: KafkaError) -> None:
        if error.code() in _OUT_OF_RANGE:
            raise OffsetOutOfRange(
                f"{self._topic}/{self._partition}: {error.str()}; the log no longer has its beginning, so "
                "nothing can be rebuilt from it"
            )
        if error.fatal():
            raise KafkaException(error)
        _log.warning("log.error", code=error.name(), reason=error.str())


_FETCH: Final = 10_000
_OUT_OF_RANGE: Final = frozenset({KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE})  # noqa: SLF001
_CONFIG: Final[dict[str, Any]] = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "auto.offset.reset": "error",
    "allow.auto.create.topics": False,
    # What is fetched ahead counts as our memory.
    "queued.min.messages": 100_000,
    "queued.max.messages.kbytes": 65_536,
    "fetch.max.bytes": 16_777_216,
    "max.partition.fetch.bytes": 8_388_608,
}

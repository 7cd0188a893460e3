"""Reads one topic as a member of a consumer group that takes every offset from Postgres."""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from adapters.following import ends_of
from adapters.telemetry.condition import Condition
from projections.records import Record, record_of

Open = Callable[[Sequence[int]], dict[int, int]]
"""Gives for each partition the offset to read from."""

# A static member that was killed keeps its partitions this long unless it comes back.
_SESSION_MS: Final = 10_000
# An outage of the database may last; being thrown out of the group meanwhile would cost a rebalance more.
_MOST_BETWEEN_POLLS_MS: Final = 3_600_000
_ASK_SECONDS: Final = 1.0
_PAUSE_SECONDS: Final = 0.25
# A client that still waits for a broker when all else has ended is left to the end of the process.
_LAST_SECONDS: Final = 3.0
_NO_PARTITIONS: Final = "no partitions assigned yet"

_FATAL: Final = frozenset({KafkaError._FENCED, KafkaError.FENCED_INSTANCE_ID, KafkaError._FATAL})  # noqa: SLF001
_OUT_OF_RANGE: Final = frozenset({KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE})  # noqa: SLF001

_log = structlog.get_logger(__name__)


class OffsetOutOfRange(Exception):
    """The log does not hold what should be read next: it was cut, or is another log of the same name."""


class Expelled(Exception):
    """Another process took this one's place in the group."""


class LogReader:
    """The consumer and the partitions that it holds. Not for use from several threads.

    `positions` gives for each held partition the next offset to apply; whoever applies a batch moves them.
    """

    def __init__(
        self,
        client: Mapping[str, Any],
        topic: str,
        *,
        group: str,
        member: str | None,
        open_at: Open,
        condition: Condition,
    ) -> None:
        """Joins the group at the first read; `open_at` is asked on every assignment, and may take long."""
        self.positions: dict[int, int] = {}
        self._condition = condition
        self._topic = topic
        self._open_at = open_at
        self._config = {**client, **_config(group, member)}
        self._closing = False
        self._ends: dict[int, int] = {}
        self._old: threading.Thread | None = None
        self._consumer = self._member()

    def _member(self) -> Consumer:
        consumer = Consumer(self._config)
        self._condition.trouble("assignment", _NO_PARTITIONS)
        consumer.subscribe(
            [self._topic], on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_revoke
        )
        return consumer

    def renew(self, pause: Callable[[float], None]) -> None:
        """Goes on with a new client in the place of this one, under the same name in the group.

        A broker that has just come up may say that there are no brokers; librdkafka then forgets those known
        to it and never asks again (its issue 5301). The old one closes first, as two of one name would keep
        each other out of the group; in an outage that takes long. `pause` waits for so many seconds, and is
        called as often as it takes; what it raises is raised.
        """
        self.positions.clear()
        self._old = threading.Thread(target=_closed, args=(self._consumer,), name="old-client", daemon=True)
        self._old.start()
        while self._old.is_alive():
            pause(_PAUSE_SECONDS)
        self._old = None
        self._consumer = self._member()
        _log.warning("log_client.renewed", topic=self._topic)

    def read(self, most: int, seconds: float) -> list[Record]:
        """Up to `most` records: waits for the first, takes what is there of the rest.

        Raises OffsetOutOfRange, Expelled, KafkaException when it can't go on, and what `open_at` raises.
        """
        first = self._consumer.poll(seconds)
        self.look()
        if first is None:
            return []
        rest = self._consumer.consume(most - 1, 0) if most > 1 else []
        return self._fresh(_usable([first, *rest]))

    def take_up(self, positions: Mapping[int, int]) -> None:
        """Reads on from other offsets, as after another process or a reset moved the checkpoints."""
        self.positions = {partition: positions[partition] for partition in self.positions}
        self._consumer.assign(_places(self._topic, self.positions))

    def rest(self) -> None:
        """Fetches nothing of what is held, and stays in the group; to be said again after an assignment."""
        self._consumer.pause(_places(self._topic, self.positions))

    def wake(self, positions: Mapping[int, int]) -> None:
        """Reads on after a rest."""
        self.take_up(positions)
        self._consumer.resume(_places(self._topic, self.positions))

    def tell(self) -> None:
        """Tells the group how far we are, so that a lag can be seen; nobody ever reads it back."""
        try:
            self._consumer.commit(offsets=_places(self._topic, self.positions), asynchronous=True)
        except KafkaException as error:
            _log.debug("offsets.not_told", reason=str(error))

    def look(self) -> None:
        """Takes note of the ends that came with what was fetched; asks nobody.

        In the loop's own thread, as the client makes its callers wait for each other.
        """
        self._ends = {**self._ends, **ends_of(self._consumer, self._topic, list(self.positions))}

    def lags(self) -> dict[int, int]:
        """For each held partition how many records wait, as far as was told at the last look; any thread."""
        ends, positions = self._ends, list(self.positions.items())
        return {number: max(0, ends[number] - position) for number, position in positions if number in ends}

    def reachable(self) -> bool:
        """Whether a broker answers within a second."""
        try:
            self._consumer.list_topics(self._topic, timeout=_ASK_SECONDS)
        except KafkaException:
            return False
        return True

    def close(self) -> None:
        """Tells the group the last offsets and ends the connection."""
        if self._old is not None:
            self._old.join(_LAST_SECONDS)
            return
        if self.positions:
            try:
                self._consumer.commit(offsets=_places(self._topic, self.positions), asynchronous=False)
            except KafkaException as error:
                _log.debug("offsets.not_told", reason=str(error))
        self.positions = {}
        self._closing = True
        self._consumer.close()

    def _fresh(self, records: Iterable[Record]) -> list[Record]:
        """Drops what is of partitions that are gone, and what an assignment in between fetched twice."""
        expected, fresh = dict(self.positions), []
        for record in records:
            if record.offset >= expected.get(record.partition, record.offset + 1):
                expected[record.partition] = record.offset + 1
                fresh.append(record)
        return fresh

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        # To wait for Postgres now would raise out of close, and hide why we end; and to one that was replaced
        # nothing is given any more.
        if self._closing or self._old is not None:
            return
        numbers = sorted(place.partition for place in partitions)
        self.positions = self._open_at(numbers)
        consumer.assign(_places(self._topic, self.positions))
        self._condition.well("assignment")
        _log.info("partitions.assigned", topic=self._topic, positions=self.positions)

    def _on_revoke(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        for place in partitions:
            self.positions.pop(place.partition, None)
        self._condition.trouble("assignment", _NO_PARTITIONS)
        _log.info("partitions.revoked", topic=self._topic, partitions=sorted(p.partition for p in partitions))


def _closed(consumer: Consumer) -> None:
    try:
        consumer.close()
    except (KafkaException, RuntimeError) as error:
        _log.debug("log_client.not_closed", reason=str(error))


def _config(group: str, member: str | None) -> dict[str, Any]:
    static = {} if member is None else {"group.instance.id": member}
    return {
        "group.id": group,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "error",
        "session.timeout.ms": _SESSION_MS,
        "heartbeat.interval.ms": _SESSION_MS // 5,
        "max.poll.interval.ms": _MOST_BETWEEN_POLLS_MS,
        "allow.auto.create.topics": False,
        # What is fetched ahead counts as our memory.
        "queued.min.messages": 10_000,
        "queued.max.messages.kbytes": 16_384,
        "fetch.max.bytes": 8_388_608,
        **static,
    }


def _places(topic: str, positions: Mapping[int, int]) -> list[TopicPartition]:
    return [TopicPartition(topic, partition, offset) for partition, offset in positions.items()]


def _usable(found: Sequence[Message]) -> Iterable[Record]:
    """The records among what the consumer gave; its errors are raised where they mean that we can't go on."""
    for message in found:
        error = message.error()
        if error is None:
            yield record_of(message)
        else:
            _judge(error, message)


def _judge(error: KafkaError, message: Message) -> None:
    if error.code() in _OUT_OF_RANGE:
        raise OffsetOutOfRange(
            f"{message.topic()}/{message.partition()}: {error.str()}; the log does not hold the next record "
            "to apply, so rows and log no longer agree; "
            "`python -m ops read-models reset` replays what there is"
        )
    if error.fatal() or error.code() in _FATAL:
        raise Expelled(error.str())
    _log.warning("log.error", code=error.name(), reason=error.str())

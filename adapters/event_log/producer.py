"""A Kafka producer that tells within a deadline how each record ended, and heals itself.

What makes it honest:
- A record that comes while the brokers are known to be away is never handed to the client library, so that it
  can't land later; it waits a moment for the outage to end, and is refused once the outage is no news.
- The library gives a record up well before our own deadline, and what it gives up it no longer sends.
- After a fatal error the library's producer is dead for good, and a deaf one (adapters.hearing) is no better:
  it is purged and another takes its place.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final

import structlog
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from adapters.event_log.protocol import AppendFailed, LogUnavailable, OutcomeUnknown, RecordTooLarge
from adapters.event_log.verdicts import TOO_LARGE, failure_of
from adapters.hearing import Hearing
from adapters.settings import KafkaSettings
from schemas.positions import Position

# The library looks for records past their time once a second, and we want its verdict before our deadline.
_VERDICT_SECONDS: Final = 1.0
# An outage shorter than this is waited out; during a longer one records are refused at once.
_PATIENCE_SECONDS: Final = 0.75
_KNOCK_SECONDS: Final = 0.25
_KNOCK_TIMEOUT_SECONDS: Final = 0.5
_POLL_SECONDS: Final = 0.1

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A record on its way to the log."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


@dataclass(slots=True)
class _Pending:
    record: Outgoing
    ended: Future[Position]
    since: float


class RecordProducer:
    """Sends records. Safe to use from any thread and any event loop."""

    def __init__(
        self,
        kafka: KafkaSettings,
        *,
        partitions: Mapping[str, int],
        timeout: float,
        max_bytes: int,
        restarted: Callable[[], None] = lambda: None,
    ) -> None:
        """Starts its thread at once, and connects in it.

        `partitions` are the topics that it will write and how many partitions each must have; records are
        refused while the brokers say otherwise. Every record ends within `timeout` seconds.
        """
        self._config = _config(kafka, timeout, max_bytes)
        self._partitions = partitions
        self._timeout = timeout
        self._restarted = restarted
        self._lock = threading.Lock()
        self._waiting: deque[_Pending] = deque()
        self._sent: dict[int, _Pending] = {}
        self._away: str | None = "not connected yet"
        self._away_since = time.monotonic()
        self._refusing = False
        self._knocked = 0.0
        self._hearing = Hearing()
        self._fatal = False
        self._closing = False
        self._producer = self._make()
        self._thread = threading.Thread(target=self._run, name="producer", daemon=True)
        self._thread.start()

    def send(self, record: Outgoing) -> Future[Position]:
        """The record's position once all in-sync replicas have it, or AppendFailed; can't be cancelled."""
        pending = _Pending(record, Future(), time.monotonic())
        pending.ended.set_running_or_notify_cancel()
        with self._lock:
            if self._closing:
                pending.ended.set_exception(LogUnavailable("the producer is closed"))
            elif self._away is None:
                self._hand_over(pending)
            elif self._refusing:
                pending.ended.set_exception(LogUnavailable(self._away))
            else:
                self._waiting.append(pending)
        return pending.ended

    def away(self) -> str | None:
        """Why records are not sent now; None while they are."""
        return self._away

    def knock(self) -> str | None:
        """Asks the brokers whether they are there and have our topics; blocks for a second at most."""
        return self._knock(self._producer, 2 * _KNOCK_TIMEOUT_SECONDS)

    def close(self) -> None:
        """Waits for what is on its way, for one deadline at most; whatever is left ends as it may."""
        with self._lock:
            self._closing = True
        self._thread.join()

    def _make(self) -> Producer:
        return Producer(self._config | {"error_cb": self._on_error})

    def _hand_over(self, pending: _Pending) -> None:
        record = pending.record
        self._sent[id(pending)] = pending
        try:
            self._producer.produce(
                record.topic,
                value=record.value,
                key=record.key,
                partition=record.partition,
                headers=list(record.headers),
                on_delivery=lambda error, message: self._on_delivery(pending, error, message),
            )
        except BufferError:
            self._end(pending, LogUnavailable("too many records are waiting for the brokers"))
        except KafkaException as error:
            # It was never queued, so whatever the matter is, it won't land.
            self._fatal = self._fatal or error.args[0].name() == "_FATAL"
            failure = failure_of(error.args[0])
            self._end(
                pending, failure if isinstance(failure, RecordTooLarge) else LogUnavailable(str(failure))
            )

    def _on_delivery(self, pending: _Pending, error: KafkaError | None, message: Message) -> None:
        if error is None:
            record, offset = pending.record, message.offset()
            self._end(pending, Position(topic=record.topic, partition=record.partition, offset=offset or 0))
            return
        self._note(error)
        self._end(pending, failure_of(error))

    def _end(self, pending: _Pending, end: Position | AppendFailed) -> None:
        self._sent.pop(id(pending), None)
        if pending.ended.done():
            return
        if isinstance(end, Position):
            pending.ended.set_result(end)
        else:
            pending.ended.set_exception(end)

    def _on_error(self, error: KafkaError) -> None:
        if error.fatal() or error.name() == "_ALL_BROKERS_DOWN":
            self._note(error)

    def _note(self, error: KafkaError) -> None:
        if error.fatal() or error.name() == "_FATAL":
            self._fatal = True
        if error.name() not in TOO_LARGE:
            self._lost(error.str())

    def _lost(self, why: str) -> None:
        with self._lock:
            if self._away is None:
                self._away, self._away_since, self._knocked = why, time.monotonic(), 0.0
                log.warning("the brokers are away", why=why)

    def _run(self) -> None:
        while not self._closing:
            self._turn()
        self._farewell()

    def _turn(self) -> None:
        try:
            self._poll(_POLL_SECONDS if self._away is None else _POLL_SECONDS / 2)
            if self._fatal:
                self._replace()
            if self._away is not None:
                self._try_again()
            self._give_up_late()
        except Exception:
            # The thread must outlive whatever a turn meets: without it every append would hang.
            log.exception("a turn of the producer's loop broke")

    def _poll(self, seconds: float) -> None:
        try:
            self._producer.poll(seconds)
        except KafkaException as error:
            self._note(error.args[0])  # a fatal one is raised here, and never told to `error_cb`

    def _try_again(self) -> None:
        now = time.monotonic()
        if now - self._knocked < _KNOCK_SECONDS:
            return
        self._knocked = now
        why = self._knock(self._producer, _KNOCK_TIMEOUT_SECONDS)
        with self._lock:
            if why is None:
                self._back()
            else:
                self._away = why
                self._refuse_if_no_news(why)
        if self._hearing.deaf():
            self._exchange()  # the outage goes on as it was: `_away_since` stays

    def _back(self) -> None:
        log.info("the brokers are there", after_seconds=round(time.monotonic() - self._away_since, 3))
        self._away, self._refusing = None, False
        while self._waiting:
            self._hand_over(self._waiting.popleft())

    def _refuse_if_no_news(self, why: str) -> None:
        if time.monotonic() - self._away_since < _PATIENCE_SECONDS:
            return
        self._refusing = True
        while self._waiting:
            self._waiting.popleft().ended.set_exception(LogUnavailable(why))

    def _knock(self, producer: Producer, timeout: float) -> str | None:
        try:
            told = producer.list_topics(timeout=timeout)
        except KafkaException as error:
            self._hearing.unanswered()
            return f"the brokers do not answer: {error.args[0].str()}"
        if not told.brokers:
            self._hearing.unanswered()
            return "a broker answers that has just come up"
        self._hearing.answered()
        topics = told.topics
        for topic, wanted in self._partitions.items():
            found = len(topics[topic].partitions) if topic in topics else 0
            if found != wanted:
                return f"topic {topic} has {found} partitions instead of {wanted}; see `ops topics check`"
        return None

    def _give_up_late(self) -> None:
        # The library's verdict comes before this. It is here for the day on which it does not.
        limit = time.monotonic() - self._timeout
        late = [pending for pending in list(self._sent.values()) if pending.since < limit]
        if late:
            self._producer.purge(in_queue=True, in_flight=False, blocking=False)
            self._lost("no verdict in time")
        for pending in late:
            self._end(pending, OutcomeUnknown("no verdict in time"))

    def _replace(self) -> None:
        log.error("the producer met a fatal error and is replaced")
        with self._lock:
            self._fatal = False
            self._away, self._away_since, self._knocked = "a fatal error", time.monotonic(), 0.0
        self._restarted()
        self._exchange()
        self._fatal = False  # the old one may have said it once more

    def _exchange(self) -> None:
        """Another client in the place of this one; what this one still has ends as unknown."""
        old = self._producer
        with self._lock:
            self._producer = self._make()
        log.warning("log_client.renewed")
        old.purge()
        old.flush(_KNOCK_TIMEOUT_SECONDS)

    def _farewell(self) -> None:
        self._producer.flush(self._timeout)
        self._producer.purge()
        self._producer.flush(_KNOCK_TIMEOUT_SECONDS)
        for pending in [*self._waiting, *self._sent.values()]:
            self._end(pending, OutcomeUnknown("closed before the brokers answered"))


def _config(kafka: KafkaSettings, timeout: float, max_bytes: int) -> dict[str, object]:
    give_up = max(0.2, timeout - _VERDICT_SECONDS - _PATIENCE_SECONDS)
    return {
        **kafka.client(),
        "acks": "all",
        "enable.idempotence": True,
        "linger.ms": 0,
        "message.timeout.ms": round(give_up * 1000),
        "message.max.bytes": max_bytes,
        "socket.nagle.disable": True,
        "socket.keepalive.enable": True,
        "reconnect.backoff.ms": 50,
        "reconnect.backoff.max.ms": 1000,
        "allow.auto.create.topics": False,
    }

"""Follows the operations topic, so that a process knows which preset sets exist and which is active."""

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Protocol

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from adapters.following import Following
from adapters.hearing import Deaf, Hearing
from adapters.operations_known import Known, Resumption, learn, learn_resumed, resumption
from adapters.schema_registry import RegistryUnavailable
from adapters.settings import KafkaSettings
from adapters.telemetry import Loop
from adapters.telemetry.progress import ReadOn
from schemas.codec import Codec, DecodeError, UnknownEventType
from schemas.events import Event, Preset, PresetSetActivated, PresetSetDefined, WorkersResumed

POLL_SECONDS: Final = 0.1
# A consumer that could not even be made (or died of a fatal error) is made anew after this pause.
PAUSE_SECONDS: Final = 1.0
_PARTITION: Final = 0

log = structlog.get_logger(__name__)


class PresetSets(Protocol):
    """What is known of preset sets. Safe to ask from any thread; an answer never waits."""

    def active(self) -> str | None:
        """The hash that new work names; None before the first activation was read."""
        ...

    def definition(self, preset_set: str) -> tuple[Preset, ...] | None:
        """The presets of a hash; None when no definition of it was read (an outage, not a fact)."""
        ...

    def resumed(self) -> Sequence[Resumption]:
        """The last words to workers to go on, in the topic's order."""
        ...

    def passed(self, offset: int) -> bool:
        """Whether the topic was read beyond this record."""
        ...

    def current(self) -> bool:
        """Whether the topic was read to its end at least once."""
        ...

    def wait_until_current(self, timeout: float) -> bool:
        """Blocks until `current`, at most `timeout` seconds; says whether it is."""
        ...

    def start(self) -> None:
        """Begins to follow."""
        ...

    def close(self) -> None:
        """Stops following; what is known stays."""
        ...


class InMemoryPresetSets:
    """The twin for tests: knows what it is told by `apply`, or what it was made with."""

    def __init__(self, definitions: Iterable[PresetSetDefined] = (), *, active: str | None = None) -> None:
        self._known = Known(active=active)
        for event in definitions:
            self.apply(event)

    def apply(self, event: PresetSetDefined | PresetSetActivated) -> None:
        """Learns an event as if it had stood in the topic."""
        self._known = learn(self._known, event)

    def apply_resumed(self, said: Resumption) -> None:
        """Learns a word to workers."""
        self._known = learn_resumed(self._known, said)

    def resumed(self) -> Sequence[Resumption]:
        """As the Protocol says."""
        return self._known.resumed

    def passed(self, offset: int) -> bool:
        """Always: there is no topic to be behind of."""
        del offset
        return True

    def active(self) -> str | None:
        """As the Protocol says."""
        return self._known.active

    def definition(self, preset_set: str) -> tuple[Preset, ...] | None:
        """As the Protocol says."""
        return self._known.definitions.get(preset_set)

    def current(self) -> bool:
        """Always: there is no topic to be behind of."""
        return True

    def wait_until_current(self, timeout: float) -> bool:
        """Always, and at once."""
        del timeout
        return True

    def start(self) -> None:
        """Nothing to begin."""

    def close(self) -> None:
        """Nothing to stop."""


class KafkaPresetSets:
    """Reads the operations topic from its beginning and follows it, in a thread of its own.

    It joins no group and commits nothing. An unreachable broker is waited for; a record that can't be read
    is logged and passed over, since a set that nobody could read is one that `definition` does not know.
    `loop` shows how it is; `heard` is called with each event that is said while it follows and that tells of
    no preset set, in the thread that follows.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        codec: Codec,
        *,
        component: str,
        loop: Loop | None = None,
        heard: Callable[[Event], None] = lambda _event: None,
    ) -> None:
        self._config = kafka.client() | {
            "group.id": f"{kafka.topic_prefix}.{component}.operations",  # demanded; never used to commit
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
            # The end of the topic is told after an empty fetch, which the broker holds for this long.
            "fetch.wait.max.ms": 100,
        }
        self._topic = kafka.topics.operations
        self._codec = codec
        self._loop = loop or Loop()
        self._progress = ReadOn()
        self._loop.reads(self._progress)
        self._heard = heard
        self._known = Known()
        self._next = OFFSET_BEGINNING
        self._current = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="preset-sets", daemon=True)

    def active(self) -> str | None:
        """As the Protocol says."""
        return self._known.active

    def definition(self, preset_set: str) -> tuple[Preset, ...] | None:
        """As the Protocol says."""
        return self._known.definitions.get(preset_set)

    def resumed(self) -> Sequence[Resumption]:
        """As the Protocol says."""
        return self._known.resumed

    def passed(self, offset: int) -> bool:
        """As the Protocol says."""
        return self._next > offset

    def current(self) -> bool:
        """As the Protocol says."""
        return self._current.is_set()

    def wait_until_current(self, timeout: float) -> bool:
        """As the Protocol says."""
        return self._current.wait(timeout)

    def start(self) -> None:
        """Begins to follow; returns at once."""
        self._thread.start()

    def close(self) -> None:
        """Stops the thread and waits for it."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._follow()
            except (KafkaException, RegistryUnavailable, Deaf) as error:
                name = type(error).__name__
                self._loop.trouble("topic", f"the operations topic can't be read: {name}", error=name)
                log.warning("preset_sets_unreadable", error=name)
                self._loop.beat()
                self._stop.wait(PAUSE_SECONDS)

    def _follow(self) -> None:
        hearing = Hearing()
        following = Following(self._topic, loop=self._loop, progress=self._progress, hearing=hearing)
        consumer = Consumer(self._config | {"error_cb": hearing.doubt})
        try:
            consumer.assign([TopicPartition(self._topic, _PARTITION, self._next)])
            self._progress.begin({_PARTITION: self._next})
            while not self._stop.is_set():
                self._loop.beat()
                record = consumer.poll(POLL_SECONDS)
                if record is None:
                    hearing.listen(consumer, self._topic)
                else:
                    hearing.answered()
                    self._take(record)
                following.look(consumer)
                if following.at_the_end():
                    self._loop.well("topic")
                    self._current.set()
        finally:
            consumer.close()

    def _take(self, record: Message) -> None:
        error = record.error()
        if error is None:
            self._read(record)
        elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - the client's public name for it
            self._progress.ended(_PARTITION, record.offset() or 0)
        elif error.fatal() or error.code() in _LOST:
            raise KafkaException(error)

    def _read(self, record: Message) -> None:
        headers = record.headers()
        try:
            event = self._codec.decode(record.value(), headers=headers if isinstance(headers, list) else None)
        except (DecodeError, UnknownEventType) as error:
            log.error("operations_record_unreadable", offset=record.offset(), code=error.code)
        else:
            self._learn(event, record)
        # A new consumer goes on here; from the start, an old set would be active for a while.
        self._next = (record.offset() or 0) + 1
        self._progress.read(_PARTITION, self._next - 1, record.timestamp()[1])

    def _learn(self, event: Event, record: Message) -> None:
        if isinstance(event, PresetSetDefined | PresetSetActivated):
            self._known = learn(self._known, event)
            return
        if isinstance(event, WorkersResumed):
            before, self._known = self._known, learn_resumed(self._known, resumption(event, record))
            if self._known is before:
                return  # a request that was repeated lets nobody go on once more
        if self._current.is_set():
            self._heard(event)


# The topic is not there (yet, or any more), or was made anew below us: begin again from its start.
_LOST: Final = frozenset(
    {
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001
        KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001
        KafkaError.OFFSET_OUT_OF_RANGE,
    }
)

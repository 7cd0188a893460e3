"""Follows the key topic in a thread, and keeps the local view as it is."""

import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import closing
from functools import cached_property
from typing import Final

import structlog
from confluent_kafka import Consumer, KafkaException, Message, TopicCollection, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # public, but not in its __all__
    AdminClient,
    OffsetSpec,
)

from adapters.following import Following
from adapters.hearing import Deaf, Hearing
from adapters.settings import KafkaSettings
from adapters.subject_keys.view import KeyView
from adapters.telemetry import Loop
from adapters.telemetry.metrics import KeyMetrics
from adapters.telemetry.progress import ReadOn
from schemas.codec import Codec
from schemas.decode_errors import DecodeError, UnknownEventType
from schemas.events import SubjectKey

_POLL_SECONDS: Final = 0.2
_BATCH: Final = 1000
_REQUEST_SECONDS: Final = 5.0
# After a failure; doubled up to the longest.
_PAUSE_SECONDS: Final = 0.25
_LONGEST_PAUSE_SECONDS: Final = 5.0

_TOPIC: Final = "key topic"
_MASTERS: Final = "master keys"

log = structlog.get_logger(__name__)

Learned = Callable[[list[SubjectKey]], None]


class _Broken(Exception):
    """The consumer has to be made anew."""


class KeyFollower:
    """Reads the key topic from where the view stands, for ever; survives every outage of the brokers.

    `learned` is called after each batch with what came; `current` each time the end was reached. `masters`
    are the ids of the master keys that this program has: what others wrapped is a trouble of `loop`.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        codec: Codec,
        view: KeyView,
        *,
        component: str,
        metrics: KeyMetrics,
        learned: Learned,
        current: Callable[[], None],
        masters: Collection[str],
        loop: Loop,
    ) -> None:
        """Starts nothing yet."""
        self._topic = kafka.topics.subject_keys
        # A group has to be named; nothing is ever committed to it.
        self._config = kafka.client() | {"group.id": f"{kafka.topic_prefix}.{component}.subject-keys"}
        self._admin_config = kafka.client()
        self._codec, self._view, self._metrics = codec, view, metrics
        self._learned, self._current, self._loop = learned, current, loop
        self._moved = threading.Condition()
        self._progress = ReadOn()
        self._loop.reads(self._progress)
        self._masters = frozenset(masters)
        self._arrived = False
        self._in_doubt = True
        self._stopping = threading.Event()
        self._pause = _PAUSE_SECONDS
        self._loop.trouble(_TOPIC, "the key topic has not been read yet")
        self._thread = threading.Thread(target=self._run, name="subject-keys", daemon=True)

    def start(self) -> None:
        """Begins to follow."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread, if it was started."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def trouble(self) -> str | None:
        """Why keys may be missing; None when the topic's end was reached and it is followed."""
        return self._loop.condition.reason()

    def wait_until_current(self, timeout: float) -> bool:
        """Whether all that the topic holds now was read within `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while (ends := self._asked_ends(deadline)) is None:
            if time.monotonic() + _PAUSE_SECONDS > deadline or self._stopping.wait(_PAUSE_SECONDS):
                return False
        with self._moved:
            return self._moved.wait_for(
                lambda: self._reached(ends),
                max(0.0, deadline - time.monotonic()),
            )

    def _reached(self, ends: Mapping[int, int]) -> bool:
        positions = self._progress.positions()
        return all(positions.get(partition, -1) >= end for partition, end in ends.items())

    def _asked_ends(self, deadline: float) -> dict[int, int] | None:
        with self._moved:
            known = lambda: bool(self._progress.positions())  # noqa: E731
            self._moved.wait_for(known, max(0.0, deadline - time.monotonic()))
            places = [TopicPartition(self._topic, partition) for partition in self._progress.positions()]
        try:
            left = max(0.1, deadline - time.monotonic())
            return self._ends_of(places, min(left, _REQUEST_SECONDS)) if places else None
        except (KafkaException, TimeoutError):
            # As when a topic was just made, or a leader has died, for whom the library would wait on and on.
            # A broker's restart leaves an old client with its leader epoch, refused for ever as
            # FENCED_LEADER_EPOCH: another client has to ask.
            self.__dict__.pop("_admin", None)
            return None

    def _ends_of(self, places: list[TopicPartition], timeout: float) -> dict[int, int]:
        latest: OffsetSpec = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # the library's gap
        asked = self._admin.list_offsets(dict.fromkeys(places, latest), request_timeout=timeout)
        return {place.partition: answer.result(timeout).offset for place, answer in asked.items()}

    @cached_property
    def _admin(self) -> AdminClient:
        return AdminClient(self._admin_config)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._follow()
            except (KafkaException, TimeoutError, _Broken, Deaf) as error:
                self._stand_still(error)
            except Exception as error:
                # Whatever it is, a view that stands still must say so and try again, not die in silence.
                log.exception("following the key topic broke")
                self._stand_still(error)

    def _stand_still(self, error: Exception) -> None:
        self._arrived = False
        reason = f"the key topic can't be read: {error}"[:300]
        self._loop.trouble(_TOPIC, reason, error=f"key topic: {type(error).__name__}")
        self.__dict__.pop("_admin", None)
        log.warning("the key topic can't be read", error=str(error), pause_seconds=self._pause)
        self._loop.beat()
        self._stopping.wait(self._pause)
        self._pause = min(_LONGEST_PAUSE_SECONDS, 2 * self._pause)

    def _follow(self) -> None:
        hearing = Hearing()
        following = Following(self._topic, loop=self._loop, progress=self._progress, hearing=hearing)
        with closing(Consumer(self._consumer_config() | {"error_cb": hearing.doubt})) as consumer:
            self._assign(consumer)
            while not self._stopping.is_set():
                self._loop.beat()
                first = consumer.poll(_POLL_SECONDS)
                if first is None:
                    hearing.listen(consumer, self._topic)
                else:
                    hearing.answered()
                    self._take([first, *consumer.consume(_BATCH, 0)])
                following.look(consumer)
                self._arrive(following.at_the_end())

    def _consumer_config(self) -> dict[str, str | int | float | bool]:
        return self._config | {
            "enable.auto.commit": False,
            "auto.offset.reset": "error",
            "enable.partition.eof": True,
            "reconnect.backoff.max.ms": 1000,
        }

    def _assign(self, consumer: Consumer) -> None:
        asked = self._admin.describe_topics(TopicCollection([self._topic]), request_timeout=_REQUEST_SECONDS)
        described = asked[self._topic].result(_REQUEST_SECONDS)
        if not self._view.belongs_to(str(described.topic_id)):
            log.info("the key topic is read from its beginning", topic_id=str(described.topic_id))
        known = self._view.positions()
        places = {partition.id: known.get(partition.id, 0) for partition in described.partitions}
        with self._moved:
            self._progress.begin(places)
        consumer.assign([TopicPartition(self._topic, partition, at) for partition, at in places.items()])

    def _take(self, messages: list[Message]) -> None:
        events, positions, ended = list[SubjectKey](), dict[int, tuple[int, int]](), dict[int, int]()
        for message in messages:
            partition, offset = message.partition() or 0, message.offset() or 0
            error = message.error()
            if error is None:
                events.extend(self._decoded(message))
                positions[partition] = (offset, message.timestamp()[1])
            elif error.name() == "_PARTITION_EOF":
                ended[partition] = offset
            else:
                self._refuse(error.name(), error.str())
        following = {partition: offset + 1 for partition, (offset, _) in positions.items()}
        following |= {each: max(end, following.get(each, 0)) for each, end in ended.items()}
        self._view.learn(events, following)
        self._in_doubt = self._in_doubt or not self._masters.issuperset(_wrappings(events))
        if events:
            self._metrics.known.of().set(self._view.count())
            self._learned(events)
        self._advance(positions, ended)
        if events or ended:
            self._arrived = False

    def _refuse(self, name: str, said: str) -> None:
        if name in {"_AUTO_OFFSET_RESET", "OFFSET_OUT_OF_RANGE"}:
            # Records that the view has read are gone: it may hold what was never, so it begins anew.
            self._view.forget()
        raise _Broken(said)

    def _decoded(self, message: Message) -> Iterator[SubjectKey]:
        try:
            event = self._codec.decode(message.value())
        except (DecodeError, UnknownEventType) as error:
            code = error.code if isinstance(error, DecodeError) else "unknown_event_type"
            self._metrics.unreadable.of(code).inc()
            place = f"{message.partition()}/{message.offset()}"
            log.warning("a record of the key topic can't be read", code=code, place=place)
            return
        if isinstance(event, SubjectKey):
            yield event

    def _advance(self, positions: Mapping[int, tuple[int, int]], ended: Mapping[int, int]) -> None:
        with self._moved:
            for partition, (offset, log_ms) in positions.items():
                self._progress.read(partition, offset, log_ms)
            for partition, end in ended.items():
                self._progress.ended(partition, end)
            self._moved.notify_all()

    def _arrive(self, at_the_end: bool) -> None:
        """Each time the end is reached, and no broker was doubted: the view is as the topic."""
        if at_the_end and not self._arrived:
            self._pause = _PAUSE_SECONDS
            self._loop.well(_TOPIC)
            self._look_for_masters()
            self._current()
        self._arrived = at_the_end

    def _look_for_masters(self) -> None:
        """Keys that no master key of ours opens are no fault of the topic, and nobody else would notice."""
        if not self._in_doubt:
            return
        missing = sorted(self._view.masters() - self._masters)
        self._in_doubt = bool(missing)
        if missing:
            reason = f"MASTER_KEY lacks {', '.join(missing)}, which people's keys are wrapped by"
            self._loop.trouble(_MASTERS, reason, error="MASTER_KEY: entry missing")
        else:
            self._loop.well(_MASTERS)


def _wrappings(events: Iterable[SubjectKey]) -> set[str]:
    return {event.master_key_id for event in events if event.master_key_id is not None}

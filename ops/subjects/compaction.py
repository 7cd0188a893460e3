"""Makes the brokers compact the key topic now: erased keys are to leave the disks, not only the views.

Compaction never touches the segment that is written to, and a quiet topic goes on writing to one for days.
So for as long as it takes the topic has short segments, and a filler record goes into each partition: it
closes the segment before it, which the brokers then clean within their own interval (15 s by default).
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import count
from typing import Final
from uuid import UUID

import structlog
from confluent_kafka import KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # public, but not in its __all__
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ConfigSource,
    ResourceType,
)

from adapters.clock import new_id
from adapters.settings import KafkaSettings
from adapters.subject_keys.kafka import KeyLog
from ops.subjects.key_records import Place, still_there
from schemas.envelope import Metadata, key_of
from schemas.events import SubjectKey
from schemas.partitioner import partition_for

NOBODY: Final = UUID(int=0)
"""Whose keys the fillers mark as erased; he never had one."""

_SHORT: Final = {"segment.ms": "1000", "file.delete.delay.ms": "1000"}
_REQUEST_SECONDS: Final = 10.0
_FILL_EVERY_SECONDS: Final = 3.0
_LOOK_EVERY_SECONDS: Final = 1.0

log = structlog.get_logger(__name__)


def fillers(partitions: int) -> list[SubjectKey]:
    """One marker of nobody's key for each partition; the same keys each time: each replaces its like."""
    missing, found = set(range(partitions)), list[SubjectKey]()
    for number in count():
        filler = SubjectKey(
            event_id=new_id(),
            occurred_at=datetime.now(UTC),
            user_id=NOBODY,
            key_id=UUID(int=number),
            erased=True,
        )
        if (partition := partition_for(key_of(filler), partitions)) in missing:
            missing.discard(partition)
            found.append(filler)
        if not missing:
            return found
    raise AssertionError("numbers do not end")


def fill(kafka: KafkaSettings, event_log: KeyLog, *, source: str) -> None:
    """Appends a filler to each partition; raises what an append raises."""
    for filler in fillers(kafka.partitions):
        event_log.append_sync(filler, Metadata(correlation_id=new_id(), source=source))


@contextmanager
def short_segments(kafka: KafkaSettings) -> Iterator[None]:
    """The key topic has short segments inside; where we may not alter it, its own settings decide how long.

    What an operator had set comes back in the end. One that was killed inside leaves segments short, which
    harms nothing, until the next one comes out.
    """
    admin, topic = AdminClient(kafka.client()), kafka.topics.subject_keys
    try:
        own = _own_settings(admin, topic)
        _alter(admin, topic, _SHORT)
    except KafkaException as error:
        log.warning("key_topic_not_altered", topic=topic, error=str(error))
        yield
        return
    try:
        yield
    finally:
        with suppress(KafkaException):
            _alter(admin, topic, own)


def wait_until_gone(
    kafka: KafkaSettings,
    event_log: KeyLog,
    places: Sequence[Place],
    *,
    source: str,
    seconds: float,
    told: Callable[[int], None] = lambda _left: None,
) -> list[Place]:
    """Fills until the brokers deliver none of the places any more; returns those that are left in the end.

    `told` hears how many are left. Raises what an append raises, KafkaException and TopicUnread.
    """
    deadline, filled_at = time.monotonic() + seconds, 0.0
    left = still_there(kafka, places)
    while left and time.monotonic() < deadline:
        told(len(left))
        if time.monotonic() - filled_at > _FILL_EVERY_SECONDS:
            fill(kafka, event_log, source=source)
            filled_at = time.monotonic()
        time.sleep(_LOOK_EVERY_SECONDS)
        left = still_there(kafka, left)
    told(len(left))
    return left


def _own_settings(admin: AdminClient, topic: str) -> dict[str, str | None]:
    """What is set on the topic itself of those settings that we shorten; None: nothing, or by us."""
    asked = admin.describe_configs(
        [ConfigResource(ResourceType.TOPIC, topic)], request_timeout=_REQUEST_SECONDS
    )
    (found,) = (answer.result(_REQUEST_SECONDS) for answer in asked.values())
    entries = {name: found[name] for name in _SHORT if name in found}
    set_there = {
        name: str(entry.value)
        for name, entry in entries.items()
        if entry.source == ConfigSource.DYNAMIC_TOPIC_CONFIG.value and entry.value != _SHORT[name]
    }
    return {name: set_there.get(name) for name in _SHORT}


def _alter(admin: AdminClient, topic: str, wanted: Mapping[str, str | None]) -> None:
    """Sets what is given, and takes back what is None; raises KafkaException."""
    entries = [
        ConfigEntry(
            name,
            value or "",
            incremental_operation=AlterConfigOpType.DELETE if value is None else AlterConfigOpType.SET,
        )
        for name, value in wanted.items()
    ]
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=entries)
    asked = admin.incremental_alter_configs([resource], request_timeout=_REQUEST_SECONDS)
    for answer in asked.values():
        answer.result(_REQUEST_SECONDS)

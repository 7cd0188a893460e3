"""What a process makes of the operations topic's records, one by one."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from adapters.operations import KafkaPresetSets
from adapters.settings import load_settings
from schemas.codec import Codec
from schemas.envelope import Metadata, headers_for
from schemas.events import Event, WorkersResumed

CODEC = Codec.local()
RESUMED = WorkersResumed(
    event_id=UUID(int=7), occurred_at=datetime(2026, 1, 1, tzinfo=UTC), component="variants"
)


class Sent:
    """A record as the client gives it."""

    def __init__(self, event: WorkersResumed, offset: int) -> None:
        self._event, self._offset = event, offset

    def value(self) -> bytes:
        return CODEC.encode(self._event)

    def headers(self) -> list[tuple[str, bytes]]:
        return headers_for(self._event, Metadata(correlation_id=UUID(int=9), source="/tests"))

    def offset(self) -> int:
        return self._offset

    def timestamp(self) -> tuple[int, int]:
        return 1, 1_767_225_600_000


def test_a_word_to_workers_that_is_repeated_is_heard_once() -> None:
    """Else whoever repeats a request, as its answer was lost, lets them go on for a second time."""
    heard: list[Event] = []
    settings = load_settings({"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"})
    follower = KafkaPresetSets(settings.kafka, CODEC, component="test", heard=heard.append)
    follower._current.set()
    other = replace(RESUMED, event_id=UUID(int=8))
    for offset, event in enumerate([RESUMED, RESUMED, other, RESUMED]):
        record: Any = Sent(event, offset)
        follower._read(record)
    assert heard == [RESUMED, other]
    assert [each.offset for each in follower.resumed()] == [0, 2]

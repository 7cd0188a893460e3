"""What travels with an event: its metadata, its headers, its key and its topic."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import assert_never
from uuid import UUID

from schemas.catalogue import by_class
from schemas.events import (
    AssetEvent,
    Event,
    IdentityEvent,
    PresetSetActivated,
    PresetSetDefined,
    RunCancelled,
    RunCompleted,
    RunPaused,
    RunResumed,
    RunStarted,
    SubjectKey,
    WorkersResumed,
)
from schemas.positions import Position
from schemas.topics import Topics

Headers = Sequence[tuple[str, bytes]]

RawHeaders = Sequence[tuple[str, str | bytes | None]] | Mapping[str, str | bytes | None]
"""Headers as any Kafka client gives them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """Why an event was said, and by whom: never what it says.

    `source` is the program's name as a path, such as `/api`. `lane`, `job_id`, `attempt` and `will_retry`
    are for events whose own fields do not tell; where they do, the event is right.
    """

    correlation_id: UUID
    causation_id: UUID | None = None
    traceparent: str | None = None
    lane: str | None = None
    job_id: UUID | None = None
    attempt: int | None = None
    will_retry: bool | None = None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRecord:
    """A record as the broker gave it, not yet understood; `timestamp_ms` is the log's own time."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers

    @property
    def position(self) -> Position:
        """Where it stands."""
        return Position(topic=self.topic, partition=self.partition, offset=self.offset)


def key_of(event: Event) -> bytes:
    """The record key: what the event is about, and so the partition that orders it."""
    return _subject(event).encode()


def topic_of(event: Event, topics: Topics) -> str:
    """The topic that holds the event."""
    return by_class()[type(event)].topic_name(topics)


def headers_for(event: Event, metadata: Metadata) -> list[tuple[str, bytes]]:
    """CloudEvents in binary mode, and beside them what consumers decide by before they decode.

    All are text, each name stands once, and one that has no value is left out.
    """
    row = by_class()[type(event)]
    job_id, attempt = getattr(event, "job_id", metadata.job_id), getattr(event, "attempt", metadata.attempt)
    will_retry = getattr(event, "will_retry", metadata.will_retry)
    texts = {
        "ce_specversion": "1.0",
        "ce_id": str(event.event_id),
        "ce_type": row.full_name,
        "ce_source": metadata.source,
        "ce_time": event.occurred_at.astimezone(UTC).isoformat(timespec="microseconds"),
        "ce_subject": _subject(event),
        "schemaversion": str(row.newest),
        "correlationid": str(metadata.correlation_id),
        "causationid": _text(metadata.causation_id),
        "traceparent": metadata.traceparent,
        "lane": getattr(event, "lane", metadata.lane),
        "jobid": _text(job_id),
        "attempt": _text(attempt),
        "willretry": None if will_retry is None else str(will_retry).lower(),
    }
    return [(name, text.encode()) for name, text in texts.items() if text is not None]


def read_headers(headers: RawHeaders | None) -> dict[str, str]:
    """Headers as texts. What is no text is left out; of a name that repeats the last counts."""
    texts: dict[str, str] = {}
    for name, value in headers.items() if isinstance(headers, Mapping) else headers or ():
        text = _decoded(value)
        if text is not None:
            texts[name] = text
    return texts


def _decoded(value: str | bytes | None) -> str | None:
    if value is None or isinstance(value, str):
        return value
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _subject(event: Event) -> str:
    if isinstance(event, AssetEvent):
        return str(event.asset_id)
    if isinstance(event, IdentityEvent):
        return event.account_key
    match event:
        case PresetSetDefined() | PresetSetActivated():
            return event.preset_set
        case RunStarted() | RunPaused() | RunResumed() | RunCancelled() | RunCompleted():
            return str(event.run_id)
        case WorkersResumed():
            return event.component
        case SubjectKey():
            return f"{event.user_id}/{event.key_id}"
        case _:
            assert_never(event)

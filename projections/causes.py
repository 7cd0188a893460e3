"""Why a record was appended, as its headers tell, and which one an operator gave up."""

from typing import Any, Final
from uuid import UUID

from adapters.telemetry.tracing import parse_traceparent
from projections.records import Record
from schemas.events import AccountRecordDiscarded, RecordDiscarded

_WANTED: Final = ("correlationid", "causationid", "traceparent")


def causes_of(record: Record) -> tuple[UUID | None, UUID | None, str | None]:
    """Correlation, causation and trace; headers are the dearest part of a record to read."""
    found: dict[str, Any] = dict.fromkeys(_WANTED)
    for name, value in record.headers() or ():
        if name in found:
            found[name] = value
    trace = parse_traceparent(_text(found["traceparent"]))
    return _id(found["correlationid"]), _id(found["causationid"]), trace.trace_id if trace else None


def discarded(event: RecordDiscarded | AccountRecordDiscarded) -> dict[str, Any]:
    """Which record, and who could not read it."""
    return {
        "topic": event.topic,
        "partition": event.partition,
        "offset": event.offset,
        "component": event.component,
    }


def _id(value: bytes | None) -> UUID | None:
    try:
        return UUID(_text(value)) if value else None
    except ValueError:
        return None


def _text(value: bytes | None) -> str | None:
    return value.decode(errors="replace") if value else None

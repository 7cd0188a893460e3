"""Folds every event into one row of the feed."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final, assert_never
from uuid import UUID

from psycopg import Connection
from psycopg.types.json import Jsonb

from adapters.telemetry.tracing import parse_traceparent
from projections.folding import Applied, Folded
from projections.read_models import ACTIVITY
from projections.records import Record
from projections.tables import Table
from schemas.envelope import read_headers
from schemas.events import (
    AssetEvent,
    ProcessingFailed,
    ProcessingStarted,
    UploadCompleted,
    UploadRequested,
    VariantsReady,
)

TABLE: Final = Table(
    model=ACTIVITY,
    name="activity",
    columns={
        "topic": "text",
        "partition": "int4",
        "offset": "int8",
        "event_id": "uuid",
        "event_type": "text",
        "asset_id": "uuid",
        "owner_id": "uuid",
        "actor_id": "uuid",
        "job_id": "uuid",
        "attempt": "int8",
        "worker": "text",
        "kind": "text",
        "code": "text",
        "accepted": "bool",
        "occurred_at": "timestamptz",
        "log_time": "timestamptz",
        "request_hash": "bytea",
        "correlation_id": "uuid",
        "causation_id": "uuid",
        "trace_id": "text",
        "data": "jsonb",
    },
)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NOTHING: Final = (None, None, None)

Row = tuple[Any, ...]


def write(conn: Connection[Any], topic: str, folded: Folded) -> None:
    """Adds the batch's rows."""
    TABLE.append(conn, rows(topic, folded))


def rows(topic: str, folded: Folded) -> Iterator[Row]:
    """One row for each event that was folded, accepted or not, in the order of TABLE's columns."""
    return (_row(topic, applied) for applied in folded.applied)


def _row(topic: str, applied: Applied) -> Row:
    record, event, state, accepted = applied
    data = _data(event)
    if state is not None:
        data["status"] = state.status
    return (
        topic,
        record.partition,
        record.offset,
        event.event_id,
        type(event).__name__,
        event.asset_id,
        event.owner_id,
        *_who_and_which(event),
        accepted,
        event.occurred_at,
        _EPOCH + timedelta(milliseconds=record.log_ms),
        *_why(record, event),
        Jsonb(data),
    )


def _who_and_which(event: AssetEvent) -> Row:
    """Actor, job, attempt, worker, kind, code."""
    match event:
        case UploadRequested():
            return event.actor_id, None, None, None, None, None
        case UploadCompleted():
            return event.actor_id, event.job_id, None, None, None, None
        case ProcessingStarted():
            return None, event.job_id, event.attempt, event.worker, None, None
        case VariantsReady():
            return None, event.job_id, event.attempt, None, None, None
        case ProcessingFailed():
            return None, event.job_id, event.attempt, None, event.kind, event.code
        case _:
            assert_never(event)


def _why(record: Record, event: AssetEvent) -> Row:
    """Request hash, correlation, causation, trace: of what a person caused.

    What a worker says was caused by the event that asked for its job and shares its correlation, so its
    headers, the dearest part of a record to read, are left alone.
    """
    if not isinstance(event, UploadRequested | UploadCompleted):
        return None, *_NOTHING
    headers = read_headers(record.headers())
    trace = parse_traceparent(headers.get("traceparent"))
    return (
        event.request_hash,
        _id(headers.get("correlationid")),
        _id(headers.get("causationid")),
        trace.trace_id if trace else None,
    )


def _data(event: AssetEvent) -> dict[str, Any]:
    """Small facts that are nobody's secret."""
    match event:
        case UploadRequested():
            return {"method": event.method, "content_type": event.content_type, "size": event.declared_size}
        case UploadCompleted():
            return {"content_type": event.content_type, "size": event.size, "lane": event.lane}
        case ProcessingStarted():
            return {"lane": event.lane}
        case VariantsReady():
            return {
                "variants": len(event.variants),
                "format": event.source.format,
                "cpu_ms": event.cost.cpu_ms,
                "wall_ms": event.cost.wall_ms,
            }
        case ProcessingFailed():
            return {"retryable": event.retryable, "will_retry": event.will_retry}
        case _:
            assert_never(event)


def _id(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None

"""Folds every event into one row of the feed."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final, assert_never

from psycopg import Connection
from psycopg.types.json import Jsonb

from projections.causes import causes_of
from projections.of_assets import Applied, Folded
from projections.read_models import ACTIVITY
from projections.records import Record
from projections.tables import Table
from schemas.events import (
    AssetEvent,
    AssetPurged,
    ProcessingFailed,
    ProcessingStarted,
    UploadCompleted,
    UploadRequested,
    VariantsReady,
)

TABLE: Final = Table(
    model=ACTIVITY,
    name="activity",
    key="asset_id",
    columns={
        "topic": "text",
        "partition": "int4",
        "offset": "int8",
        "event_id": "uuid",
        "event_type": "text",
        "asset_id": "uuid",
        "owner_id": "uuid",
        "accepted": "bool",
        "occurred_at": "timestamptz",
        "log_time": "timestamptz",
        "data": "jsonb",
        "actor_id": "uuid",
        "job_id": "uuid",
        "attempt": "int8",
        "worker": "text",
        "kind": "text",
        "code": "text",
        "request_hash": "bytea",
        "correlation_id": "uuid",
        "causation_id": "uuid",
        "trace_id": "text",
    },
)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NOTHING: Final = (None, None, None, None, None, None)  # kind to trace_id

Row = tuple[Any, ...]


def write(conn: Connection[Any], topic: str, folded: Folded) -> None:
    """Adds the batch's rows."""
    TABLE.append(conn, rows(topic, folded))


def rows(topic: str, folded: Folded) -> Iterator[Row]:
    """One row for each event that was folded, accepted or not, in the order of TABLE's columns."""
    return (_row(topic, applied) for applied in folded.applied)


def _row(topic: str, applied: Applied) -> Row:
    record, event, state, accepted = applied
    of_its_type, data = _facts(record, event)
    data["status"] = state.status if state is not None else None
    return (
        topic,
        record.partition,
        record.offset,
        event.event_id,
        type(event).__name__,
        event.asset_id,
        event.owner_id,
        accepted,
        event.occurred_at,
        _EPOCH + timedelta(0, 0, 0, record.log_ms),
        Jsonb(data),
        *of_its_type,
    )


def _facts(record: Record, event: AssetEvent) -> tuple[Row, dict[str, Any]]:
    """The columns from actor_id on, and small facts that are nobody's secret.

    What a worker says was caused by the event that asked for its job and shares its correlation, so its
    headers are left alone.
    """
    match event:
        case UploadRequested():
            return (event.actor_id, None, None, None, None, None, *_request(record, event)), {
                "method": event.method,
                "content_type": event.content_type,
                "size": event.declared_size,
            }
        case UploadCompleted():
            who = (event.actor_id, event.job_id, None, None, None, None, *_request(record, event))
            return who, {"content_type": event.content_type, "size": event.size, "lane": event.lane}
        case ProcessingStarted():
            return (None, event.job_id, event.attempt, event.worker, *_NOTHING), {"lane": event.lane}
        case VariantsReady():
            return (None, event.job_id, event.attempt, None, *_NOTHING), {
                "variants": len(event.variants),
                "format": event.source.format,
                "cpu_ms": event.cost.cpu_ms,
                "wall_ms": event.cost.wall_ms,
            }
        case ProcessingFailed():
            what = (None, event.job_id, event.attempt, None, event.kind, event.code, *_NOTHING[2:])
            return what, {"retryable": event.retryable, "will_retry": event.will_retry}
        case AssetPurged():
            return (event.actor_id, None, None, None, None, event.code, *_request(record, event)), {}
        case _:
            assert_never(event)


def _request(record: Record, event: UploadRequested | UploadCompleted | AssetPurged) -> Row:
    return (event.request_hash, *causes_of(record))

"""Folds every event into one row of the feed."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final, assert_never
from uuid import UUID

from psycopg import Connection
from psycopg.types.json import Jsonb

from projections.causes import causes_of, discarded
from projections.forms import ACTIVITY
from projections.of_assets import Applied, Folded
from projections.records import Record
from projections.tables import Table
from schemas.events import (
    AssetDeleted,
    AssetEvent,
    AssetPurged,
    AssetRestored,
    AssetUpdated,
    JobDeleted,
    LinkIssued,
    LinkRevoked,
    ProcessingFailed,
    ProcessingStarted,
    RecordDiscarded,
    UploadCompleted,
    UploadExpired,
    UploadRequested,
    VariantsReady,
    VariantsRequested,
    VariantsRetired,
)
from schemas.scalars import EPOCH

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

NOBODY: Final = UUID(int=0)
"""Whose asset it is where neither the event nor the log before it can tell: of a discarded record."""

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
        event.owner_id or (state.owner_id if state is not None else NOBODY),
        accepted,
        event.occurred_at,
        EPOCH + timedelta(0, 0, 0, record.log_ms),
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
            return who, {
                "content_type": event.content_type,
                "size": event.size,
                "lane": event.lane,
                "preset_set": event.preset_set,
            }
        case ProcessingStarted():
            return (None, event.job_id, event.attempt, event.worker, *_NOTHING), {"lane": event.lane}
        case VariantsReady():
            return (None, event.job_id, event.attempt, None, *_NOTHING), _result(event)
        case ProcessingFailed():
            what = (None, event.job_id, event.attempt, None, event.kind, event.code, *_NOTHING[2:])
            return what, {"retryable": event.retryable, "will_retry": event.will_retry}
        case _:
            return _of_later(record, event), _later(event)


def _request(record: Record, event: UploadRequested | UploadCompleted) -> Row:
    return (event.request_hash, *causes_of(record))


def _result(event: VariantsReady) -> dict[str, Any]:
    encoder, cost = event.encoder, event.cost
    return {
        "variants": len(event.variants),
        "format": event.source.format,
        "preset_set": event.preset_set,
        "encoder": {
            "pillow": encoder.pillow,
            "codecs": encoder.codecs,
            "resizer": encoder.resizer,
            "simd": encoder.simd,
        },
        "cpu_ms": cost.cpu_ms,
        "wall_ms": cost.wall_ms,
        "peak_rss_kib": cost.peak_rss_kib,
        "bytes_read": cost.bytes_read,
        "bytes_written": cost.bytes_written,
    }


_Later = (
    UploadExpired
    | VariantsRequested
    | VariantsRetired
    | JobDeleted
    | AssetUpdated
    | AssetDeleted
    | AssetRestored
    | AssetPurged
    | LinkIssued
    | LinkRevoked
    | RecordDiscarded
)
"""What few assets meet: time does not matter here."""


def _of_later(record: Record, event: _Later) -> Row:
    job_id, code = getattr(event, "job_id", None), getattr(event, "code", None)
    request_hash = getattr(event, "request_hash", None)
    return (event.actor_id, job_id, None, None, None, code, request_hash, *causes_of(record))


def _later(event: _Later) -> dict[str, Any]:
    match event:
        case VariantsRequested():
            asked = {"reason": event.reason, "lane": event.lane, "preset_set": event.preset_set}
            return asked | {"run_id": _text(event.run_id)}
        case VariantsRetired():
            return {"preset_set": event.preset_set, "run_id": _text(event.run_id)}
        case AssetUpdated():
            return {"changed": list(event.changed)}
        case LinkIssued():
            until = None if event.expires_at is None else event.expires_at.isoformat()
            return {"link_id": str(event.link_id), "variant": event.variant, "expires_at": until}
        case LinkRevoked():
            return {"link_id": str(event.link_id)}
        case RecordDiscarded():
            return discarded(event)
        case UploadExpired() | JobDeleted() | AssetDeleted() | AssetRestored() | AssetPurged():
            return {}
        case _:
            assert_never(event)


def _text(run_id: UUID | None) -> str | None:
    return None if run_id is None else str(run_id)

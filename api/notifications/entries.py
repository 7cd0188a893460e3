"""What a live stream says: entries made of the activity feed, and their form on the wire."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final
from uuid import UUID

from projections.activity.queries import ActivityRow
from schemas.positions import Position, Vector, vector_token

# By event; ProcessingFailed and UploadExpired say more than one thing. What is not here moves the position
# on, silently.
_KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "UploadCompleted": "asset.uploaded",
        "ProcessingStarted": "asset.processing",
        "VariantsReady": "asset.ready",
        "VariantsRequested": "job.queued",
        "JobDeleted": "job.deleted",
        "AssetUpdated": "asset.updated",
        "AssetRestored": "asset.updated",
        "UploadExpired": "asset.updated",
        "AssetDeleted": "asset.deleted",
        "AssetPurged": "asset.deleted",
    }
)
RECONNECT: Final = "reconnect"
RESET: Final = "reset"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that happened to an asset.

    `vector` stands for everything up to and including it; `title` and `url` are the asset's own of now.
    """

    kind: str
    asset_id: UUID
    owner_id: UUID
    status: str | None
    title: str | None
    url: str | None
    timestamp: datetime
    position: Position
    vector: Vector
    wire: bytes = b""


def kind_of(row: ActivityRow) -> str | None:
    """The type of entry that a record becomes; None where nobody needs to hear of it."""
    if not row.accepted:
        return None
    if row.event_type == "UploadExpired" and row.code == "aborted":
        return "asset.deleted"  # called off: its owner's lists hold it no more
    if row.event_type != "ProcessingFailed":
        return _KINDS.get(row.event_type)
    if row.data.get("will_retry"):
        return "job.retrying"
    return "asset.failed" if row.data.get("status") == "failed" else "job.failed"


def entry_of(row: ActivityRow, kind: str, vector: Vector, *, title: str | None, url: str | None) -> Entry:
    """The entry of a record, ready to be sent to any number of streams."""
    status = row.data.get("status")
    entry = Entry(
        kind=kind,
        asset_id=row.asset_id,
        owner_id=row.owner_id,
        status=str(status) if status is not None else None,
        title=title,
        url=url,
        timestamp=row.occurred_at,
        position=Position(topic=row.topic, partition=row.partition, offset=row.offset),
        vector=vector,
    )
    return replace(entry, wire=frame(vector, _data(entry)))


def reframed(entry: Entry, vector: Vector) -> bytes:
    """The entry's block for a client that has seen more than this process has."""
    return frame(vector, _data(entry))


def frame(vector: Vector, data: Mapping[str, object] | None = None, *, retry_ms: int | None = None) -> bytes:
    """One block of the stream. Without data no event is dispatched, but the client's last id moves on."""
    lines = [f"id: {vector_token(vector)}"]
    if retry_ms is not None:
        lines.append(f"retry: {retry_ms}")
    if data is not None:
        # ASCII alone: no line separator of any kind can break the block.
        lines.append(f"data: {json.dumps(data, ensure_ascii=True, separators=(',', ':'))}")
    return ("\n".join(lines) + "\n\n").encode()


def notice(kind: str, vector: Vector, now: datetime, *, retry_ms: int | None = None) -> bytes:
    """A block about the stream itself: reset or reconnect."""
    said = {
        "type": kind,
        "asset_id": None,
        "status": None,
        "title": None,
        "url": None,
        "timestamp": _time(now),
        "position": None,
    }
    return frame(vector, said, retry_ms=retry_ms)


def _data(entry: Entry) -> dict[str, object]:
    return {
        "type": entry.kind,
        "asset_id": str(entry.asset_id),
        "status": entry.status,
        "title": entry.title,
        "url": entry.url,
        "timestamp": _time(entry.timestamp),
        "position": entry.position.token(),
    }


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

"""Reads off a record, by its headers alone where they suffice, what it says about attempts at a job."""

from collections.abc import Callable
from uuid import UUID

from processors.look_ahead.job_index import JobFact
from schemas.decode_errors import DecodeError, UnknownEventType
from schemas.envelope import RawRecord, read_headers
from schemas.events import Event, ProcessingFailed

Decode = Callable[[bytes | None], Event]

_TOLD_BY_HEADERS = {"ProcessingStarted", "VariantsReady", "JobDeleted", "AssetPurged"}


def fact_of(record: RawRecord, decode: Decode) -> JobFact | None:
    """What the record says about attempts; None where it says nothing, or nothing that can be read.

    The kind of a failure stands in the value alone, so a ProcessingFailed is decoded; so is a record
    that a mirror stripped of its headers.
    """
    headers = read_headers(record.headers)
    name = headers.get("ce_type", "").rpartition(".")[2]
    if name in _TOLD_BY_HEADERS:
        return JobFact(
            offset=record.offset,
            event=name,
            asset_id=_uuid(_text(record.key)),
            job_id=_uuid(headers.get("jobid")),
            attempt=_natural(headers.get("attempt")),
        )
    if name and name != ProcessingFailed.__name__:
        return None
    try:
        return fact_in(decode(record.value), record.offset)
    except (DecodeError, UnknownEventType):
        return None


def fact_in(event: Event, offset: int) -> JobFact:
    """What an event at this offset says about attempts."""
    return JobFact(
        offset=offset,
        event=type(event).__name__,
        asset_id=getattr(event, "asset_id", None),
        job_id=getattr(event, "job_id", None),
        attempt=getattr(event, "attempt", 0),
        kind=getattr(event, "kind", None),
        will_retry=getattr(event, "will_retry", False),
    )


def _text(key: bytes | None) -> str | None:
    return None if key is None else key.decode(errors="replace")


def _uuid(text: str | None) -> UUID | None:
    try:
        return None if text is None else UUID(text)
    except ValueError:
        return None


def _natural(text: str | None) -> int:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 10 else 0

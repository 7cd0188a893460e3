"""The chain: each record's digest holds the one before, so that nothing can be changed, left out or moved."""

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from projections.records import Record

_DOMAIN: Final = b"darkroom/audit-chain/v1"


class NotARecord(ValueError):
    """A line that no export wrote."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One record as the broker keeps it; `time` in milliseconds since 1970 by the log's clock."""

    offset: int
    time: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Where a chain ends: the next offset, how many records it holds, and the digest of the last."""

    next_offset: int
    records: int
    digest: str


def entry_of(record: Record) -> Entry:
    """A record that a consumer handed out."""
    headers = tuple((name, value) for name, value in record.headers() or ())
    return Entry(
        offset=record.offset, time=record.log_ms, key=record.key, value=record.value, headers=headers
    )


def begin(topic: str, topic_id: str, partition: int) -> bytes:
    """What the first record of a partition is chained to; a topic made anew begins another chain."""
    return hashlib.sha256(_bytes(_DOMAIN) + _bytes(f"{topic}/{topic_id}/{partition}".encode())).digest()


def after(digest: bytes, entry: Entry) -> bytes:
    """The digest after one more record: SHA-256 over the one before, offset, time, and the raw bytes.

    Numbers are 8 bytes, big end first; each field is one byte (0 for null) and, where it is there, its
    length and its bytes; headers are counted, then name and value in turn.
    """
    pieces = [digest, _number(entry.offset), _number(entry.time), _bytes(entry.key), _bytes(entry.value)]
    pieces.append(_number(len(entry.headers)))
    for name, value in entry.headers:
        pieces += [_bytes(name.encode()), _bytes(value)]
    return hashlib.sha256(b"".join(pieces)).digest()


def line(entry: Entry, digest: bytes) -> bytes:
    """The record and the digest after it as a line of an export, which has no other form."""
    said = {
        "offset": entry.offset,
        "time": entry.time,
        "key": _text(entry.key),
        "value": _text(entry.value),
        "headers": [[name, _text(value)] for name, value in entry.headers],
        "digest": digest.hex(),
    }
    return json.dumps(said, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def followed(lines: Iterable[bytes], digest: bytes) -> Iterator[tuple[Entry, bytes]]:
    """The records of an export, each with the digest after it; `digest` is what the first is chained to.

    Raises NotARecord at the first line that is not, byte for byte, what `line` writes of its record.
    """
    for number, text in enumerate(lines, 1):
        try:
            entry, said = _entry(json.loads(text))
            digest = after(digest, entry)
            written = line(entry, digest)
        except (AttributeError, KeyError, OverflowError, RecursionError, TypeError, ValueError) as error:
            raise NotARecord(f"line {number} is no record") from error
        if said != digest.hex():
            raise NotARecord(f"the record at offset {entry.offset} is not what was chained")
        if text != written:
            raise NotARecord(f"line {number} tells its record otherwise than an export does")
        yield entry, digest


def _entry(said: dict[str, Any]) -> tuple[Entry, str]:
    entry = Entry(
        offset=int(said["offset"]),
        time=int(said["time"]),
        key=_raw(said["key"]),
        value=_raw(said["value"]),
        headers=tuple((str(name), _raw(value)) for name, value in said["headers"]),
    )
    return entry, str(said["digest"])


def _text(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()


def _raw(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text, validate=True)


def _number(value: int) -> bytes:
    return value.to_bytes(8, "big", signed=True)


def _bytes(value: bytes | None) -> bytes:
    return b"\0" if value is None else b"\1" + _number(len(value)) + value

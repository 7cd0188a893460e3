"""Events to record values and back: Confluent's wire format (0, 4-byte schema id, Avro) over raw fastavro."""

import struct
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any, Final

from fastavro import schemaless_reader
from fastavro.read import SchemaResolutionError

from schemas.avsc import avsc, full_name_of
from schemas.catalogue import CATALOGUE, EventType, by_full_name
from schemas.compiled import Write, compiled
from schemas.decode_errors import (
    DecodeError,
    EmptyValue,
    InvalidValue,
    NotOurs,
    NullValue,
    OversizedValue,
    TooShort,
    TrailingBytes,
    Undecodable,
    UnknownEventType,
    UnknownSchemaId,
    WrongMagic,
    WrongSchema,
)
from schemas.envelope import RawHeaders, read_headers
from schemas.events import Event
from schemas.readers import Reader, WriterSchema, reader_for
from schemas.straight import Read, read_straight
from schemas.walk import walk

__all__ = [
    "MAX_VALUE_BYTES",
    "Codec",
    "DecodeError",
    "InvalidEvent",
    "NotOurs",
    "OversizedEvent",
    "Undecodable",
    "UnknownEventType",
    "WriterSchema",
]

MAX_VALUE_BYTES: Final = 512 * 1024
"""The largest event, header included: half of what the broker takes, so that a dead letter fits as well."""

# Above this size even a harmless-looking array could cost more than walking to it first.
_WALK_FIRST_BYTES = 16 * 1024

_HEADER = 5
_ENCODE_FAULTS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
_DECODE_FAULTS = (ArithmeticError, EOFError, LookupError, TypeError, ValueError, struct.error)


class InvalidEvent(ValueError):
    """An event with a field of another type than its class declares; a bug of ours."""


class OversizedEvent(ValueError):
    """An event larger than readers accept."""


class Codec:
    """Encodes and decodes events; `ids` names the schema id to write for each full name.

    `schema_of` gives the schema of any id, or None where there is none; it is asked once an id, and what it
    raises comes through (a registry that is away is no fault of the record).
    """

    def __init__(self, ids: Mapping[str, int], schema_of: Callable[[int], WriterSchema | None]) -> None:
        self._schema_of = schema_of
        self._writers = {
            row.cls: _writer(row, ids[row.full_name]) for row in CATALOGUE if row.full_name in ids
        }
        self._readers: dict[int, Reader] = {}
        # The readers that read straight, by the bytes before the Avro.
        self._straight: dict[bytes, Read] = {}
        self._unknown_types: dict[int, str] = {}
        self._confirmed: set[int] = set()

    @classmethod
    def local(cls) -> "Codec":
        """A codec without a registry: ids count through the catalogue's versions, from 1."""
        rows = [(row, version) for row in CATALOGUE for version in range(1, row.newest + 1)]
        ids = {row.full_name: number for number, (row, _) in enumerate(rows, start=1)}
        schemas = {
            number: WriterSchema(schema=avsc(row, version))
            for number, (row, version) in enumerate(rows, start=1)
        }
        return cls(ids, schemas.get)

    def encode(self, event: Event) -> bytes:
        """The record value; raises InvalidEvent and OversizedEvent."""
        pieces: list[bytes] = []
        try:
            prefix, write = self._writers[type(event)]
            pieces.append(prefix)
            write(event, pieces.append)
            value = b"".join(pieces)
        except _ENCODE_FAULTS as error:
            raise InvalidEvent(f"{type(event).__name__}: {error}") from error
        if len(value) > MAX_VALUE_BYTES:
            raise OversizedEvent(f"{type(event).__name__} of {len(value)} bytes, {MAX_VALUE_BYTES} at most")
        return value

    def decode(self, value: bytes | None, *, headers: RawHeaders | None = None) -> Event:
        """The event, in the newest version that we know; raises DecodeError and UnknownEventType.

        With `headers` the first record of each schema id is checked against what its headers call it, so
        that a registry that was lost and filled anew can't make us misread.
        """
        if headers is None and value is not None and (event := self.decode_known(value)) is not None:
            return event
        if value is None:
            raise NullValue
        if len(value) < _HEADER or value[0] != 0:
            raise _unframed(value)
        if len(value) > MAX_VALUE_BYTES:
            raise OversizedValue(f"{len(value)} bytes, {MAX_VALUE_BYTES} at most")
        schema_id = int.from_bytes(value[1:_HEADER], "big")
        reader = self._readers.get(schema_id) or self._meet(schema_id)
        if headers is not None and schema_id not in self._confirmed:
            _confirm(reader, read_headers(headers))
            self._confirmed.add(schema_id)
        return _read(reader, value)

    def decode_known(self, value: bytes) -> Event | None:
        """The event, where its type was met before and the bytes are as we write them; None says nothing."""
        read = self._straight.get(value[:_HEADER])
        if read is None or len(value) > _WALK_FIRST_BYTES:
            return None
        event: Event | None = read_straight(read, value, _HEADER)
        return event

    def _meet(self, schema_id: int) -> Reader:
        if (unknown := self._unknown_types.get(schema_id)) is not None:
            raise UnknownEventType(unknown)
        written = self._schema_of(schema_id)
        if written is None:
            raise UnknownSchemaId(str(schema_id))
        full_name = full_name_of(dict(written.schema))
        row = by_full_name().get(full_name)
        if row is None:
            self._unknown_types[schema_id] = full_name
            raise UnknownEventType(full_name)
        reader = self._readers[schema_id] = reader_for(row, written.schema)
        if reader.straight is not None:
            self._straight[_prefix(schema_id)] = reader.straight
        return reader


def _writer(row: EventType, schema_id: int) -> tuple[bytes, Write]:
    cls: type = row.cls
    return _prefix(schema_id), compiled(cls).write


def _prefix(schema_id: int) -> bytes:
    return b"\0" + schema_id.to_bytes(4, "big")


def _read(reader: Reader, value: bytes) -> Event:
    if reader.straight is not None and len(value) <= _WALK_FIRST_BYTES:
        event: Event | None = read_straight(reader.straight, value, _HEADER)
        if event is not None:
            return event
    return read_slowly(reader, value)  # whether anything is wrong with it is for fastavro to say


def read_slowly(reader: Reader, value: bytes) -> Event:
    """The event by fastavro, which is the referee; raises DecodeError."""
    if len(value) > _WALK_FIRST_BYTES or reader.version is None:
        walk(reader.written, value, _HEADER)
    stream = BytesIO(value)
    stream.seek(_HEADER)
    try:
        plain: Any = schemaless_reader(stream, reader.written, reader.wanted)
        if (rest := len(value) - stream.tell()) > 0:
            raise TrailingBytes(f"{rest} bytes")
        event: Event = reader.build(plain if reader.upcast is None else reader.upcast(plain))
    except SchemaResolutionError as error:
        raise WrongSchema(f"{reader.row.full_name}: can't be resolved to the version we know") from error
    except _DECODE_FAULTS as error:
        raise _reason(reader, value, error) from error
    return event


def _reason(reader: Reader, value: bytes, error: Exception) -> DecodeError:
    try:
        walk(reader.written, value, _HEADER)
    except DecodeError as reason:
        return reason
    return InvalidValue(type(error).__name__)


def _unframed(value: bytes) -> DecodeError:
    if not value:
        return EmptyValue()
    return WrongMagic(f"{value[0]:#04x}") if value[0] else TooShort(f"{len(value)} bytes")


def _confirm(reader: Reader, told: Mapping[str, str]) -> None:
    """WrongSchema unless the headers, where they say anything, call the record what its id calls it."""
    full_name = reader.row.full_name
    if (name := told.get("ce_type", full_name)) != full_name:
        raise WrongSchema(f"the id says {full_name}, the headers {name[:200]}")
    if reader.version and (version := told.get("schemaversion", "")) not in {"", str(reader.version)}:
        raise WrongSchema(f"{full_name}: the id says version {reader.version}, the headers {version[:20]}")

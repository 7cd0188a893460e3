"""Rows as COPY's binary bytes: for each list of column types one function, compiled once.

psycopg asks of each value what it is, and dumps ids, moments and lists in Python. What a column holds is
known beforehand.
"""

import struct
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import cache
from json import JSONEncoder
from typing import Any, Final

from psycopg import Connection, DataError
from psycopg.sql import Composed
from psycopg.types.json import Jsonb

from schemas.compiled import function_of

Pack = Callable[[Sequence[Any]], bytes]

_SIGNATURE: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER: Final = b"\xff\xff"
# What libpq is given at a time; it is slow to move much more.
_PIECE_BYTES: Final = 64 * 1024
_FAULTS: Final = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, struct.error)

_SHORT: Final = 4096
_NULL: Final = struct.pack("!i", -1)
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_TEXT_OID, _UUID_OID = 25, 2950

# How the value in {c}, which is not None, becomes its bytes and their number before them.
_PACKED: Final = {
    "bool": "BOOLS[{c}]",
    "bytea": "sized({c}) if len({c}) >= SHORT else SIZES[len({c})] + {c}",
    "date": "small(4, {c}.toordinal() - FIRST_DAY)",
    "int4": "small(4, {c})",
    "int8": "large(8, {c})",
    "jsonb": "json({c})",
    "text": "sized({c}.encode()) if len({c}) >= QUARTER else SIZES[len(d := {c}.encode())] + d",
    "text[]": "texts({c})",
    "timestamptz": "moment({c})",
    "uuid": "OF_16 + {c}.int.to_bytes(16, 'big')",
    "uuid[]": "ids({c})",
}


def copy_rows(
    conn: Connection[Any], statement: Composed, types: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Writes rows by `statement`, a binary COPY from stdin into columns of these types.

    Raises psycopg.DataError for a value that no such column takes, and what `rows` and the database raise.
    """
    pack = packer(tuple(types))
    with conn.cursor() as cursor, cursor.copy(statement) as copy:
        pieces, size = [_SIGNATURE], 0
        for row in rows:
            try:
                piece = pack(row)
            except _FAULTS as error:
                raise DataError(f"a row that no table takes: {type(error).__name__}") from error
            pieces.append(piece)
            size += len(piece)
            if size > _PIECE_BYTES:
                copy.write(b"".join(pieces))
                pieces, size = [], 0
        pieces.append(_TRAILER)
        copy.write(b"".join(pieces))


@cache
def packer(types: tuple[str, ...]) -> Pack:
    """The function that makes the bytes of a row of these types; KeyError for a type that is not known here.

    It raises ArithmeticError, AttributeError, LookupError, TypeError, ValueError or struct.error for a row of
    another length or with a value of another type. A jsonb is a Jsonb, or bytes that are its text already.
    """
    names = [f"c{number}" for number in range(len(types))]
    values = [
        f"NULL if {name} is None else ({_PACKED[of].format(c=name)})"
        for name, of in zip(names, types, strict=True)
    ]
    lines = [f"{', '.join(names)}, = row", "return join((HEAD,", *(f"{value}," for value in values), "))"]
    known: dict[str, Any] = {**_KNOWN, "HEAD": struct.pack("!h", len(types))}
    source = function_of("pack(row)", lines)
    exec(compile(source, f"<packed {' '.join(types)}>", "exec"), known)  # noqa: S102  # our own text
    pack: Pack = known["pack"]
    return pack


_size: Final = struct.Struct("!i").pack
_sizes: Final = tuple(_size(number) for number in range(_SHORT))
_long: Final = struct.Struct("!iq").pack
_json: Final = JSONEncoder(check_circular=False, separators=(",", ":")).encode


def _sized(data: bytes) -> bytes:
    return _size(len(data)) + data


def _of_json(value: Jsonb | bytes) -> bytes:
    text = value if isinstance(value, bytes) else _json(value.obj).encode()
    return _size(len(text) + 1) + b"\1" + text


def _of_moment(value: datetime) -> bytes:
    """Microseconds since 2000."""
    since = value - _EPOCH
    return _long(8, (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)


def _of_texts(values: Sequence[str]) -> bytes:
    return _array(_TEXT_OID, [value.encode() for value in values])


def _of_ids(values: Sequence[Any]) -> bytes:
    return _array(_UUID_OID, [value.int.to_bytes(16, "big") for value in values])


_array_head: Final = struct.Struct("!iiIii").pack


def _array(oid: int, items: Sequence[bytes]) -> bytes:
    """One dimension from 1 on, without nulls; none where there are no items."""
    if not items:
        return _sized(struct.pack("!iiI", 0, 0, oid))
    pieces = [_array_head(1, 0, oid, len(items), 1)]
    for item in items:
        pieces += (_size(len(item)), item)
    return _sized(b"".join(pieces))


_KNOWN: Final = {
    "BOOLS": {False: _sized(b"\0"), True: _sized(b"\1")},
    "FIRST_DAY": _EPOCH.toordinal(),
    "NULL": _NULL,
    "OF_16": _size(16),
    "QUARTER": _SHORT // 4,
    "SHORT": _SHORT,
    "SIZES": _sizes,
    "ids": _of_ids,
    "join": b"".join,
    "json": _of_json,
    "large": _long,
    "moment": _of_moment,
    "sized": _sized,
    "small": struct.Struct("!ii").pack,
    "texts": _of_texts,
}

"""Ids, times and numbers as Avro has them: the conversions that every event pays for."""

from binascii import unhexlify
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from uuid import UUID, SafeUUID

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LONG_MIN, _LONG_MAX = -(1 << 63), (1 << 63) - 1
# The years 1 to 9999 of UTC, in microseconds since 1970.
_FIRST, _LAST = -62_135_596_800_000_000, 253_402_300_799_999_999
_UUID_LENGTH = 36


def zigzag(number: int) -> bytes:
    """An Avro long; OverflowError beyond 64 bits."""
    if not _LONG_MIN <= number <= _LONG_MAX:
        raise OverflowError("a number of more than 64 bits")
    rest = (number << 1) ^ (number >> 63)
    out = bytearray()
    while rest > 127:
        out.append(rest & 127 | 128)
        rest >>= 7
    out.append(rest)
    return bytes(out)


def micros(moment: datetime) -> int:
    """Microseconds since 1970; TypeError for a moment without a time zone.

    OverflowError for what `from_micros` could not read: an offset can carry a moment out of the years.
    """
    since = moment - EPOCH
    value = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    if not _FIRST <= value <= _LAST:
        raise OverflowError("a moment beyond the years 1 to 9999")
    return value


def from_micros(value: int) -> datetime:
    """The moment, in UTC; OverflowError beyond the years 1 to 9999."""
    return EPOCH + timedelta(0, 0, value)


def uuid_text(value: UUID) -> str:
    """As str(value), in two thirds of its time."""
    digits = value.int.to_bytes(16, "big").hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


_new = object.__new__
_set_int = UUID.__dict__["int"].__set__
_set_is_safe = UUID.__dict__["is_safe"].__set__
_UNKNOWN = SafeUUID.unknown


def own_id(text: bytes) -> UUID:
    """The id that `text` spells in its 36 characters; ValueError otherwise.

    UUID(text) takes three times as long and accepts more spellings.
    """
    number = unhexlify(text.replace(b"-", b""))
    if len(number) != 16 or len(text) != _UUID_LENGTH:
        raise ValueError("no id")
    value = _new(UUID)
    _set_int(value, int.from_bytes(number, "big"))
    _set_is_safe(value, _UNKNOWN)
    return value


@lru_cache(maxsize=16_384)
def uuid_from_bytes(text: bytes) -> UUID:
    """As `own_id`, for ids that several events share: a life's events have three of their five in common.

    The same object comes back, as long as a batch of ten thousand lasts.
    """
    return own_id(text)


def uuid_from_text(text: str) -> UUID:
    """The id that `text` spells in its 36 characters; ValueError otherwise."""
    return uuid_from_bytes(text.encode())

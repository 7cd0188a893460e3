"""Why a record could not be read; each class docstring is what the dead letter's reader is told.

DecodeError
├── NotOurs             no record of ours: a dead letter, and on with the next
│   ├── NullValue
│   ├── EmptyValue
│   ├── WrongMagic
│   └── TooShort
└── Undecodable         framed as ours and yet unreadable: set aside with its key's later records
    ├── UnknownSchemaId
    ├── WrongSchema
    ├── OversizedValue
    ├── TruncatedValue
    ├── TrailingBytes
    ├── ArrayBomb
    └── InvalidValue
UnknownEventType        no error at all: counted and skipped
"""

from typing import ClassVar


class DecodeError(Exception):
    """A record that could not be read."""

    code: ClassVar[str]

    def __init__(self, detail: str = "") -> None:
        self.detail = detail
        sentence = type(self).__doc__ or ""
        super().__init__(f"{sentence} ({detail})" if detail else sentence)


class NotOurs(DecodeError):
    """The value is no record of ours."""


class NullValue(NotOurs):
    """The record has no value."""

    code = "null_value"


class EmptyValue(NotOurs):
    """The value is empty."""

    code = "empty_value"


class WrongMagic(NotOurs):
    """The value does not begin with the byte 0 of the wire format."""

    code = "wrong_magic"


class TooShort(NotOurs):
    """The value ends inside the five bytes of its header."""

    code = "too_short"


class Undecodable(DecodeError):
    """The value is framed as ours and can't be read."""


class UnknownSchemaId(Undecodable):
    """No schema has this id."""

    code = "unknown_schema_id"


class WrongSchema(Undecodable):
    """The id names another schema than the one the value was written with."""

    code = "wrong_schema"


class OversizedValue(Undecodable):
    """The value is larger than any event may be."""

    code = "oversized_value"


class TruncatedValue(Undecodable):
    """The value ends inside a field."""

    code = "truncated_value"


class TrailingBytes(Undecodable):
    """The value goes on after its last field."""

    code = "trailing_bytes"


class ArrayBomb(Undecodable):
    """An array claims more items than any event may have."""

    code = "array_bomb"


class InvalidValue(Undecodable):
    """A field holds something that its type does not allow."""

    code = "invalid_value"


class UnknownEventType(Exception):
    """A well-formed record of a type that this program has never heard of."""

    code: ClassVar[str] = "unknown_event_type"

    def __init__(self, full_name: str) -> None:
        self.full_name = full_name
        super().__init__(full_name)

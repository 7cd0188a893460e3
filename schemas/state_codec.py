"""Folded states to bytes and back, for those who keep them beside their rows.

The bytes are Avro by a schema that is derived from the classes. They are no contract: who keeps them must be
able to fold them anew from the log when a class changes, and can tell by `state_format`.
"""

import dataclasses
import hashlib
import json
from datetime import datetime
from functools import cache
from io import BytesIO
from types import NoneType, UnionType
from typing import Any, Final, Literal, TypeVar, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from fastavro import parse_schema, schemaless_reader

from schemas.compiled import compiled
from schemas.straight import read_straight, straight

_PRIMITIVES: Final[dict[object, str]] = {
    UUID: "string",
    bool: "boolean",
    bytes: "bytes",
    datetime: "long",
    int: "long",
    str: "string",
}

_State = TypeVar("_State")


def encode_state(state: object) -> bytes:
    """The state as bytes; TypeError where it is no frozen, slotted dataclass of what an event may hold."""
    pieces: list[bytes] = []
    cls: Any = type(state)
    compiled(cls).write(state, pieces.append)
    return b"".join(pieces)


def decode_state(cls: type[_State], value: bytes) -> _State:
    """The inverse of `encode_state` for states of `cls`; what happens to other bytes is undefined."""
    known: Any = cls
    state: _State | None = read_straight(straight(known), value, 0)
    return decode_slowly(cls, value) if state is None else state


def decode_slowly(cls: type[_State], value: bytes) -> _State:
    """As `decode_state`, by fastavro."""
    known: Any = cls
    plain: Any = schemaless_reader(BytesIO(value), _parsed(known), None)
    state: _State = compiled(known).build(plain)
    return state


@cache
def state_format(cls: type) -> str:
    """A name for the bytes that today's classes make; another name, another format."""
    text = json.dumps(_schema(cls, set()), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@cache
def _parsed(cls: type) -> Any:  # noqa: ANN401  # fastavro's own
    return parse_schema(_schema(cls, set()))  # type: ignore[arg-type]  # JSON, made below


def _schema(hint: Any, named: set[str]) -> object:  # noqa: ANN401  # a type as it stands in an annotation
    if get_origin(hint) in {Union, UnionType}:
        return ["null", *(_schema(part, named) for part in get_args(hint) if part is not NoneType)]
    if get_origin(hint) is Literal:
        return "string"
    if get_origin(hint) is tuple:
        return {"type": "array", "items": _schema(get_args(hint)[0], named)}
    if not dataclasses.is_dataclass(hint):
        return _PRIMITIVES[hint]
    name: str = hint.__name__  # type: ignore[union-attr]  # a class, here
    if name in named:
        return name
    named.add(name)
    hints = get_type_hints(hint)
    fields = [
        {"name": field.name, "type": _schema(hints[field.name], named)} for field in dataclasses.fields(hint)
    ]
    return {"type": "record", "name": name, "fields": fields}

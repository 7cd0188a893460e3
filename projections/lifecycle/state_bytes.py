"""Asset states to bytes and back: Avro by a schema that is read off the state's own classes."""

import dataclasses
from collections.abc import Callable
from datetime import datetime
from functools import cache
from io import BytesIO
from types import NoneType, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from fastavro import parse_schema, schemaless_reader

from schemas.asset_state import AssetState
from schemas.compiled import compiled

_PLAIN: Final[dict[object, str]] = {
    UUID: "string",
    datetime: "long",
    int: "long",
    str: "string",
    bytes: "bytes",
    bool: "boolean",
}


def encode_state(state: AssetState) -> bytes:
    """The state in bytes; equal states have equal bytes."""
    pieces: list[bytes] = []
    compiled(AssetState).write(state, pieces.append)
    return b"".join(pieces)


def decode_state(data: bytes) -> AssetState:
    """The inverse of `encode_state`, for bytes written with the very same classes."""
    state: AssetState = _build()(schemaless_reader(BytesIO(data), _schema(), None))
    return state


def state_schema() -> Any:  # noqa: ANN401 - JSON
    """The Avro schema of the state; a change of it needs a new version of read_models.LIFECYCLE."""
    return _record(AssetState, set())


@cache
def _schema() -> Any:  # noqa: ANN401 - as fastavro has it
    return parse_schema(state_schema())


@cache
def _build() -> Callable[[Any], Any]:
    return compiled(AssetState).build


def _record(cls: type, known: set[str]) -> object:
    if cls.__name__ in known:
        return cls.__name__
    known.add(cls.__name__)
    hints = get_type_hints(cls)
    fields = [
        {"name": field.name, "type": _type(hints[field.name], known)} for field in dataclasses.fields(cls)
    ]
    return {"type": "record", "name": cls.__name__, "fields": fields}


def _type(hint: object, known: set[str]) -> object:
    if get_origin(hint) is Literal:
        return "string"
    if get_origin(hint) in {Union, UnionType}:
        (only,) = (part for part in get_args(hint) if part is not NoneType)
        return ["null", _type(only, known)]
    if get_origin(hint) is tuple:
        return {"type": "array", "items": _type(get_args(hint)[0], known)}
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _record(hint, known)
    return _PLAIN[hint]

"""For each event class two functions, compiled as dataclasses does its own: object → Avro, values → object.

The generic ways (a walk over fields, or fastavro's writer with its logical types) take twice the time, and
this is most of what a rebuild does. fastavro is the referee of the writing: tests compare the bytes. What it
read is built here; what we wrote ourselves is read by schemas.straight.
"""

import dataclasses
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import cache
from textwrap import indent
from types import NoneType, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from schemas.replacing import unfrozen
from schemas.scalars import EPOCH, micros, uuid_from_text, uuid_text, zigzag

Plain = dict[str, Any]
Write = Callable[[Any, Callable[[bytes], object]], None]
Build = Callable[[Plain], Any]

_SHORT: Final = 4096
_NULL, _GIVEN = "b'\\0'", "b'\\2'"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """`write(object, append)` appends the Avro bytes in pieces; `build(values)` makes the object.

    `write` raises AttributeError, TypeError, ValueError or OverflowError for a field of another type than
    declared; `build` raises ValueError or OverflowError for a value that no such object may hold.
    """

    write: Write
    build: Build


@cache
def compiled(cls: type) -> Compiled:
    """The two functions of a frozen, slotted dataclass of texts, numbers, ids, times, bytes and the like."""
    fields = fields_of(cls)
    names = _names(cls, fields)
    write = [line for name, hint, optional in fields for line in _write_field(name, hint, optional)]
    build = [f"made.{name} = {_build_field(name, hint, optional)}" for name, hint, optional in fields]
    texts = "".join(f"{{values[{name!r}] or ''}}" for name, hint, _ in fields if hint is str)
    if texts:
        build.insert(0, f'if "\\0" in f"{texts}":\n    raise ValueError("text with a NUL")')
    source = function_of("write(event, append)", write)
    source += function_of("build(values)", ["made = unfrozen()", *build, FINISHED, "return made"])
    exec(compile(source, f"<compiled {cls.__qualname__}>", "exec"), names)  # noqa: S102  # our own text
    return Compiled(write=names["write"], build=names["build"])


Fields = list[tuple[str, object, bool]]
"""For each field its name, the type of what it holds, and whether it may hold None."""


FINISHED: Final = "made.__class__ = cls"
"""The line by which an object of the unfrozen class becomes one of its own."""


def fields_of(cls: type) -> Fields:
    """The fields of a dataclass, in their order."""
    hints = get_type_hints(cls)
    return [(field.name, *_optional(hints[field.name])) for field in dataclasses.fields(cls)]


def function_of(head: str, lines: Iterable[str]) -> str:
    """The source of a function."""
    return f"def {head}:\n" + indent("\n".join(lines), "    ") + "\n"


def _names(cls: type, fields: Fields) -> dict[str, Any]:
    names: dict[str, Any] = {
        "EPOCH": EPOCH,
        "SHORT": tuple(zigzag(number) for number in range(_SHORT)),
        "clean": _clean,
        "cls": cls,
        "micros": micros,
        "text_bytes": _text_bytes,
        "timedelta": timedelta,
        "unfrozen": unfrozen(cls),
        "uuid_from_text": uuid_from_text,
        "uuid_text": uuid_text,
        "zigzag": zigzag,
    }
    for name, hint, _ in fields:
        nested = get_args(hint)[0] if get_origin(hint) is tuple else hint
        if dataclasses.is_dataclass(nested) and isinstance(nested, type):
            names[f"write_{name}"], names[f"build_{name}"] = compiled(nested).write, compiled(nested).build
    return names


def _optional(hint: object) -> tuple[object, bool]:
    if get_origin(hint) is Literal:
        return str, False
    if get_origin(hint) not in {Union, UnionType}:
        return hint, False
    (only,) = (part for part in get_args(hint) if part is not NoneType)
    return only, True


def _write_field(name: str, hint: object, optional: bool) -> list[str]:
    lines = _write_value(f"event.{name}", name, hint)
    if not optional:
        return lines
    given = indent("\n".join([f"append({_GIVEN})", *lines]), "    ")
    return [f"if event.{name} is None:\n    append({_NULL})\nelse:\n{given}"]


def _write_value(value: str, name: str, hint: object) -> list[str]:
    length = f"append(SHORT[len(data)] if len(data) < {_SHORT} else zigzag(len(data)))"
    if hint is UUID:
        return [f"append(b'H')  # 36 bytes\nappend(uuid_text({value}).encode())"]
    if hint is datetime:
        return [f"append(zigzag(micros({value})))"]
    if hint is bool:
        return [f"append((b'\\0', b'\\1')[{value}])"]
    if hint is int:
        return [f"append(SHORT[{value}] if 0 <= {value} < {_SHORT} else zigzag({value}))"]
    if hint is str:
        return [f"data = text_bytes({value})", length, "append(data)"]
    if hint is bytes:
        return [f"data = {value}", length, "append(data)"]
    if get_origin(hint) is tuple:
        items = "\n".join(_write_value("item", name, get_args(hint)[0]))
        full = f"append(zigzag(len({value})))\nfor item in {value}:\n{indent(items, '    ')}"
        return [
            f"if type({value}) is not tuple:\n    raise TypeError({name!r})",
            f"if {value}:\n{indent(full, '    ')}",
            f"append({_NULL})",
        ]
    if dataclasses.is_dataclass(hint):
        return [f"write_{name}({value}, append)"]
    raise TypeError(f"{name}: {hint} has no place in an event")


def _build_field(name: str, hint: object, optional: bool) -> str:
    value = f"values[{name!r}]"
    made = _build_value(value, name, hint)
    return f"None if {value} is None else {made}" if optional and made != value else made


def _build_value(value: str, name: str, hint: object) -> str:
    if hint is UUID:
        return f"uuid_from_text({value})"
    if hint is datetime:
        return f"EPOCH + timedelta(0, 0, {value})"
    if hint is str and value == "item":
        return "clean(item)"
    if get_origin(hint) is tuple:
        item = _build_value("item", name, get_args(hint)[0])
        return f"tuple([{item} for item in {value}])"
    if dataclasses.is_dataclass(hint):
        return f"build_{name}({value})"
    return value


def _text_bytes(text: str) -> bytes:
    return _clean(text).encode()


def _clean(text: str) -> str:
    if "\0" in text:
        raise ValueError("text with a NUL, which no database column holds")
    return text

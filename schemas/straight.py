"""For each class a function, compiled as in schemas.compiled, that reads an object straight from Avro bytes.

No dictionary lies between, as with fastavro's reading and a building after that. It knows the bytes that we
write and gives up on all others, even on some that are right: who is given up on asks fastavro.
"""

import dataclasses
import struct
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import cache, partial
from itertools import groupby
from textwrap import indent
from typing import Any, Final, get_args, get_origin
from uuid import UUID

from schemas.compiled import FINISHED, Fields, fields_of, function_of
from schemas.replacing import unfrozen
from schemas.scalars import EPOCH, own_id, uuid_from_bytes

Read = Callable[[bytes, int], tuple[Any, int]]

_FAULTS: Final = (ArithmeticError, LookupError, ValueError, struct.error)
_MOST_SHIFT: Final = 63
_EVENT_ID: Final = "event_id"

# A number of eight bytes, as all moments from 1979 to 3111 are, is read as four pairs: which bits of a
# pair say that it goes on.
_BOTH_GO_ON, _ONE_GOES_ON = 0x8080, 0x0080


class Unusual(ValueError):
    """Bytes that we would not have written, or seldom."""


@cache
def straight(cls: type) -> Read:
    """Reads one object of a frozen, slotted dataclass: bytes and offset to the object and where it ends.

    The end may lie beyond that of the bytes, and then the object is nothing. Where it gives up it raises
    ArithmeticError, LookupError, ValueError or struct.error.
    """
    fields = fields_of(cls)
    names: dict[str, Any] = {
        "Unusual": Unusual,
        "cls": cls,
        "id_of": uuid_from_bytes,
        "longer": _longer,
        "moment": partial(_moment, _sevens()),
        "own_id": own_id,
        "unfrozen": unfrozen(cls),
    }
    lines = list(_lines(fields, names))
    source = function_of("read(value, at)", ["made = unfrozen()", *lines, FINISHED, "return made, at"])
    exec(compile(source, f"<straight {cls.__qualname__}>", "exec"), names)  # noqa: S102  # our own text
    read: Read = names["read"]
    return read


def read_straight(read: Read, value: bytes, start: int) -> Any | None:  # noqa: ANN401  # what `read` reads
    """The object that is all of `value[start:]`; None where reading it straight gives up."""
    try:
        made, end = read(value, start)
    except _FAULTS:
        return None
    return made if end == len(value) else None


def _lines(fields: Fields, names: dict[str, Any]) -> Iterator[str]:
    """The lines that read all fields; what they call goes into `names`."""
    for fixed, run in groupby(fields, lambda field: field[1] in {UUID, datetime} and not field[2]):
        if fixed:
            yield _read_run(list(run), names)
            continue
        for name, hint, optional in run:
            _learn(name, hint, names)
            lines = [*_read_value(name, hint, names), f"made.{name} = it"]
            yield _where_given(name, lines) if optional else "\n".join(lines)


def _learn(name: str, hint: object, names: dict[str, Any]) -> None:
    nested = get_args(hint)[0] if get_origin(hint) is tuple else hint
    if dataclasses.is_dataclass(nested) and isinstance(nested, type):
        names[f"read_{name}"] = straight(nested)
        names[f"seen_{name}"] = [(b"", None)]


def _where_given(name: str, lines: list[str]) -> str:
    return (
        f"branch = value[at]\nat += 1\nif branch == 2:\n{_indented(lines)}\n"
        f"elif branch == 0:\n    made.{name} = None\nelse:\n    raise Unusual"
    )


def _read_run(fields: Fields, names: dict[str, Any]) -> str:
    """Ids and moments one behind the other, taken apart in one go."""
    layout = struct.Struct("<" + "".join("B36s" if hint is UUID else "4H" for _, hint, _ in fields))
    unpack = f"unpack_{fields[0][0]}"
    names[unpack] = layout.unpack_from
    ids = [name for name, hint, _ in fields if hint is UUID]
    taken = ", ".join(f"size_{name}, {name}" if hint is UUID else _pairs(name) for name, hint, _ in fields)
    lines = [f"{taken}, = {unpack}(value, at)"]
    if ids:
        lines.append(f"if not {' == '.join(f'size_{name}' for name in ids)} == 72:\n    raise Unusual")
    for name, hint, _ in fields:
        of = f"{'own_id' if name == _EVENT_ID else 'id_of'}({name})" if hint is UUID else ""
        lines.append(f"made.{name} = {of or f'moment({_pairs(name)})'}")
    return "\n".join([*lines, f"at += {layout.size}"])


def _read_value(name: str, hint: object, names: dict[str, Any]) -> list[str]:
    """Lines that leave the value in `it`."""
    if hint in {UUID, datetime}:
        names[f"unpack_{name}"] = struct.Struct("<" + ("B36s" if hint is UUID else "4H")).unpack_from
        if hint is UUID:
            wrong = "if size != 72:\n    raise Unusual"
            return [f"size, it = unpack_{name}(value, at)", wrong, "it = id_of(it)\nat += 37"]
        return [f"it = moment(*unpack_{name}(value, at))\nat += 8"]
    if hint is int:
        return [*_number(), "it = -(number >> 1) - 1 if number & 1 else number >> 1"]
    if hint is bool:
        return ["it = value[at]\nat += 1\nif it > 1:\n    raise Unusual\nit = it == 1"]
    if hint is bytes:
        return [*_sized(), "it = value[at:end]\nat = end"]
    if hint is str:
        return [*_sized(), 'it = value[at:end].decode()\nat = end\nif "\\0" in it:\n    raise Unusual']
    if get_origin(hint) is tuple:
        return _read_items(_read_value(name, get_args(hint)[0], names))
    if isinstance(hint, type) and all(of is str for _, of, _ in fields_of(hint)):
        return _read_seen(name)
    return [f"it, at = read_{name}(value, at)"]


def _read_seen(name: str) -> list[str]:
    """Lines that read an object of texts alone, such as versions of programs; mostly it is the last again.

    Where it ends its own bytes say, so the same bytes are the same object, whatever comes behind them.
    """
    afresh = [
        f"begin = at\nit, at = read_{name}(value, at)",
        f"if at <= len(value):\n    seen_{name}[0] = (value[begin:at], it)",
    ]
    seen = f"seen, it = seen_{name}[0]\nif seen and value.startswith(seen, at):\n    at += len(seen)"
    return [f"{seen}\nelse:\n{_indented(afresh)}"]


def _number() -> list[str]:
    """Lines that leave a number, its sign in the lowest bit, in `number`; of one byte or two, mostly."""
    two = "number += (value[at + 1] << 7) - 128\nat += 2"
    more = f"if value[at + 1] < 128:\n{_indented([two])}\nelse:\n    number, at = longer(value, at)"
    return [f"number = value[at]\nif number < 128:\n    at += 1\nelse:\n{_indented([more])}"]


def _sized() -> list[str]:
    return [*_number(), "if number & 1:\n    raise Unusual\nend = at + (number >> 1)"]


def _read_items(item: list[str]) -> list[str]:
    """One block of items and the end, as we write them; what claims to be more fails at the bytes' end."""
    each = _indented([*item, "items.append(it)"])
    full = f"for _ in range(number >> 1):\n{each}\nif value[at] != 0:\n    raise Unusual\nat += 1"
    start = ["items = []", *_number(), "if number & 1:\n    raise Unusual"]
    return [*start, f"if number:\n{_indented([full])}\nit = tuple(items)"]


def _indented(lines: list[str]) -> str:
    return indent("\n".join(lines), "    ")


def _pairs(name: str) -> str:
    return ", ".join(f"{name}_{number}" for number in range(4))


@cache
def _sevens() -> tuple[int, ...]:
    """For each pair of bytes, read as a little-endian number, the fourteen bits that are the number's."""
    return tuple(pair & 0x7F | pair >> 1 & 0x3F80 for pair in range(1 << 16))


def _moment(sevens: tuple[int, ...], a: int, b: int, c: int, d: int) -> datetime:
    """The moment of eight bytes, read as four little-endian numbers."""
    if a & b & c & _BOTH_GO_ON != _BOTH_GO_ON or d & _BOTH_GO_ON != _ONE_GOES_ON or a & 1:
        raise Unusual
    return EPOCH + timedelta(
        0, 0, (sevens[a] >> 1) + (sevens[b] << 13) + (sevens[c] << 27) + (sevens[d] << 41)
    )


def _longer(value: bytes, at: int) -> tuple[int, int]:
    """A number of several bytes, and where it ends."""
    number, shift = 0, 0
    while (byte := value[at]) > 127:
        number |= (byte & 127) << shift
        shift += 7
        at += 1
        if shift == _MOST_SHIFT:
            raise Unusual
    return number | byte << shift, at + 1

"""Reads JSON as RFC 8259 and I-JSON mean it, and refuses what other readers would understand differently."""

import json
from collections.abc import Iterable
from itertools import chain
from typing import Final, NoReturn

# Far beyond any size, id or time that our bodies hold, and cheap to convert.
MAX_INTEGER_DIGITS: Final = 19


class MalformedJson(ValueError):
    """Bytes that are no JSON that we accept; the text says why, without quoting them."""


def parse(data: bytes, *, max_depth: int) -> object:
    """The value that the bytes hold.

    Raises MalformedJson for anything but UTF-8 without a byte order mark, for NaN, infinities and numbers
    beyond them, integers of more than 19 digits, duplicate keys, lone surrogates, NUL in text, and for
    nesting deeper than `max_depth`.
    """
    try:
        value = json.loads(
            data.decode("utf-8"),
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_integer,
            object_pairs_hook=_object,
        )
    except UnicodeDecodeError as error:
        raise MalformedJson("it is not UTF-8") from error
    except json.JSONDecodeError as error:
        raise MalformedJson(f"it is no JSON from character {error.pos} on") from error
    except RecursionError as error:
        raise MalformedJson("it is nested too deeply") from error
    _inspect(value, max_depth)
    return value


def _no_constant(name: str) -> NoReturn:
    raise MalformedJson(f"{name} is no JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise MalformedJson("a number is out of range")
    return number


def _integer(text: str) -> int:
    if len(text) > MAX_INTEGER_DIGITS + 1:
        raise MalformedJson("an integer has too many digits")
    return int(text)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise MalformedJson("an object holds a key twice")
    return found


def _inspect(value: object, max_depth: int) -> None:
    """Looks at all text and at the depth, level by level, without recursion."""
    level: list[object] = [value]
    for depth in range(max_depth + 1):
        for item in level:
            if isinstance(item, str):
                _check_text(item)
            elif depth == max_depth and isinstance(item, dict | list):
                raise MalformedJson("it is nested too deeply")
        level = [inner for item in level for inner in _children(item)]


def _children(item: object) -> Iterable[object]:
    match item:
        case dict():
            return chain(item.keys(), item.values())
        case list():
            return item
        case _:
            return ()


def _check_text(text: str) -> None:
    if "\0" in text:
        raise MalformedJson("text holds NUL")
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise MalformedJson("text holds half a surrogate pair") from error

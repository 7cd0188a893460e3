"""Values from files and children of strangers, made harmless: plain JSON, one line a text, bounded."""

import json
import math
import re
from collections.abc import Mapping
from numbers import Rational

# Longest JSON of all metadata, and of its parts, in characters and items.
MAX_METADATA = 16_384
_MAX_TEXT = 500
_MAX_NAME = 100
_MAX_ITEMS = 64
_MAX_BINARY = 64
_MAX_GROUPS = 2
# Control characters, line and paragraph separators, text direction marks, and halves of surrogate pairs.
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")


def safe_text(text: str, longest: int = _MAX_TEXT) -> str:
    """One line of at most `longest` characters without anything that acts instead of being shown."""
    return _UNSAFE.sub(" ", text).strip()[:longest]


def cleaned(fields: Mapping[str, object]) -> dict[str, object]:
    """Metadata from a process that is not trusted, as safe and as small as `metadata.read` gives it."""
    groups = list(fields.items())[:_MAX_GROUPS]
    return capped({safe_text(name): _tidied(tags) for name, tags in groups if isinstance(tags, dict)})


def _tidied(tags: Mapping[str, object]) -> dict[str, object]:
    return {safe_text(name, _MAX_NAME): plain(value) for name, value in tags.items()}


def plain(value: object) -> object:
    """The value as JSON can say it; None for what it cannot, or what nobody could read."""
    match value:
        case bool() | int():
            return value if abs(value) < 1 << 53 else None
        case float() | Rational():
            return _finite(value)
        case str():
            return safe_text(value)
        case bytes():
            return _text_of(value)
        case tuple() | list():
            return [plain(item) for item in value[:_MAX_ITEMS]]
        case _:
            return None


def _finite(value: object) -> float | None:
    try:
        number = float(value)  # type: ignore[arg-type]  # Pillow's rationals may be 0/0, which only float() tells
    except (ArithmeticError, ValueError, TypeError):
        return None
    return round(number, 9) if math.isfinite(number) else None


def _text_of(value: bytes) -> str | None:
    """Short binary values hold versions and dates in ASCII; anything else is not for reading."""
    stripped = value.strip(b"\x00 ")
    if len(stripped) <= _MAX_BINARY and stripped.isascii() and stripped.decode("ascii").isprintable():
        return stripped.decode("ascii")
    return None


def capped(groups: dict[str, dict[str, object]]) -> dict[str, object]:
    """The same groups with as many tags as fit into MAX_METADATA, position first."""
    kept: dict[str, dict[str, object]] = {}
    room = MAX_METADATA - 64
    # A group is as long as its tags are below, one by one; mostly all fit, and need not be counted so.
    if sum(len(json.dumps(tags)) for tags in groups.values() if tags) <= room:
        return {group: dict(groups[group]) for group in sorted(groups, reverse=True) if groups[group]}
    for group in sorted(groups, reverse=True):
        for name, value in groups[group].items():
            room -= len(json.dumps({name: value}))
            if room < 0:
                return dict(kept)
            kept.setdefault(group, {})[name] = value
    return dict(kept)

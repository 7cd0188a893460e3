"""Camera metadata: EXIF read into plain JSON, with time, camera, position and orientation picked out."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from numbers import Rational

from PIL import ExifTags, Image

from processors.imaging.contract import Refused
from processors.imaging.decode import refusing

_Tag = ExifTags.Base
# Longest JSON of all metadata, and of its parts, in characters and items.
MAX_METADATA = 16_384
_MAX_TEXT = 500
_MAX_ITEMS = 64
_MAX_CAMERA = 100
_MAX_BINARY = 64
# Binary blocks of the maker's own, previews, and pointers that mean nothing outside the file.
_LEFT_OUT = frozenset(
    {"MakerNote", "PrintImageMatching", "JPEGTables", "XMLPacket", "ImageResources", "InterColorProfile"}
    | {"ExifOffset", "GPSInfo", "ExifInteroperabilityOffset", "JpegIFOffset", "JpegIFByteCount"}
)
# Control characters, line and paragraph separators, text direction marks, and halves of surrogate pairs.
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")
_TIME = re.compile(r"(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d):(\d\d):(\d\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exif:
    """What a file says about itself; empty where it says nothing that can be read."""

    orientation: int = 1
    taken_at: datetime | None = None
    camera: str | None = None
    metadata: dict[str, object] = field(default_factory=dict)


def read(block: bytes | None) -> Exif:
    """Parse an EXIF block (with or without its `Exif` prefix); never raises over what is in it."""
    if not block:
        return Exif()
    exif = Image.Exif()
    try:
        with refusing():
            exif.load(block)
            main = dict(exif)
            camera = dict(exif.get_ifd(ExifTags.IFD.Exif))
            position = dict(exif.get_ifd(ExifTags.IFD.GPSInfo))
    except Refused:
        return Exif()
    groups = {"exif": _plain({**main, **camera}, ExifTags.TAGS), "gps": _position(position)}
    return Exif(
        orientation=_orientation(main.get(_Tag.Orientation)),
        taken_at=_time(camera.get(_Tag.DateTimeOriginal), camera.get(_Tag.SubsecTimeOriginal)),
        camera=_camera(main.get(_Tag.Make), main.get(_Tag.Model)),
        metadata=_capped({name: group for name, group in groups.items() if group}),
    )


def safe_text(text: str, longest: int = _MAX_TEXT) -> str:
    """One line of at most `longest` characters without anything that acts instead of being shown."""
    return _UNSAFE.sub(" ", text).strip()[:longest]


def cleaned(fields: Mapping[str, object]) -> dict[str, object]:
    """Metadata from a process that is not trusted, as safe and as small as `read` would have given it."""
    groups = {
        safe_text(group): _tidied(tags) for group, tags in list(fields.items())[:2] if isinstance(tags, dict)
    }
    return _capped(groups)


def _tidied(tags: Mapping[str, object]) -> dict[str, object]:
    return {safe_text(name, _MAX_CAMERA): _json(value) for name, value in tags.items()}


def _orientation(value: object) -> int:
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _time(value: object, fraction: object) -> datetime | None:
    """The camera's wall clock; it seldom knows its zone, so neither do we."""
    match = _TIME.match(value) if isinstance(value, str) else None
    if match is None:
        return None
    digits = re.match(r"\d{1,6}", fraction) if isinstance(fraction, str) else None
    microsecond = digits[0].ljust(6, "0") if digits else "000000"
    try:
        return datetime.fromisoformat("{}-{}-{}T{}:{}:{}.".format(*match.groups()) + microsecond)
    except ValueError:
        return None


def _camera(make: object, model: object) -> str | None:
    """Maker and model as people say them: the maker once."""
    names = [safe_text(name, _MAX_CAMERA) for name in (make, model) if isinstance(name, str)]
    words = [name for name in names if name]
    if len(words) == 2 and words[1].lower().startswith(words[0].lower().split()[0]):
        words = words[1:]
    return " ".join(words)[:_MAX_CAMERA] or None


def _plain(tags: Mapping[int, object], names: Mapping[int, str]) -> dict[str, object]:
    """Tags by name, their values as JSON; what is binary, unknown or left out is not there."""
    named = ((names.get(tag), value) for tag, value in tags.items())
    plain = {name: _json(value) for name, value in named if name and name not in _LEFT_OUT}
    return {name: value for name, value in plain.items() if value is not None and value != ""}


def _json(value: object) -> object:
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
            return [_json(item) for item in value[:_MAX_ITEMS]]
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


def _position(tags: Mapping[int, object]) -> dict[str, object]:
    """The GPS tags, and decimal degrees beside them where they make sense."""
    gps = _plain(tags, ExifTags.GPSTAGS)
    for name, limit in (("Latitude", 90), ("Longitude", 180)):
        degrees = _degrees(gps.get(f"GPS{name}"), gps.get(f"GPS{name}Ref"))
        if degrees is not None and abs(degrees) <= limit:
            gps[name.lower()] = degrees
    return gps


def _degrees(value: object, side: object) -> float | None:
    """Decimal degrees from degrees, minutes and seconds, negative in the south and west."""
    match value:
        case [int() | float() as whole, int() | float() as minutes, int() | float() as seconds]:
            degrees = float(whole + minutes / 60 + seconds / 3600)
        case _:
            return None
    return round(-degrees if str(side).upper() in ("S", "W") else degrees, 7)


def _capped(groups: dict[str, dict[str, object]]) -> dict[str, object]:
    """The same groups with as many tags as fit into MAX_METADATA, position first."""
    kept: dict[str, dict[str, object]] = {}
    room = MAX_METADATA - 64
    for group in sorted(groups, reverse=True):
        for name, value in groups[group].items():
            room -= len(json.dumps({name: value}))
            if room < 0:
                return dict(kept)
            kept.setdefault(group, {})[name] = value
    return dict(kept)

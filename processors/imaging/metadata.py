"""Camera metadata: EXIF read into plain JSON, with time, camera, position and orientation picked out."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from PIL import ExifTags, Image

from processors.imaging.contract import Refused
from processors.imaging.decode import refusing
from processors.imaging.plain_json import capped, plain, safe_text

_Tag = ExifTags.Base
_MAX_CAMERA = 100
# Binary blocks of the maker's own, previews, and pointers that mean nothing outside the file.
_LEFT_OUT = frozenset(
    {"MakerNote", "PrintImageMatching", "JPEGTables", "XMLPacket", "ImageResources", "InterColorProfile"}
    | {"ExifOffset", "GPSInfo", "ExifInteroperabilityOffset", "JpegIFOffset", "JpegIFByteCount"}
)
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
        metadata=capped({name: group for name, group in groups.items() if group}),
    )


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
    kept = {name: plain(value) for name, value in named if name and name not in _LEFT_OUT}
    return {name: value for name, value in kept.items() if value is not None and value != ""}


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

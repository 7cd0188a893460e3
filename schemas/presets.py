"""Preset sets: what one may hold, the hash that names it, and the set a new installation starts with."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any, Final

from schemas.events import Preset

DEFAULT_PRESETS: Final = (
    Preset(name="large", width=1920, height=1920, fit="contain", formats=("auto",), quality=80),
    Preset(name="medium", width=1024, height=1024, fit="contain", formats=("auto",), quality=80),
    Preset(name="small", width=480, height=480, fit="contain", formats=("auto",), quality=80),
    Preset(name="thumbnail", width=150, height=150, fit="cover", formats=("auto",), quality=80),
)

FITS: Final = ("contain", "cover")
FORMATS: Final = ("auto", "jpeg", "webp", "avif", "png")

MAX_PRESETS: Final = 20
MAX_SIDE: Final = 8_192
"""Pixels; a box of more is no variant for a screen, and costs memory by its square."""

_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")

# The original stands beside the variants under this name wherever they are listed.
_TAKEN_NAMES = frozenset({"original"})


class InvalidPresets(ValueError):
    """A preset set that can't be; `reasons` are sentences."""

    def __init__(self, reasons: tuple[str, ...]) -> None:
        self.reasons = reasons
        super().__init__(" ".join(reasons))


def preset_set_hash(presets: Sequence[Preset]) -> str:
    """The name of a preset set: SHA-256 in hex over its presets by name.

    The order in which presets are written down does not matter, that of a preset's formats does.
    """
    ordered = sorted((asdict(preset) for preset in presets), key=lambda preset: str(preset["name"]))
    canonical = json.dumps(ordered, ensure_ascii=True, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def presets_from_json(text: str) -> tuple[Preset, ...]:
    """The presets of a JSON list of objects with the fields of Preset; raises InvalidPresets."""
    try:
        rows: Any = json.loads(text)
        presets = tuple(Preset(**{**row, "formats": tuple(row.get("formats", ("auto",)))}) for row in rows)
    except (ValueError, TypeError, AttributeError) as error:
        raise InvalidPresets((f"A preset set is a JSON list of objects: {error}.",)) from error
    if reasons := tuple(_reasons(presets)):
        raise InvalidPresets(reasons)
    return presets


def _reasons(presets: Sequence[Preset]) -> Iterator[str]:
    if not 1 <= len(presets) <= MAX_PRESETS:
        yield f"A set has 1 to {MAX_PRESETS} presets, not {len(presets)}."
    for name, count in Counter(str(preset.name) for preset in presets).items():
        if count > 1:
            yield f"Two presets are named {name}."
    for preset in presets:
        yield from (f"Preset {preset.name}: {reason}." for reason in _faults(preset))


def _faults(preset: Preset) -> Iterator[str]:
    if not _NAME.fullmatch(str(preset.name)) or preset.name in _TAKEN_NAMES:
        yield "its name must be a-z, 0-9 and -, at most 32, beginning with a letter, and not 'original'"
    for side in (preset.width, preset.height):
        if type(side) is not int or not 1 <= side <= MAX_SIDE:
            yield f"a side of {side} pixels is not among 1 to {MAX_SIDE}"
    if preset.fit not in FITS:
        yield f"fit is one of {', '.join(FITS)}, not {preset.fit}"
    if not preset.formats or len(set(preset.formats)) < len(preset.formats):
        yield "its formats must be one or more, each once"
    if unknown := [one for one in preset.formats if one not in FORMATS]:
        yield f"formats are among {', '.join(FORMATS)}, not {unknown[0]}"
    if type(preset.quality) is not int or not 1 <= preset.quality <= 100:
        yield f"a quality of {preset.quality} is not among 1 to 100"

"""Sizes: what each preset comes to for a source, and how the work gets there in few steps."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from processors.imaging.contract import Preset

Size: TypeAlias = tuple[int, int]
Box: TypeAlias = tuple[float, float, float, float]

# How much larger than the first level a JPEG must be decoded: at 1.0 the decoder's own shrinking can be seen.
HEADROOM = 1.2
# What libjpeg can divide by while it decodes.
_DIVISORS = (8, 4, 2)
# EXIF orientations that lay a picture on its side.
_SIDEWAYS = frozenset({5, 6, 7, 8})


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All sizes of one job, upright: `base` first, then `levels` from large to small, each from the last."""

    base: Size
    levels: tuple[Size, ...]
    targets: tuple[tuple[Preset, Size], ...]


def plan(source: Size, presets: Sequence[Preset]) -> Plan:
    """Sizes for an upright source; nothing is ever larger than it."""
    targets = tuple((preset, fitted(source, preset)) for preset in presets)
    levels = sorted({size for preset, size in targets if preset.fit == "contain"}, reverse=True)
    needed = [size for preset, size in targets if preset.fit == "cover"]
    first = levels[0] if levels else (1, 1)
    if all(_holds(first, size) for size in needed):
        return Plan(base=first, levels=tuple(levels), targets=targets)
    scale = min(1.0, max(max(w / source[0], h / source[1]) for w, h in [first, *needed]))
    base = max(first[0], _rounded(source[0] * scale)), max(first[1], _rounded(source[1] * scale))
    return Plan(base=base, levels=tuple(levels), targets=targets)


def fitted(source: Size, preset: Preset) -> Size:
    """The size of one preset: all of the source in the box, or the box shrunk until the source covers it."""
    width, height = source
    if preset.fit == "contain":
        scale = min(1.0, preset.width / width, preset.height / height)
        return _rounded(width * scale), _rounded(height * scale)
    scale = min(1.0, width / preset.width, height / preset.height)
    return _rounded(preset.width * scale), _rounded(preset.height * scale)


def covering(levels: Sequence[Size], size: Size) -> int:
    """Index of the smallest level that holds `size`; levels go from large to small, the first always does."""
    return max((at for at, level in enumerate(levels) if _holds(level, size)), default=0)


def centre(level: Size, size: Size) -> Box:
    """The largest centred box of a level that has the proportions of `size`."""
    width, height = level
    box_width = min(float(width), height * size[0] / size[1])
    box_height = min(float(height), width * size[1] / size[0])
    left, top = (width - box_width) / 2, (height - box_height) / 2
    return left, top, left + box_width, top + box_height


def divisor(stored: Size, base: Size) -> int:
    """By how much a JPEG can be shrunk while decoding and still be HEADROOM times larger than `base`."""
    for by in _DIVISORS:
        if stored[0] >= HEADROOM * by * base[0] and stored[1] >= HEADROOM * by * base[1]:
            return by
    return 1


def turned(size: Size, orientation: int) -> Size:
    """Stored size to upright size, and back."""
    return (size[1], size[0]) if orientation in _SIDEWAYS else size


def _holds(level: Size, size: Size) -> bool:
    return level[0] >= size[0] and level[1] >= size[1]


def _rounded(length: float) -> int:
    return max(1, round(length))

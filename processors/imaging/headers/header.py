"""What a header can tell before anything is decoded, and safe reads of its numbers."""

from dataclasses import dataclass

from processors.imaging.contract import Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Sizes in stored pixels (before orientation); `width` × `height` is the largest canvas that is claimed.

    `scans` counts JPEG scans up to one past the limit that was asked for; `bit_depth` and `exif` are PNG's.
    """

    format: str
    width: int
    height: int
    frames: int = 1
    scans: int = 1
    bit_depth: int = 8
    exif: bytes | None = None


def number(data: bytes, at: int, size: int, *, little: bool = False) -> int:
    """The unsigned integer of `size` bytes at `at`; raises Refused(truncated) past the end."""
    end = at + size
    if end > len(data):
        raise Refused("truncated")
    return int.from_bytes(data[at:end], "little" if little else "big")

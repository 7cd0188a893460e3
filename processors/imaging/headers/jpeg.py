"""JPEG: the frame size, and how many scans the decoder would have to go through."""

import re

from processors.imaging.contract import Refused
from processors.imaging.headers.header import Header, number

# More than any camera or editor writes; each costs Pillow's own parser some microseconds.
_MAX_SEGMENTS = 5_000
# Stuffing before a marker is legal; megabytes of it only keep a parser busy.
_MAX_PADDING = 65_536
_SOS, _EOI = 0xDA, 0xD9
_STANDALONE = frozenset({0x00, 0x01, 0xD8, *range(0xD0, 0xD8)})
# C4, C8 and CC lie among the frame markers but are tables.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PADDING = re.compile(rb"\xff*")
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")


def read(data: bytes, max_scans: int) -> Header:
    """Size from the largest frame header before the first scan; scans counted as far as `max_scans` + 1."""
    width, height, first_scan = _frame(data)
    # Most files hold fewer even with thumbnails and trailers counted in: one fast search settles it.
    scans = data.count(b"\xff\xda", first_scan)
    if scans > max_scans:
        scans = _count_scans(data, first_scan, max_scans)
    return Header(format="jpeg", width=width, height=height, scans=scans)


def _frame(data: bytes) -> tuple[int, int, int]:
    """Width, height and the offset of the first scan's marker."""
    width = height = padding = 0
    at = 2
    for _ in range(_MAX_SEGMENTS):
        start = data.find(b"\xff", at, at + _MAX_PADDING)
        if start < 0:
            raise Refused("truncated" if at + _MAX_PADDING >= len(data) else "corrupt")
        end = _end_of_padding(data, start)
        padding += end - at - 1
        if padding > _MAX_PADDING:
            raise Refused("corrupt")
        marker = number(data, end, 1)
        if marker == _SOS:
            if not width:
                raise Refused("corrupt")
            return width, height, end - 1
        at = end + 1
        if marker in _STANDALONE:
            continue
        if marker == _EOI:
            raise Refused("corrupt")
        if marker in _FRAMES:
            width, height = _larger((width, height), _frame_size(data, at))
        at += max(2, number(data, at, 2))
    raise Refused("corrupt")


def _end_of_padding(data: bytes, start: int) -> int:
    match = _PADDING.match(data, start, start + _MAX_PADDING + 1)
    return match.end() if match else start


def _frame_size(data: bytes, at: int) -> tuple[int, int]:
    if number(data, at + 2, 1) != 8:
        raise Refused("unsupported_format")
    height, width = number(data, at + 3, 2), number(data, at + 5, 2)
    if not width or not height:
        raise Refused("corrupt")
    return width, height


def _larger(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    return max(one, other, key=lambda size: size[0] * size[1])


def _count_scans(data: bytes, at: int, max_scans: int) -> int:
    """Scans of this picture alone, without what thumbnails, further pictures and trailers hold."""
    scans = 0
    for _ in range(_MAX_SEGMENTS):
        match = _NEXT_MARKER.search(data, at)
        if match is None:
            return scans
        marker, at = data[match.start() + 1], match.end()
        if marker == _EOI:
            return scans
        if marker == _SOS:
            scans += 1
            if scans > max_scans:
                return scans
        if marker not in _STANDALONE and at + 2 <= len(data):
            at += max(2, number(data, at, 2))
    return max_scans + 1

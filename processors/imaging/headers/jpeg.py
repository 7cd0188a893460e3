"""JPEG: the frame size, and how many scans the decoder would have to go through."""

import re
from dataclasses import dataclass

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
# Baseline and extended Huffman coding.
_SEQUENTIAL = frozenset({0xC0, 0xC1})
_PADDING = re.compile(rb"\xff*")
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """One frame header: how many components are coded, and whether each is coded once, from top to bottom."""

    width: int
    height: int
    components: int
    sequential: bool


def read(data: bytes, max_scans: int) -> Header:
    """Size from the largest frame header before the first scan; scans counted as far as `max_scans` + 1."""
    frame, first_scan = _frame(data)
    if frame.sequential and number(data, first_scan + 4, 1) == frame.components:
        # All is in the first scan: libjpeg takes no other one, and most photographs need no search.
        return Header(format="jpeg", width=frame.width, height=frame.height)
    # Most files hold fewer even with thumbnails and trailers counted in: one fast search settles it.
    scans = data.count(b"\xff\xda", first_scan)
    if scans > max_scans:
        scans = _count_scans(data, first_scan, max_scans)
    return Header(format="jpeg", width=frame.width, height=frame.height, scans=scans)


def _frame(data: bytes) -> tuple[_Frame, int]:
    """The largest frame header, and the offset of the first scan's marker."""
    frames: list[_Frame] = []
    padding, at = 0, 2
    for _ in range(_MAX_SEGMENTS):
        start = data.find(b"\xff", at, at + _MAX_PADDING)
        if start < 0:
            raise Refused("truncated" if at + _MAX_PADDING >= len(data) else "corrupt")
        end = _end_of_padding(data, start)
        padding += end - at - 1
        marker = number(data, end, 1)
        if padding > _MAX_PADDING or marker == _EOI or (marker == _SOS and not frames):
            raise Refused("corrupt")
        if marker == _SOS:
            return max(frames, key=lambda frame: frame.width * frame.height), end - 1
        at = end + 1
        if marker in _STANDALONE:
            continue
        if marker in _FRAMES:
            frames.append(_frame_header(data, marker, at))
        at += max(2, number(data, at, 2))
    raise Refused("corrupt")


def _end_of_padding(data: bytes, start: int) -> int:
    match = _PADDING.match(data, start, start + _MAX_PADDING + 1)
    return match.end() if match else start


def _frame_header(data: bytes, marker: int, at: int) -> _Frame:
    if number(data, at + 2, 1) != 8:
        raise Refused("unsupported_format")
    height, width, components = number(data, at + 3, 2), number(data, at + 5, 2), number(data, at + 7, 1)
    if not width or not height:
        raise Refused("corrupt")
    return _Frame(width=width, height=height, components=components, sequential=marker in _SEQUENTIAL)


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

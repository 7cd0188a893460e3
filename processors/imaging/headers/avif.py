"""AVIF: the largest picture or track that the boxes claim, and the number of samples."""

from collections.abc import Iterator

from processors.imaging.contract import Refused
from processors.imaging.headers.header import Header, number

_MAX_BOXES = 20_000
# Containers on the way to what we read, and the bytes of their own before their children.
_CONTAINERS = {
    b"meta": 4,
    b"iprp": 0,
    b"ipco": 0,
    b"moov": 0,
    b"trak": 0,
    b"mdia": 0,
    b"minf": 0,
    b"stbl": 0,
    b"stsd": 8,
}


def brands(data: bytes) -> frozenset[bytes]:
    """The major and compatible brands of an ISO base media file; empty when it is none."""
    if data[4:8] != b"ftyp":
        return frozenset()
    end = min(int.from_bytes(data[:4], "big"), len(data), 1024)
    return frozenset({data[8:12]} | {data[at : at + 4] for at in range(16, end - 3, 4)})


def read(data: bytes, max_frames: int) -> Header:
    """The largest of all items and tracks, whichever is shown: all of them can be made to be decoded."""
    width = height = 0
    frames = 1
    for kind, start, end in _boxes(data):
        match kind:
            case b"ispe":
                size = number(data, start + 4, 4), number(data, start + 8, 4)
            case b"av01":
                size = number(data, start + 24, 2), number(data, start + 26, 2)
            case b"stsz" if end - start >= 12:
                frames = max(frames, min(number(data, start + 8, 4), max_frames + 1))
                continue
            case _:
                continue
        if size[0] * size[1] > width * height:
            width, height = size
    if not width or not height:
        raise Refused("corrupt")
    return Header(format="avif", width=width, height=height, frames=frames)


def _boxes(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, and first and last + 1 byte of the content, of every box that can hold a size or a count."""
    pending = [(0, len(data))]
    for _ in range(_MAX_BOXES):
        while pending and pending[-1][0] + 8 > pending[-1][1]:
            pending.pop()
        if not pending:
            return
        at, end = pending.pop()
        length, kind, start = number(data, at, 4), data[at + 4 : at + 8], at + 8
        if length == 1:
            length, start = number(data, at + 8, 8), at + 16
        stop = end if length == 0 else at + length
        if stop > end:
            raise Refused("truncated")
        if stop < start:
            raise Refused("corrupt")
        pending.append((stop, end))
        if kind in _CONTAINERS:
            pending.append((start + _CONTAINERS[kind], stop))
        yield kind, start, stop
    raise Refused("corrupt")

"""WebP: the canvas of VP8, VP8L and VP8X files, and the number of frames."""

from processors.imaging.contract import Refused
from processors.imaging.headers.header import Header, number

_MAX_CHUNKS = 20_000


def read(data: bytes, max_frames: int) -> Header:
    """The size that libwebp would allocate for; frames counted as far as `max_frames` + 1."""
    riff_end = 8 + number(data, 4, 4, little=True)
    width, height = _canvas(data)
    if riff_end > len(data):
        raise Refused("truncated")
    frames = _count_frames(data, riff_end, max_frames) if data[12:16] == b"VP8X" else 0
    return Header(format="webp", width=width, height=height, frames=max(1, frames))


def _canvas(data: bytes) -> tuple[int, int]:
    match data[12:16]:
        case b"VP8 ":
            if len(data) >= 26 and data[23:26] != b"\x9d\x01\x2a":
                raise Refused("corrupt")
            width, height = (number(data, at, 2, little=True) & 0x3FFF for at in (26, 28))
        case b"VP8L":
            if number(data, 20, 1) != 0x2F:
                raise Refused("corrupt")
            bits = number(data, 21, 4, little=True)
            width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8X":
            width, height = (number(data, at, 3, little=True) + 1 for at in (24, 27))
        case _:
            raise Refused("corrupt" if len(data) >= 16 else "truncated")
    if not width or not height:
        raise Refused("corrupt")
    return width, height


def _count_frames(data: bytes, end: int, max_frames: int) -> int:
    frames, at = 0, 12
    for _ in range(_MAX_CHUNKS):
        if at + 8 > end or frames > max_frames:
            return frames
        length = number(data, at + 4, 4, little=True)
        frames += data[at : at + 4] == b"ANMF"
        at += 8 + length + (length & 1)
    raise Refused("corrupt")

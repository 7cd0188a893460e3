"""PNG and APNG: size, depth, frames and the EXIF chunk, by walking the chunks."""

import struct

from processors.imaging.contract import Refused
from processors.imaging.headers.header import Header, number

_SIGNATURE = 8
# The largest file we take, cut into chunks of 2 KB, has 33,000; libpng's own are of 8 KB.
_MAX_CHUNKS = 40_000
_MAX_EXIF = 256 * 1024
_CHUNK = struct.Struct(">I4s")
_PIXELS = (b"IDAT", b"fdAT")


def read(data: bytes, max_frames: int) -> Header:
    """Raises Refused(truncated) when the cut goes through pixels; a missing end alone does not matter."""
    width, height, depth = _size(data)
    frames, exif, pixels_seen = 0, None, False
    at = _SIGNATURE
    for _ in range(_MAX_CHUNKS):
        if at + 8 > len(data):
            break
        length, kind = _CHUNK.unpack_from(data, at)
        body, at = at + 8, at + 12 + length
        if at > len(data) and (kind in _PIXELS or not pixels_seen):
            raise Refused("truncated")
        match kind:
            case b"IEND":
                break
            case b"IDAT":
                pixels_seen = True
            case b"fcTL":
                frames += 1
                _check_frame(data, body, width, height)
                if frames > max_frames:
                    break
            case b"eXIf" if length <= _MAX_EXIF:
                exif = data[body : body + length]
            case _:
                pass
    else:
        raise Refused("corrupt")
    if not pixels_seen and frames <= max_frames:
        raise Refused("truncated")
    return Header(format="png", width=width, height=height, frames=max(1, frames), bit_depth=depth, exif=exif)


def _size(data: bytes) -> tuple[int, int, int]:
    at = _SIGNATURE
    length, width, height, depth = (
        number(data, at, 4),
        number(data, at + 8, 4),
        number(data, at + 12, 4),
        number(data, at + 16, 1),
    )
    if data[at + 4 : at + 8] != b"IHDR" or length != 13 or not width or not height:
        raise Refused("corrupt")
    return width, height, depth


def _check_frame(data: bytes, body: int, width: int, height: int) -> None:
    """A frame of an APNG lies inside the canvas."""
    frame_width, frame_height, left, top = (number(data, body + at, 4) for at in (4, 8, 12, 16))
    if left + frame_width > width or top + frame_height > height:
        raise Refused("corrupt")

"""GIF: the canvas as decoders grow it, and the number of frames, by walking the blocks."""

from processors.imaging.contract import Refused
from processors.imaging.headers.header import Header, number

# A block's data comes in pieces of up to 255 bytes, and the largest file we take has 262,144 such. In pieces
# of one byte it would only keep a parser busy.
_MAX_PIECES = 300_000
_IMAGE, _EXTENSION, _TRAILER = 0x2C, 0x21, 0x3B


def read(data: bytes, max_frames: int) -> Header:
    """Frames counted as far as `max_frames` + 1; only the closing trailer may be missing."""
    width, height = number(data, 6, 2, little=True), number(data, 8, 2, little=True)
    at = 13 + _palette(number(data, 10, 1))
    frames, pieces = 0, 0
    while frames <= max_frames and at < len(data):
        kind = data[at]
        if kind == _TRAILER:
            break
        if kind == _IMAGE:
            frames += 1
            right, bottom = _extent(data, at + 1)
            width, height = max(width, right), max(height, bottom)
            at += 11 + _palette(number(data, at + 9, 1))
        elif kind == _EXTENSION:
            at += 2
        elif frames:
            break  # decoders stop at what follows the last frame, and so do we
        else:
            at += 1
            pieces += 1
            continue
        at, pieces = _skip_pieces(data, at, pieces)
    if not frames:
        raise Refused("truncated")
    if not width or not height:
        raise Refused("corrupt")
    return Header(format="gif", width=width, height=height, frames=frames)


def _palette(flags: int) -> int:
    """Bytes of the colour table that these flags announce."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _extent(data: bytes, at: int) -> tuple[int, int]:
    left, top, width, height = (number(data, at + field, 2, little=True) for field in (0, 2, 4, 6))
    return left + width, top + height


def _skip_pieces(data: bytes, at: int, pieces: int) -> tuple[int, int]:
    end = len(data)
    while at < end:
        length = data[at]
        at += length + 1
        pieces += 1
        if pieces > _MAX_PIECES:
            raise Refused("corrupt")
        if not length:
            return at, pieces
    raise Refused("truncated")

"""ICC profiles built byte by byte, and the arithmetic of what they must come to."""

import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Matrix = Sequence[Sequence[float]]
# Red, green and blue as XYZ under D50.
SRGB: Matrix = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410))
ADOBE_RGB: Matrix = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
DISPLAY_P3: Matrix = ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407))
ADOBE_GAMMA = 563 / 256


def rgb_profile(description: str, primaries: Matrix, gamma: float = ADOBE_GAMMA) -> bytes:
    """A matrix profile of version 2."""
    tags = {
        b"desc": _description(description),
        b"cprt": b"text\x00\x00\x00\x00none\x00",
        b"wtpt": _xyz(_WHITE),
    }
    for name, primary in zip(b"rgb", primaries, strict=True):
        tags[bytes([name]) + b"XYZ"] = _xyz(primary)
        tags[bytes([name]) + b"TRC"] = _curve(gamma)
    return _profile(b"RGB ", tags)


def grey_profile(gamma: float) -> bytes:
    """A grey profile of version 2."""
    tags = {b"desc": _description("grey"), b"cprt": b"text\x00\x00\x00\x00none\x00", b"wtpt": _xyz(_WHITE)}
    return _profile(b"GRAY", tags | {b"kTRC": _curve(gamma)})


def in_srgb(colour: Sequence[int], primaries: Matrix, gamma: float = ADOBE_GAMMA) -> tuple[int, ...]:
    """What an 8-bit colour under such a profile is in sRGB, cut off where sRGB ends."""
    light = (np.array(colour) / 255) ** gamma
    return _encoded(np.linalg.inv(np.array(SRGB).T) @ (np.array(primaries).T @ light))


def grey_in_srgb(level: int, gamma: float) -> int:
    """What a grey under a grey profile is in sRGB."""
    return _encoded(np.array([(level / 255) ** gamma]))[0]


_WHITE = (0.9642, 1.0, 0.8249)


def _encoded(linear: NDArray[np.float64]) -> tuple[int, ...]:
    clipped = np.clip(linear, 0, 1)
    curve = np.where(clipped <= 0.0031308, 12.92 * clipped, 1.055 * clipped ** (1 / 2.4) - 0.055)
    return tuple(int(value) for value in np.round(curve * 255))


def _profile(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    table, body = struct.pack(">I", len(tags)), b""
    offset = 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        content += bytes(-len(content) % 4)
        table += name + struct.pack(">II", offset + len(body), len(content))
        body += content
    header = struct.pack(
        ">I4sI4s4s4s", 128 + len(table) + len(body), bytes(4), 0x02100000, b"mntr", space, b"XYZ "
    )
    header += bytes(12) + b"acsp" + bytes(28) + b"".join(_fixed(value) for value in _WHITE)
    return header.ljust(128, b"\x00") + table + body


def _fixed(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))


def _xyz(values: Sequence[float]) -> bytes:
    return b"XYZ " + bytes(4) + b"".join(_fixed(value) for value in values)


def _curve(gamma: float) -> bytes:
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256))


def _description(text: str) -> bytes:
    ascii_text = text.encode() + b"\x00"
    return b"desc" + bytes(4) + struct.pack(">I", len(ascii_text)) + ascii_text + bytes(12 + 67)

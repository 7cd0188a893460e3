"""ThumbHash (https://evanw.github.io/thumbhash/): a blurred picture in some 25 bytes, worked out by numpy."""

from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

# The largest side that the format was made for; more detail than that does not show in the hash.
MAX_SIDE = 100
_DECIMALS = 9
_Plane: TypeAlias = NDArray[np.float64]


def thumbhash(image: Image.Image) -> bytes:
    """The hash of an upright sRGB image of any mode, at most MAX_SIDE pixels a side (else ValueError)."""
    width, height = image.size
    if max(width, height) > MAX_SIDE:
        raise ValueError(f"a thumbhash is made of at most {MAX_SIDE} pixels a side")
    pixels = np.asarray(image.convert("RGBA" if image.mode == "RGBA" else "RGB"), dtype=np.float64) / 255
    alpha = pixels[..., 3:].squeeze(-1) if image.mode == "RGBA" else np.ones(1)
    transparent = bool((alpha < 1).any())
    shown = _over_mean(pixels[..., :3], alpha) if transparent else pixels
    red, green, blue = shown[..., 0], shown[..., 1], shown[..., 2]
    # Light to dark, yellow to blue, red to green.
    axes = ((red + green + blue) / 3, (red + green) / 2 - blue, red - green)
    longest = 5 if transparent else 7
    across, down = (max(1, _half_up(longest * side / max(width, height))) for side in (width, height))
    planes = [_waves(axes[0], max(3, across), max(3, down)), _waves(axes[1], 3, 3), _waves(axes[2], 3, 3)]
    if transparent:
        planes.append(_waves(alpha, 5, 5))
    landscape = width > height
    head = _head([wave[:2] for wave in planes], down if landscape else across, landscape=landscape)
    return head + _packed(np.concatenate([fractions for _, _, fractions in planes]))


def _over_mean(colours: _Plane, alpha: _Plane) -> _Plane:
    """The picture laid over its own mean colour."""
    weight = alpha.sum()
    mean = (colours * alpha[..., None]).sum(axis=(0, 1)) / weight if weight else np.zeros(3)
    shown: _Plane = mean * (1 - alpha[..., None]) + colours * alpha[..., None]
    return shown


def _waves(plane: _Plane, across: int, down: int) -> tuple[float, float, _Plane]:
    """Mean, largest swing, and the swings of the low-frequency triangle as fractions between 0 and 1."""
    # einsum, not matmul: BLAS may start threads and may sum in another order on another processor.
    rows = np.einsum("fy,yx->fx", _cosines(plane.shape[0], down), plane)
    waves = np.einsum("fx,gx->fg", rows, _cosines(plane.shape[1], across)) / plane.size
    kept = [waves[y, x] for y in range(down) for x in range(across) if x * down < across * (down - y)]
    # Rounded off, because sums that are nought or even in theory must not fall to one side by a last bit.
    swings = np.round(kept[1:], _DECIMALS)
    largest = float(np.abs(swings).max())
    return float(kept[0]), largest, np.round(0.5 + 0.5 * swings / largest, _DECIMALS) if largest else swings


@lru_cache(maxsize=512)
def _cosines(length: int, count: int) -> _Plane:
    """The same few shapes come again and again; whoever gets them must not write to them."""
    frequency, position = np.arange(count)[:, None], np.arange(length)[None, :] + 0.5
    cosines: _Plane = np.cos(np.pi / length * frequency * position)
    cosines.flags.writeable = False
    return cosines


def _head(waves: list[tuple[float, float]], shorter: int, *, landscape: bool) -> bytes:
    """Means and swings in 5 bytes, 6 where there is transparency."""
    (light, light_swing), (yellow, yellow_swing), (red, red_swing), *alpha = waves
    first = _half_up(63 * light) | _half_up(31.5 + 31.5 * yellow) << 6 | _half_up(31.5 + 31.5 * red) << 12
    first |= _half_up(31 * light_swing) << 18 | bool(alpha) << 23
    second = shorter | _half_up(63 * yellow_swing) << 3 | _half_up(63 * red_swing) << 9 | landscape << 15
    head = first.to_bytes(3, "little") + second.to_bytes(2, "little")
    for mean, swing in alpha:
        head += bytes([_half_up(15 * mean) | _half_up(15 * swing) << 4])
    return head


def _packed(fractions: _Plane) -> bytes:
    """Four bits a fraction, the first in the lower half of its byte."""
    steps = np.floor(15 * fractions + 0.5).astype(np.uint8)
    if len(steps) % 2:
        steps = np.append(steps, np.uint8(0))
    return bytes((steps[0::2] | steps[1::2] << 4).astype(np.uint8))


def _half_up(value: float) -> int:
    return int(np.floor(value + 0.5))

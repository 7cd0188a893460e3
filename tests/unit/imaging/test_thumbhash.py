"""ThumbHash: bit for bit what the published algorithm gives."""

import base64
import math

import numpy as np
import pytest
from PIL import Image

from processors.imaging.thumbhash import thumbhash
from tests.unit.imaging.pictures import scene


def by_definition(width: int, height: int, rgba: list[tuple[int, int, int, int]]) -> bytes:
    """The algorithm once more, sum by sum, as its page describes it; slow."""
    alphas = [a / 255 for *_, a in rgba]
    shown = _over_mean(rgba, alphas)
    has_alpha = sum(alphas) < width * height
    limit = 5 if has_alpha else 7
    nx, ny = (max(1, math.floor(limit * side / max(width, height) + 0.5)) for side in (width, height))
    planes = [
        [sum(p) / 3 for p in shown],
        [(p[0] + p[1]) / 2 - p[2] for p in shown],
        [p[0] - p[1] for p in shown],
    ]
    shapes = [(max(3, nx), max(3, ny)), (3, 3), (3, 3)]
    if has_alpha:
        planes.append(alphas)
        shapes.append((5, 5))
    waves = [_waves(plane, width, height, *shape) for plane, shape in zip(planes, shapes, strict=True)]
    (l_dc, _), (p_dc, _), (q_dc, _), *alpha = waves
    scales = [max((abs(v) for v in ac), default=0.0) for _, ac in waves]
    wide = width > height
    low = round_half(63 * l_dc) | round_half(31.5 + 31.5 * p_dc) << 6 | round_half(31.5 + 31.5 * q_dc) << 12
    low |= round_half(31 * scales[0]) << 18 | has_alpha << 23
    high = (
        (ny if wide else nx) | round_half(63 * scales[1]) << 3 | round_half(63 * scales[2]) << 9 | wide << 15
    )
    out = bytearray(low.to_bytes(3, "little") + high.to_bytes(2, "little"))
    if alpha:
        out.append(round_half(15 * alpha[0][0]) | round_half(15 * scales[3]) << 4)
    nibbles = [
        round_half(15 * (round(0.5 + 0.5 * v / scale, 9) if scale else 0.0))
        for (_, ac), scale in zip(waves, scales, strict=True)
        for v in ac
    ]
    nibbles += [0] * (len(nibbles) % 2)
    return bytes(out + bytes(a | b << 4 for a, b in zip(nibbles[::2], nibbles[1::2], strict=True)))


def _over_mean(rgba: list[tuple[int, int, int, int]], alphas: list[float]) -> list[list[float]]:
    """Each colour over the picture's mean, as far as that shows through."""
    total = sum(alphas)
    pairs = list(zip(alphas, rgba, strict=True))
    mean = [sum(a * p[c] / 255 for a, p in pairs) / total if total else 0.0 for c in range(3)]
    return [[mean[c] * (1 - a) + a * p[c] / 255 for c in range(3)] for a, p in pairs]


def _waves(plane: list[float], width: int, height: int, nx: int, ny: int) -> tuple[float, list[float]]:
    values = []
    for cy in range(ny):
        for cx in range(nx):
            if cx * ny >= nx * (ny - cy):
                break
            total = 0.0
            for y in range(height):
                fy = math.cos(math.pi / height * cy * (y + 0.5))
                for x in range(width):
                    total += plane[x + y * width] * math.cos(math.pi / width * cx * (x + 0.5)) * fy
            values.append(round(total / (width * height), 9))
    return values[0], values[1:]


def round_half(value: float) -> int:
    return math.floor(value + 0.5)


@pytest.mark.parametrize("size", [(20, 14), (9, 20), (16, 16), (30, 2), (1, 1)])
@pytest.mark.parametrize("transparent", [False, True])
def test_against_the_definition(size: tuple[int, int], transparent: bool) -> None:
    image = scene(*size).convert("RGBA")
    if transparent:
        image.putalpha(Image.linear_gradient("L").resize(size))
    pixels = [tuple(int(v) for v in pixel) for pixel in np.asarray(image).reshape(-1, 4)]
    assert thumbhash(image) == by_definition(*size, pixels)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "colour", [(0, 0, 0, 0), (255, 255, 255, 255), (12, 200, 99, 255), (12, 200, 99, 60)]
)
def test_plain_surfaces(colour: tuple[int, int, int, int]) -> None:
    """No swing at all, and nothing but transparency: no division by zero."""
    assert thumbhash(Image.new("RGBA", (6, 4), colour)) == by_definition(6, 4, [colour] * 24)


def test_other_modes_are_taken() -> None:
    grey = scene(40, 30).convert("L")
    assert thumbhash(grey) == thumbhash(grey.convert("RGB"))
    assert len(base64.b64encode(thumbhash(grey))) <= 40


def test_more_pixels_are_not() -> None:
    with pytest.raises(ValueError, match="100"):
        thumbhash(Image.new("RGB", (101, 2)))

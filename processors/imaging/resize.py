"""Lanczos resizing, by SIMD where that has shown to agree with Pillow's own, else by Pillow."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from typing import TypeAlias

import numpy as np
import PIL
from cykooz_resizer import CropBox, FilterType, ResizeAlg, ResizeOptions
from cykooz_resizer import Resizer as SimdResizer
from PIL import Image

from processors.imaging.geometry import Box, Size

# The modes that the recipe resizes. RGBA comes out premultiplied, as RGBa: what nobody sees has no say.
MODES = ("L", "RGB", "RGBA", "RGBa", "CMYK")
# Both resizers round at each pass; more than that apart is a fault.
_TOLERANCE = 2
_Resample: TypeAlias = Callable[[Image.Image, Size, Box | None], Image.Image]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resizer:
    """One way to resize: image in one of MODES, new size, box of the source in pixels (None: all of it)."""

    name: str
    simd: str
    resample: _Resample


def by_pillow() -> Resizer:
    """Pillow's own Lanczos."""
    return Resizer(name=f"pillow {PIL.__version__}", simd="none", resample=_pillow)


def by_simd() -> Resizer:
    """Lanczos on Pillow's memory by SIMD; does not check that this works here."""
    resizer, lanczos = SimdResizer(), ResizeAlg.convolution(FilterType.lanczos3)

    def resample(image: Image.Image, size: Size, box: Box | None) -> Image.Image:
        left, top, right, bottom = box or (0.0, 0.0, float(image.width), float(image.height))
        crop = CropBox(left, top, right - left, bottom - top)
        resized = Image.new("RGBa" if image.mode == "RGBA" else image.mode, size)
        resizer.resize_pil(image, resized, ResizeOptions(resize_alg=lanczos, crop_box=crop))
        return resized

    name = f"cykooz {version('cykooz-resizer')}"
    return Resizer(name=name, simd=str(resizer.cpu_extensions.name), resample=resample)


@lru_cache(maxsize=1)
def best() -> Resizer:
    """SIMD when it draws a known picture as Pillow does, else Pillow.

    The SIMD resizer reads Pillow's C structures: with an unknown Pillow it may crash instead of differing,
    so whoever can should ask first in a process that may die (processors.sandbox does).
    """
    simd, pillow = by_simd(), by_pillow()
    return simd if agree(simd, pillow) else pillow


def agree(one: Resizer, other: Resizer) -> bool:
    """Whether both give the same pixels of a known picture, in every mode and with a box."""
    return all(
        _difference(one, other, known_picture(mode), size, box) <= _TOLERANCE
        for mode in MODES
        for size, box in (((61, 38), None), ((160, 100), None), ((24, 24), (20.25, 10.5, 119.75, 110.0)))
    )


def known_picture(mode: str) -> Image.Image:
    """Curves and edges between dark and light, far enough from both ends that nothing is clipped."""
    y, x = np.mgrid[0:121, 0:163]
    plane = 128 + 55 * np.sin(x * x / 400 + y / 7) + 20 * ((x // 9 + y // 13) % 2 * 2 - 1)
    planes = np.stack([np.roll(plane, 11 * band, axis=1) for band in range(4)], axis=-1).astype(np.uint8)
    planes[..., 3] = 220
    bands = Image.getmodebands(mode)
    pixels = planes[..., 0] if bands == 1 else planes[..., :bands]
    return Image.frombuffer(mode, (163, 121), np.ascontiguousarray(pixels).tobytes(), "raw", mode, 0, 1)


def _pillow(image: Image.Image, size: Size, box: Box | None) -> Image.Image:
    premultiplied = image.convert("RGBa") if image.mode == "RGBA" else image
    return premultiplied.resize(size, Image.Resampling.LANCZOS, box=box)


def _difference(one: Resizer, other: Resizer, image: Image.Image, size: Size, box: Box | None) -> int:
    mine = np.asarray(one.resample(image, size, box), dtype=np.int16)
    theirs = np.asarray(other.resample(image, size, box), dtype=np.int16)
    if mine.shape != theirs.shape:
        return 255
    return int(np.abs(mine - theirs).max())

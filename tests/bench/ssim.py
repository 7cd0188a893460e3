"""How alike two pictures are: the structural similarity of their luma, after Wang et al. 2004."""

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

Plane: TypeAlias = npt.NDArray[np.float64]

# The constants of the paper, for samples from 0 to 255.
_RADIUS: Final = 5
_SIGMA: Final = 1.5
_C1: Final = (0.01 * 255) ** 2
_C2: Final = (0.03 * 255) ** 2


def ssim(one: Image.Image, other: Image.Image) -> float:
    """Mean similarity, 1.0 for equal pictures; ValueError unless both have one size, at least 11×11."""
    a, b = luma(one), luma(other)
    if a.shape != b.shape or min(a.shape) <= 2 * _RADIUS:
        raise ValueError(f"{one.size} and {other.size} cannot be compared")
    mean_a, mean_b = _blurred(a), _blurred(b)
    variance_a = _blurred(a * a) - mean_a * mean_a
    variance_b = _blurred(b * b) - mean_b * mean_b
    covariance = _blurred(a * b) - mean_a * mean_b
    likeness = (2 * mean_a * mean_b + _C1) * (2 * covariance + _C2)
    likeness /= (mean_a * mean_a + mean_b * mean_b + _C1) * (variance_a + variance_b + _C2)
    return float(likeness.mean())


def luma(image: Image.Image) -> Plane:
    """Brightness from 0 to 255, rows first; what shows through is laid on mid-grey."""
    if "A" in image.getbands():
        under = Image.new("RGBA", image.size, (128, 128, 128, 255))
        image = Image.alpha_composite(under, image.convert("RGBA"))
    return np.asarray(image.convert("RGB").convert("L"), dtype=np.float64)


def _blurred(plane: Plane) -> Plane:
    """The plane under the paper's 11×11 Gaussian, without the border where the window does not fit."""
    offsets = np.arange(-_RADIUS, _RADIUS + 1)
    window = np.exp(-(offsets**2) / (2 * _SIGMA**2))
    window /= window.sum()
    height, width = (side - 2 * _RADIUS for side in plane.shape)
    rows = np.zeros((height, plane.shape[1]))
    for at, weight in enumerate(window):
        rows += weight * plane[at : at + height]
    blurred = np.zeros((height, width))
    for at, weight in enumerate(window):
        blurred += weight * rows[:, at : at + width]
    return blurred

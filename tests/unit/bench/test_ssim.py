"""The benchmarks' ruler: SSIM is 1 for equal pictures, falls with damage, and knows what can be compared."""

import numpy as np
import pytest
from PIL import Image, ImageFilter

from tests.bench.ssim import ssim


def textured(seed: int = 1) -> Image.Image:
    noise = np.random.default_rng(seed).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    return Image.fromarray(noise).filter(ImageFilter.GaussianBlur(1.2))


def test_a_picture_is_like_itself() -> None:
    assert ssim(textured(), textured()) == pytest.approx(1.0, abs=1e-12)


def test_more_blur_is_less_like() -> None:
    whole = textured()
    values = [ssim(whole, whole.filter(ImageFilter.GaussianBlur(radius))) for radius in (0.3, 0.8, 2.0)]
    assert values == sorted(values, reverse=True)
    assert values[-1] < 0.7 < values[0] < 1


def test_two_noises_are_not_alike() -> None:
    assert abs(ssim(textured(1), textured(2))) < 0.4


def test_flat_pictures_have_the_value_of_the_formula() -> None:
    black, grey = Image.new("L", (40, 40), 0), Image.new("L", (40, 40), 100)
    c1 = (0.01 * 255) ** 2
    assert ssim(black, grey) == pytest.approx(c1 / (100**2 + c1))


def test_it_is_symmetric() -> None:
    one, other = textured(1), textured(1).filter(ImageFilter.GaussianBlur(1))
    assert ssim(one, other) == pytest.approx(ssim(other, one), abs=1e-12)


@pytest.mark.parametrize("size", [(120, 91), (10, 90)])
def test_other_sizes_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="cannot be compared"):
        ssim(textured().resize((120, 90) if size[0] == 120 else size), textured().resize(size))

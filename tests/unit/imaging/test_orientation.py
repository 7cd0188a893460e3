"""All eight orientations come out upright, in every format that can say one (I01, I08)."""

import io

import pytest
from PIL import ExifTags, Image

from processors.imaging import recipe, resize
from processors.imaging.recipe import DEFAULT_PRESETS, Limits, Preset
from processors.imaging.steps import Work
from tests.unit.imaging.pictures import QUARTERS, alike, corners, quarters, render, saved

# What was done to an upright picture to store it in such a way that this orientation undoes it.
_STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def oriented(orientation: int, plugin: str, width: int = 200, height: int = 120) -> bytes:
    image, undone = quarters(width, height), _STORED[orientation]
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return saved(image if undone is None else image.transpose(undone), plugin, exif=exif)


@pytest.mark.parametrize("plugin", ["JPEG", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_upright(orientation: int, plugin: str) -> None:
    rendering = render(oriented(orientation, plugin))
    source = rendering.result.source
    assert (source.width, source.height, source.orientation) == (200, 120, orientation)
    for name, size in {"large": (200, 120), "thumbnail": (120, 120)}.items():
        image = rendering.image(name)
        assert image.size == size
        assert alike(corners(image), QUARTERS)
        assert image.getexif().get(ExifTags.Base.Orientation) is None


@pytest.mark.parametrize("orientation", [1, 6, 7])
def test_upright_after_shrinking_while_decoding(orientation: int) -> None:
    """Large enough for the decoder to divide: stored and upright sides must not be mixed up."""
    rendering = render(oriented(orientation, "JPEG", 4000, 2000))
    assert rendering.image("large").size == (1920, 960)
    assert alike(corners(rendering.image("large")), QUARTERS)


@pytest.mark.parametrize(("orientation", "decoded"), [(1, (2000, 1000)), (6, (1000, 2000))])
def test_what_lies_on_its_side_is_decoded_as_small(orientation: int, decoded: tuple[int, int]) -> None:
    work = Work(
        data=oriented(orientation, "JPEG", 4000, 2000),
        presets=(Preset(name="p", width=1500, height=1500, fit="contain"),),
        limits=Limits(),
        out=io.BytesIO(),
        resizer=resize.by_pillow(),
        sha256="",
    )
    for step in recipe.STEPS:
        step(work)
        if step.__name__ == "decode_pixels":
            break
    assert work.image.size == decoded


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_box_that_is_not_square_is_upright_too(orientation: int) -> None:
    presets = (Preset(name="wide", width=100, height=50, fit="contain"),)
    assert render(oriented(orientation, "JPEG"), presets).image("wide").size == (83, 50)


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_other_values_mean_upright(value: int) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = value
    rendering = render(saved(quarters(), "JPEG", exif=exif), DEFAULT_PRESETS[:1])
    assert rendering.result.source.orientation == 1
    assert alike(corners(rendering.image("large")), QUARTERS)


def test_the_test_pictures_are_what_they_claim() -> None:
    """Pillow's own idea of orientation agrees with the table above."""
    from PIL import ImageOps

    for orientation in _STORED:
        upright = ImageOps.exif_transpose(Image.open(io.BytesIO(oriented(orientation, "JPEG"))))
        assert alike(corners(upright), QUARTERS)

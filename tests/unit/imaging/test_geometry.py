"""Sizes: nothing enlarged, nothing empty, panoramas and strips included (I14)."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from processors.imaging import geometry
from processors.imaging.recipe import DEFAULT_PRESETS, Limits, Preset
from tests.unit.imaging.pictures import QUARTERS, alike, corners, quarters, render, saved

sides = st.integers(1, 60_000)


@pytest.mark.parametrize(
    ("size", "wanted"),
    [
        ((1, 5000), [(1, 1920), (1, 1024), (1, 480), (1, 1)]),
        ((5000, 1), [(1920, 1), (1024, 1), (480, 1), (1, 1)]),
        ((4000, 400), [(1920, 192), (1024, 102), (480, 48), (150, 150)]),
        ((7, 5), [(7, 5), (7, 5), (7, 5), (5, 5)]),
        ((1, 1), [(1, 1), (1, 1), (1, 1), (1, 1)]),
        ((6000, 90), [(1920, 29), (1024, 15), (480, 7), (90, 90)]),
        ((1921, 1080), [(1920, 1079), (1024, 576), (480, 270), (150, 150)]),
    ],
)
@pytest.mark.parametrize("plugin", ["JPEG", "PNG"])
def test_extreme_shapes(size: tuple[int, int], wanted: list[tuple[int, int]], plugin: str) -> None:
    rendering = render(saved(Image.new("RGB", size, (90, 120, 30)), plugin))
    assert [(v.width, v.height) for v in rendering.result.variants] == wanted
    for variant in rendering.result.variants:
        assert alike([rendering.image(variant.name).resize((1, 1)).getpixel((0, 0))], [(90, 120, 30)])  # type: ignore[list-item]


def test_panorama_thumbnail_is_cut_from_something_sharp_enough() -> None:
    """The smallest level of 4000×400 is 48 pixels high: a thumbnail made of that would be a blur."""
    image = Image.new("L", (4000, 400), 0)
    for x in range(1900, 2100, 8):
        image.paste(255, (x, 0, x + 4, 400))
    thumbnail = render(saved(image.convert("RGB"), "PNG")).image("thumbnail").convert("L")
    row = [thumbnail.getpixel((x, 75)) for x in range(150)]
    assert max(row) - min(row) > 120  # type: ignore[operator,type-var]


def test_thumbnail_is_cut_from_the_middle() -> None:
    wide = Image.new("RGB", (600, 200), QUARTERS[2])
    wide.paste(QUARTERS[0], (200, 0, 400, 200))
    assert alike(corners(render(saved(wide, "PNG")).image("thumbnail")), [QUARTERS[0]] * 4)


@given(sides, sides)
def test_contained_sizes_keep_proportion_and_are_never_enlarged(width: int, height: int) -> None:
    for preset in DEFAULT_PRESETS[:3]:
        w, h = geometry.fitted((width, height), preset)
        assert 1 <= w <= min(width, preset.width)
        assert 1 <= h <= min(height, preset.height)
        assert max(w, h) == min(max(width, height), preset.width)


@given(sides, sides, st.integers(1, 2000), st.integers(1, 2000))
def test_covers_are_filled_without_enlarging(width: int, height: int, w: int, h: int) -> None:
    preset = Preset(name="c", width=w, height=h, fit="cover")
    size = geometry.fitted((width, height), preset)
    assert size[0] <= min(w, width)
    assert size[1] <= min(h, height)
    plan = geometry.plan((width, height), (*DEFAULT_PRESETS, preset))
    levels = [plan.base, *(level for level in plan.levels if level != plan.base)]
    level = levels[geometry.covering(levels, size)]
    left, top, right, bottom = geometry.centre(level, size)
    assert -1e-6 <= left <= right <= level[0] + 1e-6
    assert -1e-6 <= top <= bottom <= level[1] + 1e-6
    assert level[0] >= size[0]
    assert level[1] >= size[1]


@given(sides, sides)
def test_each_level_is_made_from_a_larger_one(width: int, height: int) -> None:
    plan = geometry.plan((width, height), DEFAULT_PRESETS)
    assert plan.base[0] <= width
    assert plan.base[1] <= height
    steps = [plan.base, *plan.levels]
    assert all(a[0] >= b[0] and a[1] >= b[1] for a, b in pairwise(steps))


@given(sides, sides)
def test_a_decoder_leaves_half_as_much_again(width: int, height: int) -> None:
    plan = geometry.plan((width, height), DEFAULT_PRESETS)
    by = geometry.divisor((width, height), plan.base)
    if by > 1:
        assert width / by >= geometry.HEADROOM * plan.base[0]
        assert height / by >= geometry.HEADROOM * plan.base[1]


@pytest.mark.parametrize("side", [0, -1, 10**9, 16_384])
def test_sizes_that_no_encoder_can_write_are_no_presets(side: int) -> None:
    """I14: the API turns this ValueError into 422."""
    with pytest.raises(ValueError, match="sides"):
        Preset(name="p", width=side, height=10, fit="contain")


@pytest.mark.parametrize(
    "changed",
    [
        {"name": "../x"},
        {"name": ""},
        {"fit": "fill"},
        {"quality": 0},
        {"quality": 101},
        {"formats": ()},
        {"formats": ("bmp",)},
        {"formats": ("webp", "webp")},
    ],
)
def test_other_nonsense_is_no_preset(changed: dict[str, object]) -> None:
    fields: dict[str, object] = {"name": "p", "width": 10, "height": 10, "fit": "contain"}
    with pytest.raises(ValueError, match="preset"):
        Preset(**fields | changed)  # type: ignore[arg-type]


def test_a_set_has_presets_of_different_names() -> None:
    data = saved(quarters(), "JPEG")
    for presets in ((), DEFAULT_PRESETS[:1] * 2):
        with pytest.raises(ValueError, match="preset set"):
            render(data, presets, Limits())

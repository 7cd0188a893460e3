"""The recipe as a whole: what is written where, equal bytes for equal input, equal resizers (I12)."""

import hashlib
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from processors.imaging import recipe, resize
from processors.imaging.encode import RECIPE
from processors.imaging.recipe import DEFAULT_PRESETS, Limits, Preset, make_variants
from processors.imaging.resize import Resizer
from tests.unit.imaging.pictures import quarters, render, samples, saved, scene

SEVEN_HUNDRED = Preset(name="seven", width=700, height=700, fit="contain")
PHOTO = saved(scene(1200, 900), "JPEG", quality=90)


def test_offsets_and_digests_tell_the_truth() -> None:
    rendering = render(PHOTO)
    end = 0
    for variant in rendering.result.variants:
        assert variant.offset == end, "four different sizes lie one behind the other"
        end += variant.size
        assert hashlib.sha256(rendering.files[variant.name]).hexdigest() == variant.sha256
    assert rendering.result.facts.sha256 == hashlib.sha256(PHOTO).hexdigest()
    assert rendering.result.source.size == len(PHOTO)


def test_equal_variants_are_written_once() -> None:
    variants = render(saved(quarters(300, 300), "PNG")).result.variants
    large, medium, small, thumbnail = variants
    assert {v.offset for v in (large, medium, small)} == {0}
    assert thumbnail.offset == large.size
    assert [v.name for v in variants] == ["large", "medium", "small", "thumbnail"]


def test_quality_and_format_are_the_presets() -> None:
    presets = (
        Preset(name="a", width=800, height=800, fit="contain", quality=40),
        Preset(
            name="b",
            width=800,
            height=800,
            fit="contain",
            quality=90,
            formats=("auto", "webp", "avif", "png"),
        ),
    )
    rendering = render(PHOTO, presets)
    assert [v.name for v in rendering.result.variants] == ["a", "b", "b.webp", "b.avif", "b.png"]
    assert [v.format for v in rendering.result.variants] == ["jpeg", "jpeg", "webp", "avif", "png"]
    assert len(rendering.files["a"]) < len(rendering.files["b"]) / 2


def test_jpeg_asked_for_a_transparent_picture_is_laid_on_white() -> None:
    clear = Image.new("RGBA", (50, 50), (200, 0, 0, 0))
    rendering = render(
        saved(clear, "PNG"), (Preset(name="p", width=50, height=50, fit="contain", formats=("auto", "jpeg")),)
    )
    assert [v.format for v in rendering.result.variants] == ["webp", "jpeg"]
    assert rendering.image("p.jpeg").getpixel((25, 25)) == (255, 255, 255)


def test_output_is_reused_from_its_start() -> None:
    out = os.memfd_create("variants")
    first = make_variants(PHOTO, DEFAULT_PRESETS, Limits(), out)
    again = make_variants(memoryview(PHOTO), DEFAULT_PRESETS, Limits(), out)
    os.close(out)
    assert first.variants == again.variants
    assert first.variants[0].offset == 0


@pytest.mark.parametrize("name", samples())
def test_same_bytes_again_and_again(name: str) -> None:
    """I12."""
    data = samples()[name]
    presets = tuple(replace(preset, formats=("auto", "webp", "avif", "png")) for preset in DEFAULT_PRESETS)
    assert render(data, presets) == render(data, presets)


def test_same_bytes_in_another_process() -> None:
    """I12: nothing of a process (hash seeds, addresses, what it did before) gets into a file."""
    code = (
        "import hashlib, sys; from tests.unit.imaging.pictures import render, scene, saved\n"
        "files = render(saved(scene(1200, 900), 'JPEG', quality=90)).files\n"
        "print(*(hashlib.sha256(file).hexdigest() for file in files.values()))"
    )
    here = [hashlib.sha256(file).hexdigest() for file in render(PHOTO).files.values()]
    for seed in ("1",):
        ran = subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        )
        assert ran.stdout.decode().split() == here


def test_versions_are_said() -> None:
    encoder = render(PHOTO, DEFAULT_PRESETS[:1]).result.encoder
    assert encoder.pillow
    assert "libjpeg_turbo" in encoder.codecs
    assert encoder.resizer.startswith(("cykooz", "pillow"))
    assert encoder.resizer.endswith(f", recipe {RECIPE}")
    assert encoder.simd


def test_both_resizers_draw_the_same() -> None:
    assert resize.agree(resize.by_simd(), resize.by_pillow())


def test_a_resizer_that_differs_is_noticed() -> None:
    def off(image: Image.Image, size: tuple[int, int], box: object) -> Image.Image:
        return image.resize(size, Image.Resampling.BICUBIC)

    assert not resize.agree(Resizer(name="off", simd="none", resample=off), resize.by_pillow())


@pytest.mark.parametrize("source", ["photograph", "transparent"])
def test_fallback_is_as_good_within_a_thousandth(source: str) -> None:
    """SSIM of both resizers' cascades against one resize of the full picture by Pillow's Lanczos."""
    whole = scene(1000, 750)
    if source == "transparent":
        whole.putalpha(Image.linear_gradient("L").resize(whole.size))
    presets, data = (SEVEN_HUNDRED, DEFAULT_PRESETS[2]), saved(whole, "PNG", compress_level=1)
    fast, slow = render(data, presets), render(data, presets, resizer=resize.by_pillow())
    for name, size in {"seven": (700, 525), "small": (480, 360)}.items():
        reference = whole.resize(size, Image.Resampling.LANCZOS)
        quick, plain = (_ssim(one.image(name), reference) for one in (fast, slow))
        assert plain > 0.85
        assert abs(quick - plain) < 0.001


def test_steps_are_a_tuple_of_named_functions() -> None:
    """The table of contents of the recipe; documentation names the same steps."""
    names = [step.__name__ for step in recipe.STEPS]
    assert names[0] == "check_bounds"
    assert names[-1] == "write_variants"
    assert len(set(names)) == len(names)


def _ssim(one: Image.Image, other: Image.Image) -> float:
    """Structural similarity over 8×8 blocks of luminance."""
    blocks = []
    for image in (one, other):
        white = Image.new("RGBA", image.size, "white")
        white.alpha_composite(image.convert("RGBA"))
        grey = np.asarray(white.convert("L"), dtype=np.float64)
        high, wide = (side // 8 * 8 for side in grey.shape)
        blocks.append(grey[:high, :wide].reshape(high // 8, 8, wide // 8, 8).swapaxes(1, 2).reshape(-1, 64))
    a, b = blocks
    covariance = ((a - a.mean(1, keepdims=True)) * (b - b.mean(1, keepdims=True))).mean(1)
    c1, c2 = 6.5025, 58.5225
    top = (2 * a.mean(1) * b.mean(1) + c1) * (2 * covariance + c2)
    bottom = (a.mean(1) ** 2 + b.mean(1) ** 2 + c1) * (a.var(1) + b.var(1) + c2)
    return float((top / bottom).mean())

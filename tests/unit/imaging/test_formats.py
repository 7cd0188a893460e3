"""What is accepted comes out upright, of the right size, in the right colours (I01, I13)."""

import io
import struct

import numpy as np
import pytest
from PIL import Image, features

from processors.imaging.recipe import DEFAULT_PRESETS, Preset
from tests.unit.imaging.pictures import (
    BLUE,
    GREEN,
    QUARTERS,
    RED,
    YELLOW,
    alike,
    corners,
    png,
    png_chunk,
    quarters,
    render,
    samples,
    saved,
    ycck_jpeg,
)

SAMPLES = samples()
LARGE = (DEFAULT_PRESETS[0],)


@pytest.mark.parametrize("name", SAMPLES)
def test_every_format_gives_all_variants(name: str) -> None:
    """I01."""
    rendering = render(SAMPLES[name])
    source = rendering.result.source
    assert (source.width, source.height) == (160, 120)
    assert source.format == {"apng": "png"}.get(name, name.split("-")[0])
    sizes = {v.name: (v.width, v.height) for v in rendering.result.variants}
    assert sizes == {"large": (160, 120), "medium": (160, 120), "small": (160, 120), "thumbnail": (120, 120)}
    for variant in rendering.result.variants:
        image = rendering.image(variant.name)
        image.load()
        assert image.size == (variant.width, variant.height)
        assert variant.content_type == f"image/{variant.format}"
        assert (image.format or "").lower() == variant.format


@pytest.mark.parametrize("name", SAMPLES)
def test_pictures_come_through_unchanged(name: str) -> None:
    """I13: pixels against the source's own, as Pillow decodes it."""
    rendering = render(SAMPLES[name], LARGE)
    wanted = Image.open(io.BytesIO(SAMPLES[name])).convert("RGBA")
    found = rendering.image("large").convert("RGBA")
    weight = np.asarray(wanted)[..., 3:] / 255
    difference = np.abs(np.asarray(wanted, float)[..., :3] - np.asarray(found, float)[..., :3]) * weight
    assert difference.mean() < 6


@pytest.mark.parametrize("name", ["gif-animated", "webp-animated", "apng", "avif-animated"])
def test_animations_give_their_first_frame(name: str) -> None:
    """I01: the count is noted, the rest is not decoded."""
    source = render(SAMPLES[name], LARGE).result.source
    assert (source.frames, source.animated) == (2, True)


def test_transparency_is_kept_as_webp() -> None:
    colours = [(*RED, 255), (*GREEN, 128), (*BLUE, 0), (*YELLOW, 255)]
    rendering = render(saved(quarters(colours=colours), "PNG"), LARGE)
    assert rendering.result.source.has_alpha
    assert rendering.result.variants[0].format == "webp"
    found = np.asarray(rendering.image("large").convert("RGBA"))
    alphas = [int(found[y, x, 3]) for y in (30, 90) for x in (50, 150)]
    assert alphas == pytest.approx([255, 128, 0, 255], abs=6)


def test_alpha_that_hides_nothing_is_dropped() -> None:
    opaque = quarters(colours=[(*colour, 255) for colour in QUARTERS])
    rendering = render(saved(opaque, "PNG"), LARGE)
    assert not rendering.result.source.has_alpha
    assert rendering.result.variants[0].format == "jpeg"


def test_hidden_colours_do_not_bleed_when_resized() -> None:
    """Resized premultiplied: what is fully transparent has no colour to give."""
    image = Image.new("RGBA", (400, 400), (255, 0, 255, 0))
    image.paste((10, 120, 10, 255), (100, 100, 300, 300))
    rendering = render(
        saved(image, "PNG"), (Preset(name="p", width=40, height=40, fit="contain", formats=("png",)),)
    )
    pixels = np.asarray(rendering.image("p.png").convert("RGBA")).reshape(-1, 4)
    shown = pixels[pixels[:, 3] > 16]
    assert shown[:, 0].max() < 60
    assert shown[:, 2].max() < 60


def test_palette_with_transparency() -> None:
    """I13."""
    palette = quarters().quantize(8)
    data = saved(palette, "PNG", transparency=palette.getpixel((150, 90)))
    rendering = render(data, LARGE)
    found = np.asarray(rendering.image("large").convert("RGBA"))
    assert found[90, 150, 3] < 8
    assert found[30, 50, 3] > 247
    assert alike(corners(rendering.image("large"))[:3], QUARTERS[:3])


def test_palette_without_transparency_is_jpeg() -> None:
    rendering = render(saved(quarters().quantize(8), "PNG"), LARGE)
    assert rendering.result.variants[0].format == "jpeg"
    assert alike(corners(rendering.image("large")), QUARTERS)


@pytest.mark.parametrize("save", ["plain", "adobe"])
def test_cmyk_jpeg(save: str) -> None:
    """I13: against an RGB twin by the same plain ink model."""
    inks = quarters().convert("CMYK")
    data = saved(inks, "JPEG", quality=95)
    if save == "adobe":
        data = (
            data[:2] + b"\xff\xee" + struct.pack(">H", 14) + b"Adobe\x00\x64\x00\x00\x00\x00\x00" + data[2:]
        )
    rendering = render(data, LARGE)
    assert alike(corners(rendering.image("large")), corners(Image.open(io.BytesIO(data)).convert("RGB")))
    assert alike(corners(rendering.image("large")), QUARTERS, 20)


def test_ycck_jpeg() -> None:
    """I13: an RGB-to-YCbCr coded CMYK file says so in its Adobe marker; its colours are the CMYK twin's."""
    data = ycck_jpeg(quarters())
    found = corners(render(data, LARGE).image("large"))
    expected = corners(Image.open(io.BytesIO(data)).convert("RGB"))
    assert alike(found, expected)


def test_grey_stays_grey() -> None:
    rendering = render(saved(quarters().convert("L"), "JPEG"), LARGE)
    assert rendering.image("large").mode == "L"


def test_16_bit_grey() -> None:
    """I13: the upper byte counts."""
    levels = np.linspace(0, 65535, 160 * 120).reshape(120, 160).astype(">u2")
    rows = b"".join(b"\x00" + row.tobytes() for row in levels)
    rendering = render(png(160, 120, 16, 0, rows), LARGE)
    found = np.asarray(rendering.image("large").convert("L"), float)
    assert np.abs(found - levels.astype(float) / 257).max() < 6


def test_16_bit_colour_with_alpha() -> None:
    """I13."""
    pixel = struct.pack(">HHHH", 200 * 257, 40 * 257, 40 * 257, 32768)
    rendering = render(png(40, 30, 16, 6, b"".join(b"\x00" + pixel * 40 for _ in range(30))), LARGE)
    found = np.asarray(rendering.image("large").convert("RGBA"))[15, 20]
    assert alike([tuple(int(v) for v in found)], [(*RED, 128)], 8)


@pytest.mark.parametrize(("depth", "level"), [(1, 1), (2, 1), (4, 5), (8, 77), (16, 30000)])
def test_one_transparent_grey_level(depth: int, level: int) -> None:
    """I13: a tRNS level is of the file's depth, not of eight bits."""
    row = {
        1: b"\x0f" * 4,
        2: b"\x15" * 8,
        4: b"\x25" * 16,
        8: b"\x10\x4d" * 16,
        16: struct.pack(">HH", 200, 30000) * 16,
    }[depth]
    transparent = png_chunk(b"tRNS", struct.pack(">H", level))
    data = png(32, 8, depth, 0, b"".join(b"\x00" + row for _ in range(8)), transparent)
    rendering = render(data, (Preset(name="p", width=32, height=32, fit="contain", formats=("png",)),))
    alphas = np.asarray(rendering.image("p.png").convert("RGBA"))[..., 3]
    assert rendering.result.source.has_alpha
    assert set(np.unique(alphas)) == {0, 255}


def test_mpo_gives_its_first_picture() -> None:
    """I01: cameras put a second picture behind the first."""
    second = Image.new("RGB", (200, 120), "black")
    data = saved(quarters(), "MPO", save_all=True, append_images=[second])
    assert Image.open(io.BytesIO(data)).format == "MPO"
    rendering = render(data, LARGE)
    assert rendering.result.source.format == "jpeg"
    assert rendering.result.source.frames == 1
    assert alike(corners(rendering.image("large")), QUARTERS)


def test_what_pillow_warns_of_is_not_refused() -> None:
    """Here the directory of further pictures is broken; the picture is not."""
    data = saved(quarters(), "JPEG")
    broken = b"\xff\xe2\x00\x10MPF\x00II*\x00\xff\xff\xff\xff\x00\x00"
    assert alike(corners(render(data[:2] + broken + data[2:], LARGE).image("large")), QUARTERS)


def test_avif_taller_than_webp_can_be() -> None:
    """I13: 16×17000, further than WebP reaches."""
    data = saved(quarters(16, 17000), "AVIF", speed=10)
    source = render(data).result.source
    assert (source.width, source.height) == (16, 17000)


def test_everything_is_there_to_be_tested() -> None:
    """A Pillow without one of its codecs would turn acceptance into refusal."""
    assert all(features.check(codec) for codec in ("jpg", "zlib", "webp", "avif", "littlecms2"))

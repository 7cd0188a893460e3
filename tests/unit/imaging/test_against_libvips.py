"""The same source through libvips: what we make of odd ones is what another decoder sees in them (I13).

libvips is the one of sharp, which the benchmarks install (`python -m tests.bench imaging`); needs node too.
"""

import io
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from shutil import which

import numpy as np
import pytest
from PIL import Image

from processors.imaging.recipe import Preset
from tests.bench.node import PEERS
from tests.bench.ssim import ssim
from tests.unit.imaging.pictures import png, render, saved, scene, ycck_jpeg
from tests.unit.imaging.profiles import ADOBE_RGB, DISPLAY_P3, rgb_profile

SHARP = PEERS / "sharp"
NODE = which("node")
pytestmark = pytest.mark.skipif(
    NODE is None or not (SHARP / "node_modules" / "sharp").is_dir(), reason="sharp or node is not installed"
)

# Half the size of the scene, so that resizing is compared as well.
WIDE = Preset(name="p", width=320, height=320, fit="contain", formats=("png",))
P3 = rgb_profile("Display P3", DISPLAY_P3)
ADOBE = rgb_profile("Adobe RGB (1998)", ADOBE_RGB)
# Ink without a profile is plain ink to us, and a press's to libvips: lighter, and of the same shades.
INK = 8
STRIP = Preset(name="p", width=8500, height=8500, fit="contain", formats=("png",))
SCRIPT = """
import sharp from 'sharp';
const [source, target, side] = process.argv.slice(1);
const box = { width: +side, height: +side, fit: 'inside', withoutEnlargement: true, fastShrinkOnLoad: false };
const image = sharp(source, { limitInputPixels: false }).rotate().resize(box).toColourspace('srgb');
const { width, height } = await image.png().toFile(target);
console.log(JSON.stringify([width, height]));
"""


def sixteen_bits() -> bytes:
    wide = np.asarray(scene(640, 480)).astype(">u2") * 257
    return png(640, 480, 16, 2, b"".join(b"\x00" + row.tobytes() for row in wide))


def palette() -> bytes:
    image = scene(640, 480).quantize(64)
    return saved(image, "PNG", transparency=image.getpixel((320, 240)))


SOURCES: dict[str, Callable[[], bytes]] = {
    "jpeg": lambda: saved(scene(640, 480), "JPEG", quality=95),
    "cmyk jpeg": lambda: saved(scene(640, 480).convert("L").convert("CMYK"), "JPEG", quality=95),
    "ycck jpeg": lambda: ycck_jpeg(scene(640, 480).convert("L")),
    "16-bit png": sixteen_bits,
    "palette and tRNS": palette,
    "adobe rgb": lambda: saved(scene(640, 480), "PNG", icc_profile=ADOBE),
    "display p3": lambda: saved(scene(640, 480), "WEBP", quality=95, icc_profile=P3),
    "avif": lambda: saved(scene(640, 480), "AVIF", quality=90, speed=9),
    "lossless webp": lambda: saved(scene(640, 480), "WEBP", lossless=True),
    "gif": lambda: saved(scene(640, 480), "GIF"),
}


def by_libvips(source: bytes, folder: Path, side: int) -> Image.Image:
    """The picture resized to fit a square by sharp, in sRGB."""
    given, made = folder / "source", folder / "made.png"
    given.write_bytes(source)
    assert NODE is not None
    command = [NODE, "--input-type=module", "-e", SCRIPT, str(given), str(made), str(side)]
    ran = subprocess.run(command, cwd=SHARP, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    image = Image.open(made)
    assert list(image.size) == json.loads(ran.stdout)
    return image


@pytest.mark.parametrize("name", SOURCES)
def test_ours_look_like_theirs(name: str, tmp_path: Path) -> None:
    """I13: SSIM at least 0.98, and the mean of each colour within two levels."""
    source = SOURCES[name]()
    ours = Image.open(io.BytesIO(render(source, (WIDE,)).files["p.png"]))
    theirs = by_libvips(source, tmp_path, 320)
    assert ours.size == theirs.size
    assert ssim(ours, theirs) >= 0.98
    assert means(ours) == pytest.approx(means(theirs), abs=INK if name in ("cmyk jpeg", "ycck jpeg") else 2)


@pytest.mark.parametrize("size", [(1, 600), (600, 1), (16, 17_000)])
def test_strips(size: tuple[int, int], tmp_path: Path) -> None:
    """I13: one pixel wide, one high, and an AVIF that is taller than a WebP can be."""
    column = np.linspace(20, 230, max(size)).astype(np.uint8)
    pixels = np.repeat(column[:, None], min(size), axis=1)
    grey = Image.fromarray(pixels if size[1] >= size[0] else pixels.T).convert("RGB")
    source = saved(grey, "AVIF", speed=10, quality=95) if size[1] == 17_000 else saved(grey, "PNG")
    ours = Image.open(io.BytesIO(render(source, (STRIP,)).files["p.png"])).convert("L")
    theirs = by_libvips(source, tmp_path, STRIP.width).convert("L")
    assert ours.size == theirs.size
    assert np.abs(np.asarray(ours, float) - np.asarray(theirs, float)).mean() < 2


def means(image: Image.Image) -> list[float]:
    """The mean of red, green and blue over mid-grey."""
    under = Image.new("RGBA", image.size, (128, 128, 128, 255))
    shown = Image.alpha_composite(under, image.convert("RGBA")).convert("RGB")
    return [float(mean) for mean in np.asarray(shown).reshape(-1, 3).mean(axis=0)]

"""What a stranger's program finds in a variant: nothing but the picture (I08). Needs exiftool."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from processors.imaging.recipe import DEFAULT_PRESETS, Preset
from tests.unit.imaging.pictures import quarters, render, saved
from tests.unit.imaging.profiles import ADOBE_RGB, rgb_profile

pytestmark = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")

SECRET = "Canary-7421"
EVERY_FORMAT = (
    Preset(name="p", width=90, height=90, fit="contain", formats=("auto", "jpeg", "webp", "avif", "png")),
)
# The file itself, and the headers that no picture of these formats is without.
STRUCTURE = {"ExifTool", "System", "File", "JFIF", "PNG", "RIFF", "QuickTime", "Meta", "Composite"}
# Of what stands under those names, all that speaks of more than the coding of pixels.
HARMLESS_COMPOSITE = {"ImageSize", "Megapixels"}
TAGS = {
    "EXIF:Artist": SECRET,
    "EXIF:UserComment": SECRET,
    "EXIF:SerialNumber": SECRET,
    "EXIF:GPSLatitude": "33.8569",
    "EXIF:GPSLatitudeRef": "S",
    "EXIF:GPSLongitude": "151.2154",
    "EXIF:GPSLongitudeRef": "E",
    "XMP-dc:Creator": SECRET,
    "XMP-photoshop:City": SECRET,
}
MORE_OF_JPEG = {"IPTC:City": SECRET, "IPTC:By-line": SECRET, "Comment": SECRET}


def told(*files: Path) -> list[dict[str, Any]]:
    """All that exiftool finds in each file, by group and tag."""
    ran = subprocess.run(
        ["exiftool", "-json", "-G1", "-a", "-u", "-ee", *map(str, files)], capture_output=True, check=True
    )
    found: list[dict[str, Any]] = json.loads(ran.stdout)
    return found


def tagged(plugin: str, folder: Path) -> Path:
    """A photograph with everything that a camera and an editor put into a file of this format."""
    thumbnail, photograph = folder / "thumbnail.jpg", folder / f"photograph.{plugin.lower()}"
    thumbnail.write_bytes(saved(quarters(64, 48), "JPEG", comment=SECRET.encode()))
    photograph.write_bytes(saved(quarters(), plugin, icc_profile=rgb_profile(SECRET, ADOBE_RGB)))
    tags = TAGS | (MORE_OF_JPEG if plugin == "JPEG" else {})
    words = [f"-{name}={value}" for name, value in tags.items()]
    if plugin == "JPEG":
        words.append(f"-ThumbnailImage<={thumbnail}")
    subprocess.run(
        ["exiftool", "-q", "-m", "-overwrite_original", *words, str(photograph)],
        check=True,
        capture_output=True,
    )
    return photograph


def stray(tags: dict[str, Any]) -> set[str]:
    """Tags that stand for more than the picture."""
    named = [tag.split(":", 1) for tag in tags if tag != "SourceFile"]
    return {
        f"{group}:{name}"
        for group, name in named
        if group not in STRUCTURE or (group == "Composite" and name not in HARMLESS_COMPOSITE)
    }


@pytest.mark.parametrize("plugin", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_exiftool_finds_nothing_in_any_variant(plugin: str, tmp_path: Path) -> None:
    """I08: over every variant of a photograph with a position, names, a thumbnail and a named profile."""
    source = tagged(plugin, tmp_path)
    (before,) = told(source)
    assert json.dumps(before).count(SECRET) >= 4
    assert {"GPS:GPSLatitude", "ICC_Profile:ProfileDescription"} <= stray(before)
    rendering = render(source.read_bytes(), (*DEFAULT_PRESETS, *EVERY_FORMAT))
    variants = []
    for variant in rendering.result.variants:
        file = tmp_path / f"{variant.name}-of.{variant.format}"
        file.write_bytes(rendering.files[variant.name])
        variants.append(file)
    for file, tags in zip(variants, told(*variants), strict=True):
        assert stray(tags) == set(), file.name
        assert SECRET not in json.dumps(tags)
        assert not {tag for tag in tags if "Comment" in tag or "Thumbnail" in tag or "Warning" in tag}

"""Metadata: what is read off, how it is made harmless, and that none of it is in a variant (I08, I09)."""

import json
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image, TiffTags
from PIL.PngImagePlugin import PngInfo
from PIL.TiffImagePlugin import IFDRational

from processors.imaging import metadata, plain_json
from processors.imaging.recipe import DEFAULT_PRESETS, Preset
from tests.unit.imaging.pictures import png_chunk, quarters, render, samples, saved
from tests.unit.imaging.profiles import ADOBE_RGB, rgb_profile

SECRET = "Canary-7421"
EVERY_FORMAT = (
    Preset(name="p", width=90, height=90, fit="contain", formats=("auto", "jpeg", "webp", "avif", "png")),
)


def exif_of(**fields: object) -> Image.Exif:
    """A camera's EXIF with the given tags of the main and the Exif part; a position too."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make], exif[ExifTags.Base.Model] = "Canon", "Canon EOS 40D"
    inner = exif.get_ifd(ExifTags.IFD.Exif)
    for name, value in fields.items():
        tag = ExifTags.Base[name]
        (exif if tag < 0x8000 else inner)[tag] = value
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    gps[ExifTags.GPS.GPSLatitudeRef], gps[ExifTags.GPS.GPSLatitude] = "S", (33.0, 51.0, 24.84)
    gps[ExifTags.GPS.GPSLongitudeRef], gps[ExifTags.GPS.GPSLongitude] = "E", (151.0, 12.0, 55.44)
    return exif


@pytest.mark.parametrize("plugin", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_facts_are_read(plugin: str) -> None:
    exif = exif_of(
        DateTimeOriginal="2024:06:01 17:45:09", SubsecTimeOriginal="25", FNumber=IFDRational(28, 10)
    )
    facts = render(saved(quarters(), plugin, exif=exif), DEFAULT_PRESETS[:1]).result.facts
    assert facts.taken_at == datetime(2024, 6, 1, 17, 45, 9, 250_000)  # noqa: DTZ001 - a camera's wall clock
    assert facts.camera == "Canon EOS 40D"
    assert facts.metadata["exif"]["FNumber"] == 2.8  # type: ignore[index]
    assert facts.metadata["gps"]["latitude"] == pytest.approx(-33.8569, abs=1e-6)  # type: ignore[index]
    assert facts.metadata["gps"]["longitude"] == pytest.approx(151.2154, abs=1e-6)  # type: ignore[index]


def test_png_exif_behind_the_pixels_is_read() -> None:
    data = saved(quarters(), "PNG")
    at = data.index(b"IEND") - 4
    block = exif_of(Orientation=3).tobytes().removeprefix(b"Exif\x00\x00")
    source = render(data[:at] + png_chunk(b"eXIf", block) + data[at:], DEFAULT_PRESETS[:1]).result.source
    assert source.orientation == 3


@pytest.mark.parametrize("data", samples().values(), ids=samples())
def test_no_metadata_is_an_empty_answer(data: bytes) -> None:
    facts = render(data, DEFAULT_PRESETS[:1]).result.facts
    assert (facts.taken_at, facts.camera, facts.metadata) == (None, None, {})


@pytest.mark.parametrize("size", [(200, 120), (60, 40)], ids=["resized", "as it is"])
@pytest.mark.parametrize("plugin", ["JPEG", "PNG", "WEBP", "AVIF", "GIF"])
def test_variants_hold_nothing_but_the_picture(plugin: str, size: tuple[int, int]) -> None:
    """I08: EXIF, GPS, XMP, comments, text and profiles with names, each with a canary in it."""
    exif, text = exif_of(ImageDescription=SECRET, UserComment=SECRET.encode()), PngInfo()
    text.add_text("Comment", SECRET)
    text.add_itxt("XML:com.adobe.xmp", SECRET)
    extras: dict[str, dict[str, object]] = {
        "JPEG": {"comment": SECRET.encode(), "xmp": SECRET.encode()},
        "PNG": {"pnginfo": text},
        "WEBP": {"xmp": SECRET.encode()},
        "AVIF": {"xmp": SECRET.encode()},
        "GIF": {"comment": SECRET.encode()},
    }
    common = {} if plugin == "GIF" else {"exif": exif, "icc_profile": rgb_profile(SECRET, ADOBE_RGB)}
    data = saved(quarters(*size), plugin, **common, **extras[plugin])
    assert SECRET.encode() in data
    rendering = render(data, (*DEFAULT_PRESETS, *EVERY_FORMAT))
    for name, file in rendering.files.items():
        assert SECRET.encode() not in file
        image = rendering.image(name)
        image.load()
        assert not dict(image.getexif())
        assert not {"exif", "xmp", "icc_profile", "comment", "XML:com.adobe.xmp"} & image.info.keys()
        assert not image.info.get("photoshop")


def test_hostile_text_is_made_harmless() -> None:
    """I09: nothing that breaks a line, a terminal, a header or the direction of text."""
    nasty = "a\x00b\r\nc\x1b[31md\u202ee\u2028f\x7fg"
    exif = Image.Exif()
    exif[ExifTags.Base.Make], exif[ExifTags.Base.ImageDescription] = "x\r\ny" + "z" * 500, "\x1b]0;t\x07" * 9
    assert plain_json.safe_text(nasty) == "a b c [31md e f g"
    found = metadata.read(exif.tobytes())
    assert found.camera is not None
    assert found.camera.startswith("x y")
    assert len(found.camera) <= 100
    assert not any(ord(letter) < 32 for letter in found.metadata["exif"]["ImageDescription"])  # type: ignore[index]


def test_metadata_has_a_size() -> None:
    """I09: many long tags end up as few."""
    exif = Image.Exif()
    for tag in list(ExifTags.TAGS)[:400]:
        if TiffTags.lookup(tag).type in (None, TiffTags.ASCII) and tag not in set(ExifTags.IFD):
            exif[tag] = "x" * 400
    found = metadata.read(exif.tobytes())
    assert 0 < len(json.dumps(found.metadata)) <= plain_json.MAX_METADATA


@pytest.mark.parametrize(
    ("make", "model", "camera"),
    [
        ("NIKON CORPORATION", "NIKON D90", "NIKON D90"),
        ("Apple", "iPhone 15", "Apple iPhone 15"),
        ("", "Box", "Box"),
        ("  ", "\x00\x00", None),
    ],
)
def test_camera_names(make: str, model: str, camera: str | None) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Make], exif[ExifTags.Base.Model] = make, model
    assert metadata.read(exif.tobytes()).camera == camera


@pytest.mark.parametrize(
    "text", ["0000:00:00 00:00:00", "2024:13:01 00:00:00", "    :  :     :  :  ", "now", ""]
)
def test_times_that_are_none(text: str) -> None:
    assert metadata.read(exif_of(DateTimeOriginal=text).tobytes()).taken_at is None


def test_numbers_that_json_cannot_say_are_left_out() -> None:
    exif = exif_of(FNumber=IFDRational(0, 0), ExposureTime=IFDRational(1, 250))
    found = metadata.read(exif.tobytes()).metadata["exif"]
    assert "FNumber" not in found  # type: ignore[operator]
    assert found["ExposureTime"] == 0.004  # type: ignore[index]


@given(st.binary(max_size=300))
def test_no_block_makes_reading_fail(block: bytes) -> None:
    for prefix in (b"", b"Exif\x00\x00", b"Exif\x00\x00II*\x00\x08\x00\x00\x00", b"MM\x00*\x00\x00\x00\x08"):
        json.dumps(metadata.read(prefix + block).metadata, allow_nan=False)


@given(st.binary(min_size=1, max_size=40), st.integers(0, 400))
def test_no_damage_makes_reading_fail(damage: bytes, at: int) -> None:
    block = bytearray(exif_of(DateTimeOriginal="2024:06:01 17:45:09", FNumber=2.8).tobytes())
    at = min(at, len(block) - 1)
    block[at : at + len(damage)] = damage
    found = metadata.read(bytes(block))
    assert 1 <= found.orientation <= 8
    json.dumps(found.metadata, allow_nan=False)


def test_cleaning_is_as_strict_as_reading() -> None:
    """For what comes from a child that may have been taken over."""
    honest = metadata.read(exif_of(FNumber=2.8).tobytes()).metadata
    assert plain_json.cleaned(json.loads(json.dumps(honest))) == honest
    lies = {
        "exif": {"a\r\nb" * 90: "c\x00" * 900, "n": float("nan"), "d": {"deep": 1}},
        "gps": 7,
        "third": {},
    }
    cleaned = plain_json.cleaned(lies)
    assert json.dumps(cleaned, allow_nan=False)
    assert list(cleaned) == ["exif"]
    assert plain_json.cleaned({"exif": {str(n): "x" * 400 for n in range(400)}}).keys() == {"exif"}

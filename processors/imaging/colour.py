"""Colours: whatever a file is made of becomes 8-bit grey or RGB in sRGB, its profile obeyed and dropped."""

import io
from functools import lru_cache
from typing import cast

import numpy as np
from PIL import Image, ImageCms
from PIL._imagingcms import CmsProfile

_NAMES = (
    ("display p3", "display_p3"),
    ("adobe rgb", "adobe_rgb"),
    ("prophoto", "prophoto_rgb"),
    ("2020", "rec2020"),
    ("srgb", "srgb"),
)
# The primaries of sRGB as XYZ under D50, and how far rounding in profiles goes.
_SRGB_PRIMARIES = ((0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7142))
_PRIMARY_TOLERANCE = 0.003
_SPACES = {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK"}


def named(profile: bytes | None) -> str | None:
    """The word of contract.PROFILES for an embedded profile; None where there is none."""
    return _read(profile)[0] if profile else None


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Grey (L), RGB or RGBA in sRGB from L, RGB, RGBA or CMYK; a profile of another colour space is ignored.

    Greys stay grey. Without a usable profile numbers are taken as sRGB, and CMYK as plain ink.
    """
    name, space = _read(profile) if profile else (None, None)
    if profile and name not in ("srgb", "unreadable"):
        if image.mode == "L" and space == "RGB":
            return to_srgb(image.convert("RGB"), profile).convert("L")
        if space == ("RGB" if image.mode == "RGBA" else image.mode):
            return _transformed(image, profile)
    return image.convert("RGB") if image.mode == "CMYK" else image


def plain(image: Image.Image, *, bit_depth: int = 8) -> Image.Image:
    """A loaded image of any mode as L, RGB, RGBA or CMYK."""
    if image.mode.startswith("I"):
        return _from_16_bits(image)
    transparency = image.info.get("transparency")
    if isinstance(transparency, int | tuple) and image.mode in ("L", "RGB") and bit_depth != 8:
        image.info["transparency"] = _to_8_bits(transparency, bit_depth)
    if image.has_transparency_data:
        return image.convert("RGBA")
    if image.mode in ("L", "RGB", "CMYK"):
        return image
    return image.convert("L" if image.mode in ("1", "F") else "RGB")


def opaque(image: Image.Image) -> bool:
    """Whether an RGBa image lets nothing through."""
    lowest, _ = cast("tuple[int, int]", image.getextrema()[-1])
    return lowest == 255


def _from_16_bits(image: Image.Image) -> Image.Image:
    """Grey of 16 bits to 8, by the upper byte as Pillow does for colour; one level may be transparent."""
    levels = np.asarray(image).astype(np.uint16)
    grey = Image.fromarray((levels >> 8).astype(np.uint8))
    key = image.info.get("transparency")
    if not isinstance(key, int):
        return grey
    mask = Image.fromarray(np.where(levels == key, 0, 255).astype(np.uint8))
    return Image.merge("RGBA", (grey, grey, grey, mask))


def _to_8_bits(key: int | tuple[int, ...], bit_depth: int) -> int | tuple[int, ...]:
    """A transparent colour in the file's depth, as Pillow has scaled the pixels."""
    if isinstance(key, tuple):
        return tuple(level >> 8 for level in key) if bit_depth == 16 else key
    return key * 255 // ((1 << bit_depth) - 1)


@lru_cache(maxsize=16)
def _read(profile: bytes) -> tuple[str, str | None]:
    """The profile's word, and Pillow's mode for its colour space."""
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile
        space = opened.xcolor_space.strip()
        description = (opened.profile_description or "").lower()
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - lcms and Pillow raise many kinds over bytes made by strangers
        return "unreadable", None
    if space not in _SPACES:
        return "unreadable", None
    if space != "RGB":
        return ("grey" if space == "GRAY" else "cmyk"), _SPACES[space]
    name = next((name for words, name in _NAMES if words in description), "rgb")
    return ("rgb" if name == "srgb" and not _has_srgb_primaries(opened) else name), space


def _has_srgb_primaries(profile: CmsProfile) -> bool:
    found = (profile.red_colorant, profile.green_colorant, profile.blue_colorant)
    return all(
        primary is not None and abs(value - wanted) <= _PRIMARY_TOLERANCE
        for primary, expected in zip(found, _SRGB_PRIMARIES, strict=True)
        for value, wanted in zip(primary[0] if primary else (), expected, strict=False)
    )


def _transformed(image: Image.Image, profile: bytes) -> Image.Image:
    transform = _transform(profile, image.mode)
    if transform is None:
        return image.convert("RGB") if image.mode == "CMYK" else image
    converted = cast("Image.Image", ImageCms.applyTransform(image, transform))
    return converted.convert("L") if image.mode == "L" else converted


@lru_cache(maxsize=16)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """None for a profile that can be read but not be used as a source."""
    try:
        return ImageCms.buildTransform(
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            mode,
            "RGBA" if mode == "RGBA" else "RGB",
            ImageCms.Intent.PERCEPTUAL,
        )
    except ImageCms.PyCMSError:
        return None

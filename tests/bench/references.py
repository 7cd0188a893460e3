"""How good variants are: each against the picture it should be, made the slow and certain way."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageCms, ImageOps

from tests.bench.ssim import ssim

# Smaller variants have no place for SSIM's window.
_LEAST_SIDE = 11


def likeness(picture: Path, variants: Path) -> Iterator[tuple[str, float]]:
    """Name and SSIM of each variant in a folder against a full-size Lanczos reference of its own size."""
    whole = upright_srgb(picture)
    for file in sorted(variants.iterdir()):
        with Image.open(file) as variant:
            if min(variant.size) >= _LEAST_SIDE:
                yield file.stem, ssim(reference(whole, variant.size), variant)


def upright_srgb(picture: Path) -> Image.Image:
    """The first frame at its full size, turned upright, in sRGB, with its alpha where it has one."""
    with Image.open(picture) as opened:
        opened.load()
        profile = opened.info.get("icc_profile")
        image = ImageOps.exif_transpose(opened)
    transparent = "A" in image.getbands() or "transparency" in image.info
    target = "RGBA" if transparent else "RGB"
    if image.mode not in ("RGB", "RGBA", "CMYK", "L"):
        image = image.convert(target)
    if not profile:
        return image.convert(target)
    source = ImageCms.ImageCmsProfile(BytesIO(profile))
    converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode=target)
    if converted is None:
        raise ValueError(f"{picture.name}: its profile cannot be applied")
    return converted


def reference(whole: Image.Image, size: tuple[int, int]) -> Image.Image:
    """One Lanczos resize from the full size: of all of it, or of its centre where the proportions differ."""
    image = whole.convert("RGBa") if whole.mode == "RGBA" else whole
    resized = image.resize(size, Image.Resampling.LANCZOS, box=_box(whole.size, size))
    return resized.convert("RGBA") if resized.mode == "RGBa" else resized


def _box(whole: tuple[int, int], size: tuple[int, int]) -> tuple[float, float, float, float]:
    width, height = float(whole[0]), float(whole[1])
    # Sides are rounded to pixels, by either program its own way: that is no other shape.
    if abs(width * size[1] - height * size[0]) > width + height:
        scale = min(width / size[0], height / size[1])
        across, down = size[0] * scale, size[1] * scale
        left, top = (width - across) / 2, (height - down) / 2
        return left, top, left + across, top + down
    return 0.0, 0.0, width, height

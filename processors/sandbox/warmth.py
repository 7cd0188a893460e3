"""Small pictures of every kind, so that a process has imported and opened all it needs before it may not."""

import io
from collections.abc import Iterator

from PIL import ExifTags, Image, ImageCms

FORMATS = ("auto", "jpeg", "webp", "avif", "png")
_SIDE = 48


def pictures() -> Iterator[bytes]:
    """One file for each decoder and each way through the recipe."""
    colours = Image.linear_gradient("L").resize((_SIDE, _SIDE))
    rgb = Image.merge("RGB", (colours, colours.rotate(90), colours.rotate(180)))
    rgba = rgb.copy()
    rgba.putalpha(colours)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    yield _saved(rgb, "JPEG", exif=_exif(), icc_profile=profile, comment=b"warm")
    yield _saved(rgb, "JPEG", progressive=True)
    yield _saved(rgb.convert("CMYK"), "JPEG")
    yield _saved(colours, "JPEG")
    yield _saved(rgb, "PNG", exif=_exif(), icc_profile=profile)
    yield _saved(rgba, "PNG")
    yield _saved(colours.convert("I;16"), "PNG")
    yield _saved(rgb.quantize(16), "PNG", transparency=0)
    yield _saved(colours, "GIF", save_all=True, append_images=[colours.rotate(90)])
    yield _saved(rgb, "WEBP", exif=_exif(), icc_profile=profile)
    yield _saved(rgba, "WEBP", lossless=True)
    yield _saved(rgba, "WEBP", save_all=True, append_images=[rgba.rotate(90)])
    yield _saved(rgba, "AVIF", exif=_exif(), max_threads=1)


def use_colours() -> None:
    """Build and use a colour transform: sRGB pictures pass the recipe without one."""
    srgb = ImageCms.createProfile("sRGB")
    transform = ImageCms.buildTransform(srgb, srgb, "RGB", "RGB")
    ImageCms.applyTransform(Image.new("RGB", (4, 4)), transform)


def _exif() -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Make] = "Warm"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2026:01:02 03:04:05"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (1.0, 2.0, 3.0)
    return exif


def _saved(image: Image.Image, plugin: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, plugin, **options)
    return file.getvalue()

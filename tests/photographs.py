"""Draws the photographs that tests upload: four coloured quarters, with the EXIF of a camera on its side."""

from fractions import Fraction
from io import BytesIO

from PIL import Image, ImageCms
from PIL.ExifTags import GPS, IFD, Base

RED, GREEN, BLUE, YELLOW = (200, 30, 30), (30, 160, 40), (30, 40, 200), (220, 200, 40)
CAMERA = "Darkroom Test Camera"
LATITUDE = 48.8583
TAKEN_AT = "2024:05:17 08:09:10"
STORED = {1: None, 3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}


def quarters(width: int, height: int) -> Image.Image:
    """Upright: red, green over blue, yellow."""
    picture = Image.new("RGB", (2, 2))
    for place, colour in zip([(0, 0), (1, 0), (0, 1), (1, 1)], [RED, GREEN, BLUE, YELLOW], strict=True):
        picture.putpixel(place, colour)
    return picture.resize((width, height), Image.Resampling.NEAREST)


def photograph(width: int = 2400, height: int = 1600, *, orientation: int = 6, tint: int = 0) -> bytes:
    """A JPEG that is `width` × `height` when seen upright; another `tint` gives other bytes.

    Its EXIF holds the orientation, a camera, a capture time and a GPS place; its profile is sRGB.
    """
    picture = quarters(width, height)
    picture.putpixel((0, 0), (tint % 256, tint // 256 % 256, 0))
    transpose = STORED[orientation]
    stored = picture.transpose(transpose) if transpose is not None else picture
    buffer = BytesIO()
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    stored.save(
        buffer, "JPEG", quality=92, exif=_exif(orientation), icc_profile=profile, comment=b"a secret comment"
    )
    return buffer.getvalue()


def _exif(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[Base.Orientation] = orientation
    exif[Base.Model] = CAMERA
    exif.get_ifd(IFD.Exif)[Base.DateTimeOriginal] = TAKEN_AT
    degrees = Fraction(LATITUDE).limit_denominator(10_000)
    place = exif.get_ifd(IFD.GPSInfo)
    place[GPS.GPSLatitudeRef] = "N"
    place[GPS.GPSLatitude] = (float(degrees), 0.0, 0.0)
    return exif.tobytes()


def looks_upright(encoded: bytes) -> bool:
    """Whether each quarter has the colour it has upright."""
    image = Image.open(BytesIO(encoded)).convert("RGB")
    for (across, down), colour in zip(
        [(0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)], [RED, GREEN, BLUE, YELLOW], strict=True
    ):
        seen = image.getpixel((int(image.width * across), int(image.height * down)))
        if not isinstance(seen, tuple) or max(abs(a - b) for a, b in zip(seen, colour, strict=True)) > 12:
            return False
    return True

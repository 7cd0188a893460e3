"""Pictures for tests, drawn and packed in code: every format, every oddity, no file in the repository."""

import io
import os
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from processors.imaging.recipe import DEFAULT_PRESETS, Limits, Preset, Result, make_variants
from processors.imaging.resize import Resizer
from tests.unit.imaging import profiles

# The quadrants of `quarters`, in reading order; far apart in every channel that a codec may touch.
RED, GREEN, BLUE, YELLOW = (200, 40, 40), (40, 160, 60), (40, 60, 190), (215, 200, 50)
QUARTERS = (RED, GREEN, BLUE, YELLOW)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """A result and the files it speaks of, by name."""

    result: Result
    files: dict[str, bytes]

    def image(self, name: str) -> Image.Image:
        """One variant, decoded."""
        return Image.open(io.BytesIO(self.files[name]))


def render(
    data: bytes,
    presets: Sequence[Preset] = DEFAULT_PRESETS,
    limits: Limits | None = None,
    resizer: Resizer | None = None,
) -> Rendering:
    """All variants of one source, in memory."""
    out = os.memfd_create("variants")
    try:
        result = make_variants(data, presets, limits or Limits(), out, resizer=resizer)
        files = {v.name: os.pread(out, v.size, v.offset) for v in result.variants}
        return Rendering(result=result, files=files)
    finally:
        os.close(out)


def quarters(
    width: int = 200, height: int = 120, colours: Sequence[tuple[int, ...]] = QUARTERS
) -> Image.Image:
    """Four plain rectangles: they tell how a picture was turned, and what became of its colours."""
    image = Image.new("RGB" if len(colours[0]) == 3 else "RGBA", (width, height))
    for at, colour in enumerate(colours):
        left, top = (at % 2) * (width // 2), (at // 2) * (height // 2)
        image.paste(colour, (left, top, left + width - width // 2, top + height - height // 2))
    return image


def scene(width: int, height: int) -> Image.Image:
    """Something like a photograph: soft colours with detail over them, the same each time."""
    y, x = np.mgrid[0:height, 0:width] / max(width, height)
    noise = np.random.default_rng(7).normal(0, 6, (height, width))
    planes = [
        128 + 70 * np.sin(7 * x + 2 * y + phase) * np.cos(5 * y - phase) + 20 * np.sin(90 * x * y) + noise
        for phase in (0.0, 1.0, 2.0)
    ]
    return Image.fromarray(np.clip(np.stack(planes, axis=-1), 0, 255).astype(np.uint8))


def saved(image: Image.Image, plugin: str, **options: object) -> bytes:
    """The image as a file of Pillow's format `plugin`."""
    file = io.BytesIO()
    image.save(file, plugin, **options)
    return file.getvalue()


def corners(image: Image.Image) -> list[tuple[int, int, int]]:
    """The colours in the middle of each quarter, in reading order."""
    rgb, (width, height) = image.convert("RGB"), image.size
    points = [(x * width // 4, y * height // 4) for y in (1, 3) for x in (1, 3)]
    found = [rgb.getpixel(point) for point in points]
    return [pixel for pixel in found if isinstance(pixel, tuple) and len(pixel) == 3]


def alike(found: Sequence[tuple[int, ...]], wanted: Sequence[tuple[int, ...]], tolerance: int = 12) -> bool:
    """Whether all colours agree within what lossy coding does to plain surfaces."""
    pairs = zip(found, wanted, strict=True)
    return all(abs(a - b) <= tolerance for one, other in pairs for a, b in zip(one, other, strict=True))


def png_chunk(kind: bytes, body: bytes) -> bytes:
    """One chunk with its length and checksum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, depth: int, colour: int, rows: bytes, *chunks: bytes) -> bytes:
    """A PNG of raw rows (each with its filter byte), the chunks put before the pixels."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    pixels = png_chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + pixels + png_chunk(b"IEND", b"")


def webp_claiming(width: int, height: int) -> bytes:
    """38 bytes that say they are a WebP of this size."""
    canvas = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + canvas + b"VP8L" + bytes(4)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def jpeg_claiming(width: int, height: int) -> bytes:
    """A small JPEG whose frame header says another size."""
    data = bytearray(saved(quarters(64, 64), "JPEG"))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(data)


def avif_claiming(width: int, height: int) -> bytes:
    """A small AVIF whose size property says another size."""
    data = bytearray(saved(quarters(64, 64), "AVIF"))
    at = data.index(b"ispe") + 8
    data[at : at + 8] = struct.pack(">II", width, height)
    return bytes(data)


def ycck_jpeg(image: Image.Image) -> bytes:
    """The picture as ink, coded as YCbCr and black, which an Adobe marker says."""
    inks = np.asarray(image.convert("CMYK"), dtype=np.uint8)
    ycc = np.asarray(Image.fromarray(inks[..., :3]).convert("YCbCr"))
    planes = np.concatenate([ycc, 255 - inks[..., 3:]], axis=-1)
    # Pillow writes CMYK inverted and not transformed: given the planes inverted, it writes what YCCK holds.
    raw = saved(Image.frombytes("CMYK", inks.shape[1::-1], (255 - planes).tobytes()), "JPEG", quality=98)
    at = raw.index(b"Adobe") + 11
    return raw[:at] + b"\x02" + raw[at + 1 :]


def gif_of_frames(count: int, width: int = 8, height: int = 8) -> bytes:
    """A GIF with this many tiny frames."""
    whole = saved(Image.new("P", (width, height)), "GIF")
    start = whole.index(b",", 13)
    return whole[:start] + whole[start:-1] * count + b";"


def jpeg_of_scans(count: int) -> bytes:
    """A progressive JPEG whose last scan is there over and over."""
    whole = saved(quarters(64, 64), "JPEG", progressive=True)
    last = whole.rindex(b"\xff\xda")
    return whole[:last] + whole[last:-2] * count + whole[-2:]


def samples() -> dict[str, bytes]:
    """One small picture of each accepted format, and of their main kinds, each with some detail."""
    image = scene(160, 120)
    alpha = image.copy()
    alpha.putalpha(Image.linear_gradient("L").resize(image.size))
    second = image.rotate(180)
    return {
        "jpeg": saved(image, "JPEG", quality=90),
        "jpeg-progressive": saved(image, "JPEG", quality=90, progressive=True),
        "png": saved(image, "PNG"),
        "png-alpha": saved(alpha, "PNG"),
        "webp": saved(image, "WEBP", quality=90),
        "webp-lossless": saved(alpha, "WEBP", lossless=True),
        "webp-animated": saved(image, "WEBP", save_all=True, append_images=[second], quality=60),
        "gif": saved(image, "GIF"),
        "gif-animated": saved(image, "GIF", save_all=True, append_images=[second]),
        "apng": saved(image, "PNG", save_all=True, append_images=[second]),
        "avif": saved(image, "AVIF", quality=80, speed=10),
        "avif-animated": saved(
            image, "AVIF", save_all=True, append_images=[second], quality=80, speed=10, max_threads=1
        ),
    }


def adobe_rgb() -> bytes:
    """A profile that changes colours."""
    return profiles.rgb_profile("Adobe RGB (1998)", profiles.ADOBE_RGB)

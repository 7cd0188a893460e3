"""Files that must not be decoded, foreign ones and such as claim too much, with the code of each refusal."""

import io
import struct
import zipfile

from tests.unit.imaging.pictures import (
    avif_claiming,
    gif_of_frames,
    jpeg_claiming,
    jpeg_of_scans,
    png,
    png_chunk,
    quarters,
    saved,
    webp_claiming,
)

JPEG = saved(quarters(), "JPEG")
PNG = saved(quarters(), "PNG")


def archive(before: bytes = b"") -> bytes:
    file = io.BytesIO(before)
    file.seek(0, io.SEEK_END)
    with zipfile.ZipFile(file, "a") as packed:
        packed.writestr("page.html", "<script>alert(1)</script>")
    return file.getvalue()


FOREIGN = {
    "empty": (b"", "empty"),
    "one byte": (b"\xff", "not_an_image"),
    "text": (b"hello, I am a picture\n" * 50, "not_an_image"),
    "html": (b"<!DOCTYPE html><html><body><svg></svg></body></html>", "not_an_image"),
    "svg": (
        b'<?xml version="1.0"?><!-- x --><svg xmlns="http://www.w3.org/2000/svg"/>',
        "unsupported_format",
    ),
    "bare svg": (b'\xef\xbb\xbf <svg width="1" height="1"></svg>', "unsupported_format"),
    "pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "unsupported_format"),
    "eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n", "unsupported_format"),
    "psd": (b"8BPS\x00\x01" + bytes(40), "unsupported_format"),
    "tiff": (saved(quarters(), "TIFF"), "unsupported_format"),
    "big-endian tiff": (b"MM\x00\x2a" + bytes(40), "unsupported_format"),
    "jpeg 2000": (saved(quarters(), "JPEG2000"), "unsupported_format"),
    "ico": (saved(quarters(), "ICO"), "unsupported_format"),
    "tga": (saved(quarters(), "TGA"), "unsupported_format"),
    "bmp": (saved(quarters(), "BMP"), "unsupported_format"),
    "ppm": (saved(quarters(), "PPM"), "unsupported_format"),
    "heic": (struct.pack(">I", 24) + b"ftypheic" + bytes(4) + b"mif1heic" + bytes(40), "unsupported_format"),
    "jpeg xl": (b"\xff\x0a" + bytes(40), "unsupported_format"),
    "mp4": (struct.pack(">I", 20) + b"ftypisom" + bytes(4) + b"mp42" + bytes(40), "not_an_image"),
    "zip": (archive(), "not_an_image"),
    "zip behind a jpeg": (archive(JPEG), "unsupported_format"),
    "zip behind a png": (archive(PNG), "unsupported_format"),
    "riff, not webp": (b"RIFF" + struct.pack("<I", 40) + b"WAVEfmt " + bytes(40), "not_an_image"),
    "jpeg of 12 bits": (
        JPEG[:2] + b"\xff\xc1\x00\x0b\x0c\x00\x10\x00\x10\x01\x01\x11\x00",
        "unsupported_format",
    ),
}


def webp(kind: bytes, body: bytes, more: bytes = b"") -> bytes:
    chunk = kind + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", 4 + len(chunk + more)) + b"WEBP" + chunk + more


def frame(number: int, side: int) -> bytes:
    return png_chunk(b"fcTL", struct.pack(">IIIII6x", number, side, side, 0, 0))


def tiny_png(*chunks: bytes) -> bytes:
    return png(8, 8, 8, 0, bytes(72), *chunks)


TWO_FRAMES = JPEG.replace(b"\xff\xda", b"\xff\xc0\x00\x0b\x08\xff\xdc\xff\xdc\x01\x01\x11\x00\xff\xda", 1)
GIF_FRAME = b"GIF89a\x08\x00\x08\x00\x00\x00\x00," + struct.pack("<HHHHB", 0, 0, 60000, 60000, 0)
CANVAS = b"\x02\x00\x00\x00" + b"\x07\x00\x00" * 2
BOMBS = {
    "38-byte webp": (webp_claiming(16383, 10900), "too_many_pixels"),
    "lossless webp": (webp(b"VP8L", b"\x2f\xff\xff\xff\x0f" + bytes(13)), "too_many_pixels"),
    "lossy webp": (webp(b"VP8 ", b"\x10\x02\x00\x9d\x01\x2a\xff\x3f\xff\x3f" + bytes(8)), "too_many_pixels"),
    "png of 50,000²": (png(50_000, 50_000, 1, 0, bytes(1000)), "too_many_pixels"),
    "png of 2³¹": (png(2**31 - 1, 2**31 - 1, 8, 2, bytes(1000)), "too_many_pixels"),
    "png of 169 megapixels": (png(13_000, 13_000, 1, 0, bytes(13_000 * 1_626)), "too_many_pixels"),
    "jpeg of 280 megapixels": (jpeg_claiming(20_000, 14_000), "too_many_pixels"),
    "png of one pixel more": (png(50_000_001, 1, 1, 0, bytes(1000)), "too_many_pixels"),
    "jpeg of 65,500²": (jpeg_claiming(65_500, 65_500), "too_many_pixels"),
    "jpeg with two frame headers": (TWO_FRAMES, "too_many_pixels"),
    "gif of 65,535²": (b"GIF89a\xff\xff\xff\xff\x00\x00\x00," + bytes(9) + b"\x02\x00;", "too_many_pixels"),
    "gif frame beyond its canvas": (GIF_FRAME + b"\x02\x00;", "too_many_pixels"),
    "avif of 65,500²": (avif_claiming(65_500, 65_500), "too_many_pixels"),
    "1,000 scans": (jpeg_of_scans(1000), "too_many_scans"),
    "51 scans": (jpeg_of_scans(51), "too_many_scans"),
    "10,000 gif frames": (gif_of_frames(10_000), "too_many_pixels"),
    "1,001 gif frames": (gif_of_frames(1_001), "too_many_pixels"),
    "10,000 png frames": (tiny_png(*[frame(n, 8) for n in range(10_000)]), "too_many_pixels"),
    "png frame beyond its canvas": (tiny_png(frame(0, 9)), "corrupt"),
    "10,000 webp frames": (webp(b"VP8X", CANVAS, (b"ANMF" + bytes(4)) * 10_000), "too_many_pixels"),
    "frames times canvas": (gif_of_frames(900, 4000, 4000), "too_many_pixels"),
    "jpeg of segments": (JPEG[:2] + b"\xff\xfe\x00\x02" * 100_000 + JPEG[2:], "corrupt"),
    "jpeg of padding": (JPEG[:2] + b"\xff" * 1_000_000 + JPEG[2:], "corrupt"),
    "jpeg of junk": (JPEG[:20] + bytes(1_000_000) + JPEG[20:], "corrupt"),
    "gif of crumbs": (gif_of_frames(1)[:-2] + b"\x01\x00" * 1_100_000 + b"\x00;", "corrupt"),
    "png of crumbs": (tiny_png(png_chunk(b"teSt", b"") * 210_000), "corrupt"),
    "webp of crumbs": (webp(b"VP8X", CANVAS, (b"JUNK" + bytes(4)) * 50_000), "corrupt"),
    "avif of boxes": (avif_claiming(64, 64) + b"\x00\x00\x00\x08free" * 30_000, "corrupt"),
}

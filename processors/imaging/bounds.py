"""What is let through to a decoder: the format by its content, and sizes and counts by its header."""

import re
import struct

from processors.imaging.contract import Limits, RefusalCode, Refused
from processors.imaging.headers import avif, gif, jpeg, png, webp
from processors.imaging.headers.header import Header

_HEAD = 1_024
# Pictures all right, but of kinds that we do not decode.
_FOREIGN = (
    b"II*\x00",
    b"MM\x00*",
    b"II+\x00",
    b"MM\x00+",
    b"8BPS",
    b"\x00\x00\x00\x0cjP  ",
    b"\xff\x4f\xff\x51",
    b"\xff\x0a",
    b"\x00\x00\x00\x0cJXL ",
    b"%!PS",
    b"\xc5\xd0\xd3\xc6",
    b"%PDF",
    b"\x00\x00\x01\x00",
    b"\x00\x00\x02\x00",
    b"DDS ",
    b"qoif",
    b"#?RADIANCE",
    b"v/1\x01",
    b"gimp xcf",
)
_BMP_HEADERS = frozenset({12, 16, 40, 52, 56, 64, 108, 124})
_HEIF_BRANDS = frozenset(
    {b"heic", b"heix", b"hevc", b"heim", b"heis", b"hevx", b"mif1", b"msf1", b"miaf", b"crx "}
)
_SVG = re.compile(rb"<svg[\s>:]", re.IGNORECASE)
_HTML = re.compile(rb"<(html|head|body|script|!doctype\s+html)[\s>]", re.IGNORECASE)
_PNM = re.compile(rb"P[1-7FfYy][\s#]")
_TGA_FOOTER = b"TRUEVISION-XFILE.\x00"
# An archive's last record: 22 bytes and a comment of up to 65,535.
_ZIP_TAIL = 22 + 65_535


def check(data: bytes, limits: Limits) -> Header:
    """The header of an acceptable file; raises Refused before a byte reaches a decoder.

    Pixels, frames and scans are bounded; frames and frames × canvas count as pixels over time
    (too_many_pixels). A picture that is a ZIP archive too is refused: it is not only a picture.
    """
    if not data:
        raise Refused("empty")
    if len(data) > limits.max_bytes:
        raise Refused("too_large")
    header = _read(data, limits)
    pixels = header.width * header.height
    if pixels > limits.max_pixels or pixels * header.frames > limits.max_frame_pixels:
        raise Refused("too_many_pixels")
    if header.frames > limits.max_frames:
        raise Refused("too_many_pixels")
    if header.scans > limits.max_scans:
        raise Refused("too_many_scans")
    if _is_zip(data):
        raise Refused("unsupported_format")
    return header


def _read(data: bytes, limits: Limits) -> Header:
    if data.startswith(b"\xff\xd8\xff"):
        return jpeg.read(data, limits.max_scans)
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return png.read(data, limits.max_frames)
    if data.startswith((b"GIF87a", b"GIF89a")):
        return gif.read(data, limits.max_frames)
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return webp.read(data, limits.max_frames)
    brands = avif.brands(data)
    if brands & {b"avif", b"avis"}:
        return avif.read(data, limits.max_frames)
    raise Refused(_foreign(data, brands))


def _foreign(data: bytes, brands: frozenset[bytes]) -> RefusalCode:
    """A picture of another kind, or no picture at all."""
    head = data[:_HEAD]
    known = head.startswith(_FOREIGN) or bool(brands & _HEIF_BRANDS) or _PNM.match(head) is not None
    if known or _is_bmp(head) or data.endswith(_TGA_FOOTER):
        return "unsupported_format"
    if _SVG.search(head) and not _HTML.search(head):
        return "unsupported_format"
    return "not_an_image"


def _is_bmp(head: bytes) -> bool:
    return head.startswith(b"BM") and int.from_bytes(head[14:18], "little") in _BMP_HEADERS


def _is_zip(data: bytes) -> bool:
    """Whether an archive's directory ends this file, as unpackers look for it."""
    at = data.rfind(b"PK\x05\x06", max(0, len(data) - _ZIP_TAIL))
    if at < 0 or at + 22 > len(data):
        return False
    directory_size, _, comment = struct.unpack_from("<IIH", data, at + 12)
    directory = data[max(0, at - directory_size) : at]
    return at + 22 + comment <= len(data) and directory.startswith(b"PK\x01\x02")

"""What is refused, with which code, and before a decoder sees a byte (I02, I04, I05)."""

import struct
import zlib

import pytest
from PIL import Image

from processors.imaging import decode
from processors.imaging.headers.header import Header
from processors.imaging.recipe import REFUSAL_CODES, Limits, Refused
from tests.unit.imaging.bombs import BOMBS, FOREIGN, JPEG, PNG
from tests.unit.imaging.pictures import (
    gif_of_frames,
    jpeg_of_scans,
    png_chunk,
    quarters,
    render,
    saved,
)


def refusal(data: bytes, limits: Limits | None = None) -> str:
    with pytest.raises(Refused) as caught:
        render(data, limits=limits)
    assert caught.value.code in REFUSAL_CODES
    return caught.value.code


@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_no_picture_of_ours(name: str) -> None:
    """I02: the content decides, whatever name and type came with it."""
    data, code = FOREIGN[name]
    assert refusal(data) == code


def test_other_things_in_a_picture_do_not_matter() -> None:
    """U10: a picture that a script can be read out of is a picture; what is served is re-encoded."""
    comment = b"/*<script>*/=1;PK\x05\x06 nothing of an archive"
    assert render(saved(quarters(), "JPEG", comment=comment)).files
    assert render(JPEG + bytes(1000) + b"trailer").files


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_never_reach_a_decoder(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """I04, I05: refused from their headers; Pillow is not even asked to open them."""

    def reached(*_: object) -> None:
        raise AssertionError("a decoder was given a bomb")

    monkeypatch.setattr(decode, "open_source", reached)
    data, code = BOMBS[name]
    assert refusal(data) == code


def test_gif_of_crumbs_is_one() -> None:
    """Were the crumbs not there, it would pass."""
    assert render(gif_of_frames(1)).files


@pytest.mark.parametrize("count", [1, 30, 50])
def test_as_many_scans_as_allowed(count: int) -> None:
    whole = jpeg_of_scans(count)
    limit = Limits(max_scans=whole.count(b"\xff\xda"))
    assert render(whole, limits=limit).files


def test_scans_in_thumbnails_and_trailers_do_not_count() -> None:
    """Only what this picture's decoder would go through does."""
    progressive = saved(quarters(), "JPEG", progressive=True)
    assert render(progressive + b"\xff\xda\x00\x02" * 50_000).files
    exif = b"Exif\x00\x00" + b"\xff\xda" * 200
    assert render(saved(quarters(), "JPEG", exif=exif)).files


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt"])
@pytest.mark.parametrize("where", ["before", "after"])
def test_text_bombs(kind: bytes, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """I05: a megabyte of text is enough for a picture, and one before the pixels leaves them undecoded."""
    packed = zlib.compress(bytes(30_000_000))
    body = b"key\x00\x00" + packed if kind == b"zTXt" else b"key\x00\x01\x00\x00\x00" + packed
    bomb = png_chunk(kind, body)
    if where == "before":
        monkeypatch.setattr(decode, "load", pytest.fail)
    at = PNG.index(b"IDAT") - 4 if where == "before" else PNG.index(b"IEND") - 4
    assert refusal(PNG[:at] + bomb + PNG[at:]) == "too_large"


def test_many_texts_that_are_large_together() -> None:
    """I05."""
    texts = png_chunk(b"zTXt", b"key\x00\x00" + zlib.compress(bytes(1_000_000))) * 80
    at = PNG.index(b"IDAT") - 4
    assert refusal(PNG[:at] + texts + PNG[at:]) == "too_large"


def test_profile_bomb(monkeypatch: pytest.MonkeyPatch) -> None:
    """I05: no pixel is decoded."""
    monkeypatch.setattr(decode, "load", pytest.fail)
    bomb = png_chunk(b"iCCP", b"key\x00\x00" + zlib.compress(bytes(30_000_000)))
    at = PNG.index(b"IDAT") - 4
    assert refusal(PNG[:at] + bomb + PNG[at:]) == "too_large"


def test_limits_are_settings() -> None:
    assert refusal(PNG, Limits(max_pixels=200 * 120 - 1)) == "too_many_pixels"
    assert refusal(PNG, Limits(max_bytes=len(PNG) - 1)) == "too_large"
    assert render(PNG, limits=Limits(max_pixels=200 * 120, max_bytes=len(PNG))).files


def test_a_decoder_that_finds_more_pixels_than_were_checked_is_stopped() -> None:
    header = Header(format="jpeg", width=100, height=60)
    with pytest.raises(Refused):
        decode.open_source(JPEG, header, Limits())


def test_scans_after_the_one_that_has_everything_are_not_decoded() -> None:
    """Which is why they need not be counted."""
    scan = JPEG.rindex(b"\xff\xda")
    assert refusal(JPEG[:scan] + JPEG[scan:-2] * 200 + JPEG[-2:]) == "corrupt"


def test_a_decoder_that_finds_more_than_the_header_said_is_not_believed() -> None:
    """A second frame header behind what we read must not get its size allocated."""
    data = bytearray(saved(Image.new("RGB", (64, 64)), "WEBP", lossless=True))
    data[21:25] = struct.pack("<I", 15 | 15 << 14)
    assert refusal(bytes(data)) == "corrupt"

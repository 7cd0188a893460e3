"""Writing variants: pixels to a file descriptor, and nothing in the file but the picture."""

from functools import lru_cache
from typing import BinaryIO, Final

import PIL
from PIL import Image, features

from processors.imaging.contract import Encoder
from processors.imaging.resize import Resizer

# Rises whenever the same input, presets and programs begin to give other bytes.
RECIPE: Final = 2


def write(image: Image.Image, name: str, quality: int, out: BinaryIO) -> None:
    """Append one picture, L, RGB or RGBA, as `name` (jpeg, webp, avif, png) to an unbuffered file.

    JPEG has no transparency: such a picture is laid on white. Raises OSError when the file cannot take it.
    """
    image = bare(image)
    match name:
        case "jpeg":
            _on_white(image).save(out, "JPEG", quality=quality, subsampling="4:2:0")
        case "webp":
            # Method 2 takes half the time of Pillow's default and 2.7 % more bytes.
            image.save(out, "WEBP", quality=quality, method=2)
        case "avif":
            # One thread: more are neither allowed in the sandbox nor always give the same bytes.
            image.save(out, "AVIF", quality=quality, speed=8, max_threads=1)
        case "png":
            image.save(out, "PNG")
        case _:
            raise ValueError(f"no encoder is called {name}")


def chosen(name: str, image: Image.Image) -> str:
    """The format that a preset's `auto` stands for."""
    if name != "auto":
        return name
    return "webp" if image.mode == "RGBA" else "jpeg"


@lru_cache(maxsize=4)
def encoder(resizer: Resizer) -> Encoder:
    """All versions that can change a variant's bytes, our own recipe's among them."""
    codecs = ("libjpeg_turbo", "webp", "avif", "zlib_ng", "littlecms2")
    versions = ", ".join(f"{codec} {features.version(codec) or 'none'}" for codec in codecs)
    by = f"{resizer.name}, recipe {RECIPE}"
    return Encoder(pillow=PIL.__version__, codecs=versions, resizer=by, simd=resizer.simd)


def bare(image: Image.Image) -> Image.Image:
    """The pixels alone: comments, profiles and text that came with a file would be written with it."""
    if type(image) is Image.Image and not image.info:
        return image
    copied = Image.Image.copy(image)
    copied.info = {}
    return copied


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode != "RGBA":
        return image
    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=image.getchannel("A"))
    return white

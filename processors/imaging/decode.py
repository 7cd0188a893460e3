"""Opening and decoding by Pillow, with whatever can go wrong there told apart as refusals."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import AvifImagePlugin, Image, ImageFile, WebPImagePlugin

from processors.imaging.contract import Limits, RefusalCode, Refused
from processors.imaging.geometry import Box, Size
from processors.imaging.headers.header import Header

# Importing the two plugins registers them: at a format it does not know yet Pillow would load all it has.
_PLUGINS = {
    "jpeg": "JPEG",
    "png": "PNG",
    "gif": "GIF",
    "webp": WebPImagePlugin.WebPImageFile.format,
    "avif": AvifImagePlugin.AvifImageFile.format,
}
# A JPEG with several pictures in it calls itself MPO; its first is what we take.
_SYNONYMS = {"MPO": "JPEG"}


@contextmanager
def refusing() -> Iterator[None]:
    """Turn what decoders raise over bad bytes into Refused; lack of memory stays MemoryError.

    Warnings are errors where they speak of decompression bombs and silent otherwise: to show one, Python
    would open a source file, which the sandbox answers with death.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except (MemoryError, Refused):
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise Refused("too_many_pixels") from error
    except Exception as error:  # decoders raise nearly every kind there is
        raise Refused(_code(error)) from error


def open_source(data: bytes, header: Header, limits: Limits) -> ImageFile.ImageFile:
    """The image of a checked file, not decoded yet; raises Refused when Pillow reads it otherwise."""
    # No threads: the sandbox kills who starts one.
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    Image.MAX_IMAGE_PIXELS = limits.max_pixels
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    plugin = _PLUGINS[header.format]
    with refusing():
        image = Image.open(io.BytesIO(data), formats=[plugin])
    if _SYNONYMS.get(image.format or "", image.format) != plugin:
        raise Refused("unsupported_format")
    if image.width * image.height > header.width * header.height:
        raise Refused("corrupt")
    # One call decodes it all; by Pillow's own measure a busy event loop gets between any two blocks.
    image.decodermaxblock = max(len(data), ImageFile.MAXBLOCK)
    return image


def shrink_while_decoding(image: ImageFile.ImageFile, divisor: int) -> Box:
    """Ask a JPEG decoder for an image `divisor` times smaller; gives the box of it that the picture fills."""
    width, height = image.size
    if divisor > 1:
        wanted: Size = width // divisor, height // divisor
        image.draft(None, wanted)
    return 0.0, 0.0, min(image.width, width / divisor), min(image.height, height / divisor)


def load(image: ImageFile.ImageFile) -> None:
    """Decode the first frame; raises Refused over bytes that do not hold a whole picture."""
    with refusing():
        image.load()
    # WebP's and AVIF's decoders hold on to two more pictures of the same size.
    vars(image).pop("_decoder", None)


def _code(error: Exception) -> RefusalCode:
    text = str(error).lower()
    if "truncated" in text:
        return "truncated"
    if "decompressed data too large" in text or "memory used in text" in text:
        return "too_large"
    return "corrupt"

"""The steps of the recipe: each takes the work in hand one stage further, and nothing else."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from PIL import Image, ImageFile

from processors.imaging import bounds, colour, decode, encode, geometry, metadata
from processors.imaging import thumbhash as thumbhashes
from processors.imaging.contract import CONTENT_TYPES, Limits, Preset, Variant
from processors.imaging.geometry import Box, Plan, Size
from processors.imaging.headers.header import Header
from processors.imaging.metadata import Exif
from processors.imaging.resize import Resizer

_TRANSPOSES = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(slots=True, kw_only=True)
class Work:
    """One job in hand: what came in, and what each step adds for the next."""

    data: bytes
    presets: Sequence[Preset]
    limits: Limits
    out: BinaryIO
    resizer: Resizer
    sha256: str
    header: Header = field(init=False)
    opened: ImageFile.ImageFile = field(init=False)
    stored: Size = (0, 0)
    exif: Exif = field(default_factory=Exif)
    profile: bytes | None = None
    plan: Plan = field(init=False)
    box: Box = (0.0, 0.0, 0.0, 0.0)
    # What the decoder gave, then the base; from the colours on premultiplied (RGBa) where transparent.
    image: Image.Image = field(init=False)
    levels: list[Image.Image] = field(default_factory=list)
    thumbhash: bytes = b""
    variants: list[Variant] = field(default_factory=list)

    @property
    def upright(self) -> Size:
        """Width and height of the source as it is to be looked at."""
        return geometry.turned(self.stored, self.exif.orientation)

    @property
    def transparent(self) -> bool:
        """Whether anything shows through; known once the colours are done."""
        return self.image.mode == "RGBa"


def check_bounds(work: Work) -> None:
    """Refuse what is no picture of ours or claims too much, from its header alone."""
    work.header = bounds.check(work.data, work.limits)


def open_source(work: Work) -> None:
    """Let Pillow read the header too: size, EXIF and profile, before any pixel."""
    work.opened = image = decode.open_source(work.data, work.header, work.limits)
    work.stored = image.size
    work.exif = metadata.read(work.header.exif or image.info.get("exif"))
    work.profile = image.info.get("icc_profile") or None


def plan_sizes(work: Work) -> None:
    """Settle every size from the source's true, upright one."""
    work.plan = geometry.plan(work.upright, work.presets)


def decode_pixels(work: Work) -> None:
    """Decode the first frame; a JPEG no larger than its first level needs."""
    image = work.opened
    divisor = 1
    if work.header.format == "jpeg":
        divisor = geometry.divisor(work.stored, geometry.turned(work.plan.base, work.exif.orientation))
    work.box = decode.shrink_while_decoding(image, divisor)
    decode.load(image)
    work.image = image


def reduce_modes(work: Work) -> None:
    """Palettes, bits, 16-bit greys and kinds of alpha become the four modes that a source is resized in."""
    work.image = colour.plain(work.image, bit_depth=work.header.bit_depth)
    del work.opened  # a photograph of memory


def resize_to_base(work: Work) -> None:
    """The one resize from the decoded picture: everything later costs a base, not a photograph."""
    size = geometry.turned(work.plan.base, work.exif.orientation)
    whole = work.box == (0, 0, *work.image.size)
    if work.image.size == size and whole:
        work.image = encode.bare(work.image)
    else:
        work.image = work.resizer.resample(work.image, size, work.box)


def turn_upright(work: Work) -> None:
    """Apply the EXIF orientation."""
    transpose = _TRANSPOSES.get(work.exif.orientation)
    if transpose is not None:
        work.image = work.image.transpose(transpose)


def convert_to_srgb(work: Work) -> None:
    """Obey the profile and drop it; alpha that hides nothing goes too."""
    image = work.image.convert("RGBA") if work.image.mode == "RGBa" else work.image
    if image.mode == "RGBA" and colour.opaque(image):
        image = image.convert("RGB")
    image = colour.to_srgb(image, work.profile)
    work.image = image.convert("RGBa") if image.mode == "RGBA" else image


def cascade(work: Work) -> None:
    """Each level from the one above it."""
    work.levels = [work.image]
    for size in work.plan.levels:
        if size != work.levels[-1].size:
            work.levels.append(work.resizer.resample(work.levels[-1], size, None))


def hash_smallest(work: Work) -> None:
    """The thumbhash, of the smallest level brought down to what its format looks at."""
    smallest = work.levels[-1]
    preset = Preset(name="thumbhash", width=thumbhashes.MAX_SIDE, height=thumbhashes.MAX_SIDE, fit="contain")
    size = geometry.fitted(smallest.size, preset)
    tiny = smallest if smallest.size == size else work.resizer.resample(smallest, size, None)
    work.thumbhash = thumbhashes.thumbhash(_straight(tiny))


def write_variants(work: Work) -> None:
    """Encode each target in each format of its preset; what would come out equal is written once."""
    written: dict[tuple[int, Box, Size, str, int], Variant] = {}
    for preset, size in work.plan.targets:
        at, box = _origin(work, preset, size)
        picture = _picture(work, at, box, size)
        for wanted in preset.formats:
            name = preset.name if wanted == "auto" else f"{preset.name}.{wanted}"
            kind = encode.chosen(wanted, picture)
            key = (at, box, size, kind, preset.quality)
            if key not in written:
                written[key] = _write(work, picture, kind, preset.quality)
            work.variants.append(replace(written[key], name=name))


def _origin(work: Work, preset: Preset, size: Size) -> tuple[int, Box]:
    """The level that a target is made from, and the box of it."""
    sizes = [level.size for level in work.levels]
    if preset.fit == "contain":
        return sizes.index(size), (0.0, 0.0, float(size[0]), float(size[1]))
    at = geometry.covering(sizes, size)
    return at, geometry.centre(sizes[at], size)


def _picture(work: Work, at: int, box: Box, size: Size) -> Image.Image:
    level = work.levels[at]
    if level.size != size or box != (0, 0, *size):
        level = work.resizer.resample(level, size, box)
    return _straight(level)


def _straight(image: Image.Image) -> Image.Image:
    """Colours as they are written: not premultiplied."""
    return image.convert("RGBA") if image.mode == "RGBa" else image


def _write(work: Work, picture: Image.Image, kind: str, quality: int) -> Variant:
    start = work.out.tell()
    encode.write(picture, kind, quality, work.out)
    size = work.out.tell() - start
    written = os.pread(work.out.fileno(), size, start)
    if not size or len(written) != size:
        raise OSError("the output took less than was written")
    return Variant(
        name="",
        format=kind,
        content_type=CONTENT_TYPES[kind],
        width=picture.width,
        height=picture.height,
        size=size,
        sha256=hashlib.sha256(written).hexdigest(),
        offset=start,
    )

"""What image work takes and gives: presets and limits in, source, variants and facts out, refusals between.

Exception
└── Refused          these bytes will never become variants; `code` says why
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

RefusalCode = Literal[
    "not_an_image",
    "unsupported_format",
    "too_many_pixels",
    "too_many_scans",
    "truncated",
    "corrupt",
    "empty",
    "too_large",
    "hash_mismatch",
    "object_missing",
]
REFUSAL_CODES: frozenset[str] = frozenset(get_args(RefusalCode))

VARIANT_FORMATS = ("auto", "jpeg", "webp", "avif", "png")
CONTENT_TYPES: Mapping[str, str] = {
    "jpeg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "gif": "image/gif",
    "avif": "image/avif",
}

# What Source.profile may say: a profile's own name is free text, and that does not go into the log.
PROFILES = frozenset(
    {"srgb", "display_p3", "adobe_rgb", "prophoto_rgb", "rec2020", "rgb", "grey", "cmyk", "unreadable"}
)
# The longest side that every format we write can hold (WebP's is the shortest).
MAX_SIDE = 16_383
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")


class Refused(Exception):
    """The bytes are not something we make variants of; trying again will not help."""

    def __init__(self, code: RefusalCode) -> None:
        super().__init__(code)
        self.code: RefusalCode = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """One wanted size: a box in pixels, how to fit it, and the file formats to write.

    `contain` keeps the whole picture inside the box, `cover` fills the box and cuts the rest; neither
    enlarges. The format `auto` is JPEG for opaque pictures and WebP for those with transparency, and its
    file is called `name`; every other format adds a file called `name.format`.
    Raises ValueError when a value is outside what the encoders can write.
    """

    name: str
    width: int
    height: int
    fit: Literal["contain", "cover"]
    formats: tuple[str, ...] = ("auto",)
    quality: int = 80

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError("a preset's name is 1 to 32 of a-z, 0-9, - and _, the first a letter or digit")
        if not (1 <= self.width <= MAX_SIDE and 1 <= self.height <= MAX_SIDE):
            raise ValueError(f"a preset's sides lie between 1 and {MAX_SIDE} pixels")
        if self.fit not in ("contain", "cover"):
            raise ValueError("a preset's fit is contain or cover")
        if not 1 <= self.quality <= 100:
            raise ValueError("a preset's quality lies between 1 and 100")
        known = set(self.formats) <= set(VARIANT_FORMATS)
        if not self.formats or not known or len(set(self.formats)) != len(self.formats):
            raise ValueError(f"a preset's formats are one or more of {', '.join(VARIANT_FORMATS)}, each once")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much of anything a source may claim before it is refused unread."""

    max_pixels: int = 50_000_000
    max_bytes: int = 64 * 1024 * 1024
    max_scans: int = 50
    max_frames: int = 1_000
    # Frames times canvas: we decode the first frame alone, but whoever opens the original decodes them all.
    max_frame_pixels: int = 2_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What the original turned out to be.

    Width and height are upright, in pixels; `orientation` is the EXIF value (1 to 8) that was applied.
    `has_alpha` tells whether any pixel really is transparent; `profile` is one of PROFILES.
    """

    format: str
    width: int
    height: int
    orientation: int
    frames: int
    animated: bool
    has_alpha: bool
    profile: str | None
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One file that was made: `size` bytes at `offset` of the output, with their hexadecimal SHA-256.

    Variants whose bytes are equal share them: two presets may name the same offset.
    """

    name: str
    format: str
    content_type: str
    width: int
    height: int
    size: int
    sha256: str
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What was read off the picture; personal, so it is sealed or kept beside the original.

    `taken_at` is the wall clock of the camera, without a zone: few cameras know theirs.
    `metadata` is JSON-safe, free of control characters and no longer than `plain_json.MAX_METADATA`.
    """

    thumbhash: bytes
    taken_at: datetime | None
    camera: str | None
    sha256: str
    metadata: dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a job took: processor and wall time in milliseconds, the process's largest memory in KiB."""

    cpu_ms: float
    wall_ms: float
    peak_rss_kib: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoder:
    """The versions that decide each byte of a variant; equal encoders give equal bytes."""

    pillow: str
    codecs: str
    resizer: str
    simd: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """All that one source gave."""

    source: Source
    variants: tuple[Variant, ...]
    facts: Facts
    encoder: Encoder


DEFAULT_PRESETS: tuple[Preset, ...] = (
    Preset(name="large", width=1920, height=1920, fit="contain"),
    Preset(name="medium", width=1024, height=1024, fit="contain"),
    Preset(name="small", width=480, height=480, fit="contain"),
    Preset(name="thumbnail", width=150, height=150, fit="cover"),
)

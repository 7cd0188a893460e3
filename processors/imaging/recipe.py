"""The recipe: from the bytes of one photograph to all of its variants, as a tuple of named steps."""

import hashlib
import io
from collections.abc import Callable, Sequence
from typing import BinaryIO, cast

from processors.imaging import colour, encode, resize, steps
from processors.imaging.contract import (
    DEFAULT_PRESETS,
    REFUSAL_CODES,
    Cost,
    Encoder,
    Facts,
    Limits,
    Preset,
    RefusalCode,
    Refused,
    Result,
    Source,
    Variant,
)
from processors.imaging.resize import Resizer
from processors.imaging.steps import Work

__all__ = [
    "DEFAULT_PRESETS",
    "REFUSAL_CODES",
    "STEPS",
    "Cost",
    "Encoder",
    "Facts",
    "Limits",
    "Preset",
    "RefusalCode",
    "Refused",
    "Result",
    "Source",
    "Variant",
    "make_variants",
]

STEPS: tuple[Callable[[Work], None], ...] = (
    steps.check_bounds,
    steps.open_source,
    steps.plan_sizes,
    steps.decode_pixels,
    steps.reduce_modes,
    steps.resize_to_base,
    steps.turn_upright,
    steps.convert_to_srgb,
    steps.cascade,
    steps.hash_smallest,
    steps.write_variants,
)


def make_variants(
    data: bytes | memoryview,
    presets: Sequence[Preset],
    limits: Limits,
    out: int | BinaryIO,
    *,
    resizer: Resizer | None = None,
    sha256: str | None = None,
) -> Result:
    """Write all variants of one source to `out`, a descriptor or an unbuffered file, from its start.

    Each variant lies at its `offset` there. Whoever knows the hexadecimal `sha256` of the bytes passes it.
    Raises Refused when the bytes are not an acceptable picture,
    ValueError for an empty preset set or two presets of one name, MemoryError when there is not enough.
    """
    if not presets or len({preset.name for preset in presets}) != len(presets):
        raise ValueError("a preset set has at least one preset, and each its own name")
    work = Work(
        data=bytes(data),
        presets=presets,
        limits=limits,
        out=_unbuffered(out),
        resizer=resizer or resize.best(),
        sha256=sha256 or hashlib.sha256(data).hexdigest(),
    )
    for step in STEPS:
        step(work)
    return Result(
        source=_source(work),
        variants=tuple(work.variants),
        facts=_facts(work),
        encoder=encode.encoder(work.resizer),
    )


def _source(work: Work) -> Source:
    width, height = work.upright
    return Source(
        format=work.header.format,
        width=width,
        height=height,
        orientation=work.exif.orientation,
        frames=work.header.frames,
        animated=work.header.frames > 1,
        has_alpha=work.transparent,
        profile=colour.named(work.profile),
        size=len(work.data),
    )


def _facts(work: Work) -> Facts:
    return Facts(
        thumbhash=work.thumbhash,
        taken_at=work.exif.taken_at,
        camera=work.exif.camera,
        sha256=work.sha256,
        metadata=work.exif.metadata,
    )


def _unbuffered(out: int | BinaryIO) -> BinaryIO:
    """A file over the descriptor that Pillow can write to without Python in between."""
    descriptor = out if isinstance(out, int) else out.fileno()
    file = io.FileIO(descriptor, "r+b", closefd=False)
    file.seek(0)
    return cast("BinaryIO", file)

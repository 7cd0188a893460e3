"""Between the words of image work, which knows nothing of ours, and those of the events."""

from dataclasses import fields
from functools import cache
from typing import Literal, cast

from processors.imaging import contract
from schemas.events import Encoder, Preset, Source


@cache
def wanted(presets: tuple[Preset, ...]) -> tuple[contract.Preset, ...]:
    """A preset set as the recipe takes it; raises ValueError where it could not be written."""
    return tuple(
        contract.Preset(
            name=preset.name,
            width=preset.width,
            height=preset.height,
            fit=cast("Literal['contain', 'cover']", preset.fit),
            formats=preset.formats,
            quality=preset.quality,
        )
        for preset in presets
    )


@cache
def said_encoder(encoder: contract.Encoder) -> Encoder:
    """The encoder as an event names it."""
    return Encoder(pillow=encoder.pillow, codecs=encoder.codecs, resizer=encoder.resizer, simd=encoder.simd)


def said_source(source: contract.Source, object_key: str) -> Source:
    """The source as an event describes it."""
    values = {field.name: getattr(source, field.name) for field in fields(source)}
    return Source(object_key=object_key, **values)

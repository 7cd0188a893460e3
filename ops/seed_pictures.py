"""Drawn pictures with names: parts of one drawn scene, each in another light."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Final

from PIL import Image, ImageEnhance, ImageOps

from ops.sample_photograph import draw

_TIMES: Final = ("morning", "noon", "evening", "night")
_PLACES: Final = ("the lake", "the far shore", "the pass", "the valley", "the old pier", "the ridge")
_THINGS: Final = ("clouds", "light", "first snow", "rain", "a still hour", "wind")
_SIDES: Final = ((1600, 1200), (1200, 1600), (1600, 1600), (2000, 1125), (800, 600))
# By how much each time of the day is brighter and more colourful than the scene.
_LIGHT: Final = {"morning": (1.1, 0.8), "noon": (1.3, 1.1), "evening": (0.9, 1.2), "night": (0.45, 0.6)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a picture is called."""

    file_name: str
    title: str
    tags: tuple[str, ...]


class Pictures:
    """The same pictures for the same seed; `scene` gives what they are parts of."""

    def __init__(self, seed: int, scene: Callable[[], Image.Image] | None = None) -> None:
        self._scene = scene or _scene
        self._random = Random(seed)  # noqa: S311 - nobody is to be surprised

    def some(self, count: int) -> Iterator[tuple[bytes, Words]]:
        """So many JPEGs, each with its words."""
        for number in range(1, count + 1):
            time, place, thing = (self._random.choice(words) for words in (_TIMES, _PLACES, _THINGS))
            words = Words(
                file_name=f"lake-{number:04}.jpg",
                title=f"{thing.capitalize()} at {place}, {time}",
                tags=(time, place.removeprefix("the "), thing),
            )
            yield self._drawn(time), words

    def _drawn(self, time: str) -> bytes:
        scene, size = self._scene(), self._random.choice(_SIDES)
        share = self._random.uniform(0.35, 0.9)
        width, height = int(scene.width * share), int(scene.height * share)
        left = self._random.randint(0, scene.width - width)
        top = self._random.randint(0, scene.height - height)
        part = scene.crop((left, top, left + width, top + height))
        picture = ImageOps.fit(part, size, Image.Resampling.BILINEAR)
        if self._random.random() < 0.5:
            picture = ImageOps.mirror(picture)
        bright, colourful = _LIGHT[time]
        picture = ImageEnhance.Color(ImageEnhance.Brightness(picture).enhance(bright)).enhance(colourful)
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=85)
        return file.getvalue()


@cache
def _scene() -> Image.Image:
    with Image.open(io.BytesIO(draw())) as stored:
        upright = ImageOps.exif_transpose(stored)
        upright.thumbnail((2400, 1800))
        return upright.convert("RGB")

"""A process that makes variants on request: `python -m tests.bench.recipe_worker recipe|floor`, a job a line.

`recipe` is what the worker does to an image, in process, thumbhash and facts included. `floor` decodes at the
same scale and encodes finished pictures: what no recipe over the same codecs could go below.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from io import BytesIO, FileIO
from pathlib import Path
from typing import BinaryIO, TypeAlias, cast

import PIL
from PIL import Image, features

from processors.imaging import encode, memory, resize, steps
from processors.imaging.recipe import DEFAULT_PRESETS, Limits, Variant, make_variants

Way: TypeAlias = Callable[[bytes, int], Sequence[Variant]]


def recipe(data: bytes, out: int) -> Sequence[Variant]:
    """All variants of one picture, written to the descriptor."""
    return make_variants(data, DEFAULT_PRESETS, Limits(), out).variants


def floor(data: bytes, out: int) -> Sequence[Variant]:
    """The same decoding and the same encoding, and nothing between."""
    pictures = _finished(data)
    file = cast("BinaryIO", FileIO(out, "r+b", closefd=False))
    file.seek(0)
    resizer = resize.best()
    work = steps.Work(
        data=data, presets=DEFAULT_PRESETS, limits=Limits(), out=file, resizer=resizer, sha256=""
    )
    for step in (steps.check_bounds, steps.open_source, steps.plan_sizes, steps.decode_pixels):
        step(work)
    for picture, kind in pictures:
        encode.write(picture, kind, 80, file)
    return ()


@lru_cache(maxsize=64)
def _finished(data: bytes) -> tuple[tuple[Image.Image, str], ...]:
    """What the recipe encodes, kept by source so that only the warm-up makes it."""
    out = os.memfd_create("finished")
    try:
        variants = recipe(data, out)
        return tuple((_pixels(_bytes(variant, out)), variant.format) for variant in variants)
    finally:
        os.close(out)


def _pixels(data: bytes) -> Image.Image:
    with Image.open(BytesIO(data)) as opened:
        opened.load()
        return opened.copy()


def _bytes(variant: Variant, out: int) -> bytes:
    return os.pread(out, variant.size, variant.offset)


def _cpu_ms() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return (used.ru_utime + used.ru_stime) * 1000


def job(way: Way, picture: Path, save: Path | None, out: int) -> dict[str, object]:
    """Do one job and tell its processor and wall time in ms and what came out; `save` keeps the files."""
    data = picture.read_bytes()
    cpu, wall = _cpu_ms(), time.perf_counter()
    variants = way(data, out)
    cpu, wall = _cpu_ms() - cpu, (time.perf_counter() - wall) * 1000
    if save is not None:
        for variant in variants:
            (save / f"{variant.name}.{variant.format}").write_bytes(_bytes(variant, out))
    made = [{"name": variant.name, "size": variant.size} for variant in variants]
    return {"cpu_ms": cpu, "wall_ms": wall, "variants": made}


def main() -> None:
    """Say hello with versions, then answer each line of stdin with one line."""
    way = {"recipe": recipe, "floor": floor}[sys.argv[1]]
    memory.keep_freed_memory()
    out = os.memfd_create("variants")
    jpeg = features.version("libjpeg_turbo")
    print(json.dumps({"ready": f"Pillow {PIL.__version__}, libjpeg-turbo {jpeg}"}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        save = Path(asked["save"]) if asked["save"] else None
        print(json.dumps(job(way, Path(asked["picture"]), save, out)), flush=True)


if __name__ == "__main__":
    main()

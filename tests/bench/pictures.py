"""The pictures to measure with: a folder of yours, or a scene drawn by the project itself in three sizes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import typer
from PIL import Image, ImageOps

from ops.sample_photograph import draw

_ENDINGS = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".avif"})
_SMALLER = {"drawn-2mp.jpg": (1632, 1224), "drawn-0.3mp.jpg": (640, 480)}


@contextmanager
def pictures(folder: Path | None) -> Iterator[tuple[Path, ...]]:
    """All pictures of the folder in the order of their names; without a folder, drawn ones for the while.

    A folder without pictures ends the program with a sentence.
    """
    if folder is not None:
        found = tuple(sorted(path for path in folder.iterdir() if path.suffix.lower() in _ENDINGS))
        if not found:
            raise typer.BadParameter(f"{folder} holds no {', '.join(sorted(_ENDINGS))}")
        yield found
        return
    with TemporaryDirectory() as drawn:
        yield _drawn(Path(drawn))


def _drawn(folder: Path) -> tuple[Path, ...]:
    whole = draw()
    (folder / "drawn-12mp.jpg").write_bytes(whole)
    for name, size in _SMALLER.items():
        with Image.open(BytesIO(whole)) as opened:
            opened.resize(size, Image.Resampling.LANCZOS).save(folder / name, "JPEG", quality=90)
    return tuple(sorted(folder.iterdir()))


@contextmanager
def shrunk(found: Sequence[Path], size: tuple[int, int]) -> Iterator[tuple[Path, ...]]:
    """The same pictures as JPEGs that fit into `size`, for the while."""
    with TemporaryDirectory() as folder:
        for number, path in enumerate(found):
            with Image.open(path) as opened:
                image = ImageOps.exif_transpose(opened).convert("RGB")
            image.thumbnail(size, Image.Resampling.LANCZOS)
            image.save(Path(folder) / f"{number:03}.jpg", "JPEG", quality=90)
        yield tuple(sorted(Path(folder).iterdir()))

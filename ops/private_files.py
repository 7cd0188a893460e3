"""Files and folders that only their owner may read."""

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

# In each folder that passes, locked while its maker lives.
_MARK: Final = ".held"


def write_private(path: Path, text: str) -> None:
    """Replace a file at once, readable by its owner alone from its first byte."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    fresh.replace(path)


@contextmanager
def passing_folder(prefix: str) -> Iterator[Path]:
    """A folder of this process alone, gone when it ends; what killed processes left of theirs goes first.

    A folder of that name that was not made here stays.
    """
    _sweep(prefix)
    path, held = _made(prefix)
    try:
        yield path
    finally:
        with suppress(OSError):
            _remove(path)
        os.close(held)


def _made(prefix: str) -> tuple[Path, int]:
    """A new folder with a locked mark in it: the lock ends with this process, however that ends."""
    while True:
        path = Path(tempfile.mkdtemp(prefix=prefix))
        mark = path / _MARK
        try:
            held = os.open(mark, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileNotFoundError:  # an older release sweeps folders without a mark too
            continue
        fcntl.flock(held, fcntl.LOCK_EX)
        if mark.exists():  # else somebody swept it before it was locked
            return path, held
        os.close(held)


def _sweep(prefix: str) -> None:
    """A folder whose maker died before it had marked it stays; it is empty."""
    for path in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        with suppress(OSError):  # not one of these, at work, or gone meanwhile
            there = path.lstat()
            if there.st_uid != os.getuid() or not stat.S_ISDIR(there.st_mode):
                continue
            held = os.open(path / _MARK, os.O_WRONLY | os.O_NOFOLLOW)
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove(path)
            finally:
                os.close(held)


def _remove(path: Path) -> None:
    """The mark goes last, so that who is killed over this leaves the rest to the next run."""
    for each in path.iterdir():
        if each.is_dir() and not each.is_symlink():
            shutil.rmtree(each)
        elif each.name != _MARK:
            each.unlink(missing_ok=True)
    shutil.rmtree(path)

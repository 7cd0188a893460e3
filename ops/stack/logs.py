"""The programs' log files: bounded in size, and read from their end."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

LIMIT = 64 * 1024 * 1024
"""Bytes a log may have; beyond that it is set aside once, so that a program costs twice this at most."""
POLL = 0.25
LONGEST_LINE = 4096


def bound(log: Path, limit: int = LIMIT) -> None:
    """Set the log aside as `.1` when it has grown too long. Safe under a program that appends to it."""
    if log.exists() and log.stat().st_size > limit:
        shutil.copyfile(log, log.with_name(f"{log.name}.1"))
        with log.open("r+b") as file:
            file.truncate(0)


def last_lines(log: Path, count: int) -> list[str]:
    """The last lines, fewer when there are fewer; none when there is no log."""
    if count <= 0 or not log.exists():
        return []
    with log.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - count * LONGEST_LINE))
        return file.read().decode(errors="replace").splitlines()[-count:]


def follow(log: Path) -> Iterator[str]:
    """Lines as they are written from now on; never returns. Starts over when the log is truncated."""
    position = log.stat().st_size if log.exists() else 0
    rest = b""
    while True:
        size = log.stat().st_size if log.exists() else 0
        if size < position:
            position, rest = 0, b""
        if size == position:
            time.sleep(POLL)
            continue
        with log.open("rb") as file:
            file.seek(position)
            fresh = file.read()
        position += len(fresh)
        *lines, rest = (rest + fresh).split(b"\n")
        yield from (line.decode(errors="replace") for line in lines)

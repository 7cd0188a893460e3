"""Looks, before anything starts, whether this machine can run the stack at all."""

import platform
import shutil
import sys
from pathlib import Path

from ops.stack.failures import NoRoom, Unsuited

PYTHONS = ((3, 11), (3, 14))
MEGABYTE = 1024 * 1024
ROOM_TO_START = 300 * MEGABYTE
"""Kafka alone sets 20 MB aside for each log's indexes; below this, servers fail in ways hard to read."""


def check_machine(
    *,
    system: str = sys.platform,
    machine: str = platform.machine(),
    libc: str = platform.libc_ver()[0],
    python: tuple[int, int] = sys.version_info[:2],
) -> None:
    """Raise Unsuited unless this is Linux with glibc on x86-64 and a Python that we have tried."""
    if system != "linux" or machine != "x86_64" or libc != "glibc":
        raise Unsuited(
            f"The embedded servers run on x86-64 Linux with glibc; this is {system} on {machine} "
            f"({libc or 'another libc'}). Use `docker compose up`, or `--external` with servers of your own."
        )
    if not PYTHONS[0] <= python <= PYTHONS[1]:
        raise Unsuited(f"Darkroom runs on Python 3.11 to 3.14; this is {python[0]}.{python[1]}.")


def check_room(folder: Path, needed: int, purpose: str) -> None:
    """Raise NoRoom when the disk of an existing folder has less than `needed` bytes free."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise NoRoom(
            f"The disk of {folder} has {free // MEGABYTE} MB free, and {purpose} takes "
            f"{needed // MEGABYTE} MB. Make room, or put the stack elsewhere with DARKROOM_HOME=FOLDER."
        )

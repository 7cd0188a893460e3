"""A memory cgroup as small as a small machine, where this machine lets us make one (v1 and v2)."""

import contextlib
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

_V1 = Path("/sys/fs/cgroup/memory")
_V2 = Path("/sys/fs/cgroup")


class NoCgroup(Exception):
    """This machine does not let us make a memory cgroup."""


@contextlib.contextmanager
def small_machine(limit: int) -> Iterator[Path]:
    """A cgroup of `limit` bytes, swap included; processes join it by their pid in its `cgroup.procs`."""
    v1 = (_V1 / "memory.limit_in_bytes").exists()
    folder = (_V1 if v1 else _V2) / f"darkroom-test-{secrets.token_hex(4)}"
    try:
        folder.mkdir()
    except OSError as error:
        raise NoCgroup(str(error)) from error
    try:
        _bound(folder, limit, v1=v1)
        yield folder
    finally:
        _emptied(folder)
        folder.rmdir()


def _bound(folder: Path, limit: int, *, v1: bool) -> None:
    try:
        (folder / ("memory.limit_in_bytes" if v1 else "memory.max")).write_text(str(limit))
    except OSError as error:
        raise NoCgroup(str(error)) from error
    swap = folder / ("memory.memsw.limit_in_bytes" if v1 else "memory.swap.max")
    with contextlib.suppress(OSError):  # where swap is not counted there is none, or it does not matter
        swap.write_text(str(limit) if v1 else "0")


def _emptied(folder: Path, seconds: float = 10.0) -> None:
    """Waits for those that are just dying."""
    deadline = time.monotonic() + seconds
    while (folder / "cgroup.procs").read_text() and time.monotonic() < deadline:
        time.sleep(0.02)


def kills(folder: Path) -> int:
    """How many processes of the cgroup the kernel has killed for want of memory."""
    v1 = folder / "memory.oom_control"
    file = v1 if v1.exists() else folder / "memory.events"
    return next(
        int(line.split()[1]) for line in file.read_text().splitlines() if line.startswith("oom_kill ")
    )


def join(folder: Path) -> None:
    """Moves this process, and with it all that it will start, into the cgroup."""
    (folder / "cgroup.procs").write_text(str(os.getpid()))

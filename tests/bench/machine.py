"""What a figure depends on: the machine, the versions, and one core to run on."""

import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil


def facts(packages: tuple[str, ...] = ()) -> Mapping[str, object]:
    """The processor, its cores, how busy it was, and the versions of Python and the named packages."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load": [round(part, 2) for part in os.getloadavg()],
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in packages},
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


@contextmanager
def one_core() -> Iterator[int]:
    """Keeps this thread, and all processes it starts meanwhile, on one core: the last we may use."""
    allowed = os.sched_getaffinity(0)
    core = max(allowed)
    os.sched_setaffinity(0, {core})
    try:
        yield core
    finally:
        os.sched_setaffinity(0, allowed)


class PeakMemory:
    """The largest resident memory of another process since `reset`, as the kernel keeps it (Linux)."""

    def __init__(self, pid: int) -> None:
        self._folder = Path(f"/proc/{pid}")

    def reset(self) -> None:
        """Begin anew: from now on the peak is at least what the process holds at this moment."""
        (self._folder / "clear_refs").write_text("5")

    def mib(self) -> float:
        """The peak in MiB."""
        for line in (self._folder / "status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
        raise RuntimeError("this kernel keeps no peak of resident memory")

"""A job that does what a decoder does once somebody else has taken it over: whatever its bytes say."""

import _thread
import ctypes
import json
import mmap
import os
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from processors.imaging.contract import Cost, Facts, Refused, Source, Variant
from processors.sandbox.wire import Made, Reply, Request

FILE = b"made"


class Hostile:
    """Obeys the first word of its data; any word that it does not know is honest work."""

    def __init__(self) -> None:
        self._jobs = 0

    def warm(self) -> dict[str, str]:
        """Nothing to load."""
        return {"pillow": "p", "codecs": "c", "resizer": "r", "simd": "s"}

    def run(self, request: Request, data: bytes, out: int) -> Reply:
        """Do the deed; if it leaves us alive, tell about it in `camera`."""
        word, _, rest = data.decode().partition(" ")
        self._jobs += 1
        started = time.process_time()
        told = DEEDS.get(word, _nothing)(rest, self._jobs)
        os.pwrite(out, FILE, 0)
        cost = Cost(cpu_ms=(time.process_time() - started) * 1000, wall_ms=1.0, peak_rss_kib=1000)
        made = replace(honest(request), cost=cost)
        camera = json.dumps({"pid": os.getpid(), "jobs": self._jobs, "told": told})
        return replace(made, facts=replace(made.facts, camera=camera))


class WithoutSeccomp(Hostile):
    """The same where libseccomp is not installed."""

    def __init__(self) -> None:
        super().__init__()
        sys.modules["pyseccomp"] = None  # type: ignore[assignment]  # this is how an import is made to fail


def honest(request: Request) -> Made:
    """A reply that fits the request and four bytes of output."""
    names = [preset.name for preset in request.presets]
    variant = Variant(
        name="",
        format="jpeg",
        content_type="image/jpeg",
        width=1,
        height=1,
        size=len(FILE),
        sha256="0" * 64,
        offset=0,
    )
    return Made(
        source=Source(
            format="jpeg",
            width=1,
            height=1,
            orientation=1,
            frames=1,
            animated=False,
            has_alpha=False,
            profile=None,
            size=request.size,
        ),
        variants=tuple(replace(variant, name=name) for name in names),
        facts=Facts(thumbhash=b"t", taken_at=None, camera=None, sha256="0" * 64, metadata={}),
        cost=Cost(cpu_ms=1.0, wall_ms=1.0, peak_rss_kib=1000),
    )


def _nothing(_: str, __: int) -> str:
    return "nothing"


def _open(path: str, _: int) -> str:
    return str(os.open(path, os.O_RDONLY))


def _socket(_: str, __: int) -> str:
    return str(socket.socket())


def _fork(_: str, __: int) -> str:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    return str(pid)


def _thread_started(_: str, __: int) -> str:
    return str(_thread.start_new_thread(len, ((),)))


def _exec(_: str, __: int) -> str:
    os.execv("/bin/true", ["true"])  # noqa: S606 - that it can't is the point


def _kill(_: str, __: int) -> str:
    os.kill(os.getppid(), signal.SIGKILL)
    return "killed"


def _code(_: str, __: int) -> str:
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    return "writable code"


def _unlimit(_: str, __: int) -> str:
    resource.setrlimit(resource.RLIMIT_CPU, (1 << 20, resource.RLIM_INFINITY))
    return "unlimited"


def _spin(_: str, __: int) -> str:
    while True:
        pass


def _work(seconds: str, _: int) -> str:
    """Use that much processor time, honestly."""
    start = time.process_time()
    while time.process_time() - start < float(seconds):
        pass
    return "worked"


def _hang(_: str, __: int) -> str:
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()
    return "woken"


def _eat(gigabytes: str, _: int) -> str:
    return str(len(bytearray(int(gigabytes) << 30)))


def _gorge(_: str, __: int) -> str:
    """Take all the memory there is, and use it."""
    held = []
    while True:
        held.append(bytearray(b"x") * (16 << 20))


def _segfault(_: str, __: int) -> str:
    return str(ctypes.string_at(0))


def _exit(code: str, _: int) -> str:
    os._exit(int(code))


def _raise(text: str, _: int) -> str:
    raise KeyError(text)


def _refuse(code: str, _: int) -> str:
    raise Refused(code)  # type: ignore[arg-type]  # any code a test likes


def _refuse_if_used(code: str, jobs: int) -> str:
    return _refuse(code, jobs) if jobs > 1 else "fresh"


def _die_if_used(_: str, jobs: int) -> str:
    return _segfault("", jobs) if jobs > 1 else "fresh"


def _say(text: str, _: int) -> str:
    """Answer by ourselves, past the code that would."""
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, text.encode())
        except OSError:
            continue
    return _hang("", 0)


def _environment(_: str, __: int) -> str:
    return " ".join(sorted(os.environ))


def _descriptors(_: str, __: int) -> str:
    kinds = []
    for descriptor in range(256):
        try:
            kinds.append(oct(os.fstat(descriptor).st_mode >> 12))
        except OSError:
            continue
    return " ".join(kinds)


def _file_of(gigabytes: str, _: int) -> str:
    """Fill every descriptor that takes it with nothing."""
    block = bytes(1 << 20)
    for descriptor in range(4, 64):
        try:
            for at in range(int(gigabytes) << 10):
                os.pwrite(descriptor, block, at << 20)
        except OSError as error:
            if error.errno == 27:
                return "too large"
    return "all written"


DEEDS: dict[str, Callable[[str, int], str]] = {
    "open": _open,
    "socket": _socket,
    "fork": _fork,
    "thread": _thread_started,
    "exec": _exec,
    "kill": _kill,
    "code": _code,
    "unlimit": _unlimit,
    "spin": _spin,
    "work": _work,
    "hang": _hang,
    "eat": _eat,
    "gorge": _gorge,
    "segfault": _segfault,
    "exit": _exit,
    "raise": _raise,
    "refuse": _refuse,
    "refuse-if-used": _refuse_if_used,
    "die-if-used": _die_if_used,
    "say": _say,
    "environment": _environment,
    "descriptors": _descriptors,
    "fill": _file_of,
}

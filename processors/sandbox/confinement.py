"""What a child may still do: a seccomp allow-list of system calls, and limits on memory, files and size."""

import contextlib
import ctypes
import errno
import os
import resource
import signal
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol

# Seen in use while every format is decoded and encoded; `recvmsg` brings each job its output file.
_NEEDED = "recvmsg recvfrom sendto pread64 lseek write brk munmap getrusage getcwd exit_group close"
# Not seen, but harmless, and other versions of Python, glibc and the codecs may want them.
_HARMLESS = (
    "read pwrite64 fstat newfstatat mremap madvise futex getrandom clock_gettime gettimeofday rt_sigreturn "
    "sched_yield getpid gettid exit restart_syscall"
)
_PROT_EXEC = 4
_PR_SET_PDEATHSIG = 1


class Filter(Protocol):
    """A system call filter that can be put over this process; there is no way to take it off."""

    def load(self) -> None:
        """Put it over this process; raises OSError when the kernel will not have it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceiling:
    """What the kernel holds a child to, in bytes: memory beyond the fork server's own, and a job's output."""

    memory: int = 1 << 30
    output: int = 256 << 20


def build_filter() -> Filter:
    """The allow-list; whoever calls anything else is killed.

    Raises ImportError or RuntimeError where libseccomp is missing, OSError where it is of no use.
    """
    seccomp = import_module("pyseccomp")
    allowed = seccomp.SyscallFilter(seccomp.KILL_PROCESS)
    allowed.set_attr(seccomp.Attr.ACT_BADARCH, seccomp.KILL_PROCESS)
    for name in (*_NEEDED.split(), *_HARMLESS.split()):
        allowed.add_rule(seccomp.ALLOW, name)
    # Memory, but none that can be executed.
    no_execution = seccomp.Arg(2, seccomp.MASKED_EQ, _PROT_EXEC, 0)
    allowed.add_rule(seccomp.ALLOW, "mmap", no_execution)
    allowed.add_rule(seccomp.ALLOW, "mprotect", no_execution)
    # Python asks files whether they are terminals.
    allowed.add_rule(seccomp.ERRNO(errno.ENOTTY), "ioctl")
    built: Filter = allowed
    return built


def works(allowed: Filter) -> bool:
    """Whether the kernel takes the filter, tried in a process made for it."""
    pid = os.fork()
    if pid == 0:
        try:
            allowed.load()
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(pid, 0)
    return status == 0


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when `parent` is gone, and end at once if it is gone already."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
    if os.getppid() != parent:
        os._exit(1)


def die_first() -> None:
    """Where memory runs out, have the kernel kill this process rather than the worker (Linux's 0 to 1000)."""
    with contextlib.suppress(OSError):  # not there, or not ours to say: then the largest goes, mostly a child
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def keep_only(descriptors: Iterable[int]) -> None:
    """Close every descriptor of this process above the lowest of these that is not one of them."""
    kept = sorted(descriptors)
    ends = [*kept[1:], resource.getrlimit(resource.RLIMIT_NOFILE)[0]]
    for descriptor, end in zip(kept, ends, strict=True):
        # Python 3.11 takes the empty range from 0 to 0 for all there are.
        if descriptor + 1 < end:
            os.closerange(descriptor + 1, end)


def mapped() -> int:
    """Bytes of address space that this process has now: libraries and all."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    return pages * resource.getpagesize()


def limit(ceiling: Ceiling, *, mapped_before: int, descriptors: int) -> None:
    """Set the limits of this process for good; the soft CPU limit is raised from outside for each job."""
    for what, amount in (
        (resource.RLIMIT_AS, mapped_before + ceiling.memory),
        (resource.RLIMIT_FSIZE, ceiling.output),
        (resource.RLIMIT_NOFILE, descriptors),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (amount, amount))

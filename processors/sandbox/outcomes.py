"""How a job in the sandbox can end other than with variants.

Exception
├── Refused              (processors.imaging) the bytes are no acceptable picture
├── Exhausted            time or memory ran out or the child died, in a fresh child too
├── Interrupted          the job was cut; it has to come again
├── Broken               our own code failed in the child: a bug, not the picture's doing
└── SandboxUnavailable   there is no sandbox to work in
"""

import signal
from dataclasses import dataclass
from typing import Literal

ExhaustedCode = Literal["timeout", "out_of_memory", "crashed"]


class Exhausted(Exception):
    """The job ran out of time or memory, or killed its child; `code` says which, of the last attempt.

    The message has the signal or the exit code too, where there was one.
    """

    def __init__(self, code: ExhaustedCode, ending: str = "") -> None:
        super().__init__(f"{code} ({ending})" if ending else code)
        self.code: ExhaustedCode = code


class Interrupted(Exception):
    """The job was cut by `Sandbox.cut` or `Sandbox.close`; nothing is known about the picture."""


class Broken(Exception):
    """Code of ours raised in the child; the message names the exception and the line, never data."""


class SandboxUnavailable(Exception):
    """No fork server can be started here as it was asked for; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How children are confined: `rlimits` alone where seccomp does not exist, and then why."""

    mode: Literal["seccomp", "rlimits"]
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """How a child ended: by a signal, or by itself with an exit code (then `signal` is 0)."""

    signal: int
    exit_code: int


def exhausted_by(death: Death, *, timed_out: bool) -> Exhausted:
    """What a death means for the job; `timed_out` when we killed the child for being late.

    A SIGKILL that is not ours is the kernel's, which kills for memory.
    """
    ending = signal.Signals(death.signal).name if death.signal else f"exit code {death.exit_code}"
    if timed_out or death.signal == signal.SIGXCPU:
        return Exhausted("timeout", ending)
    return Exhausted("out_of_memory" if death.signal == signal.SIGKILL else "crashed", ending)

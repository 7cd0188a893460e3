"""Starts one program on a leash: its own session, its own log, and the kernel's word to end it with us."""

import asyncio
import ctypes
import os
import pwd
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import Final, TypedDict

from ops.stack.programs import Program

MARK: Final = "STACK_RUN"
"""In the environment of all that we start, and of all that these start: finds what a crash left behind."""
PR_SET_PDEATHSIG: Final = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


class Identity(TypedDict, total=False):
    """What `subprocess` takes to start a program as somebody else."""

    user: str
    group: int
    extra_groups: list[int]


async def launch(program: Program, mark: str) -> asyncio.subprocess.Process:
    """Start it, output appended to its log. Raises OSError when there is nothing to execute."""
    with program.log.open("ab") as log:
        return await asyncio.create_subprocess_exec(
            *program.argv,
            cwd=program.cwd,
            env={**program.env, MARK: mark},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_leash(os.getpid(), program.orphan_signal),
            **identity(program.user),
        )


def identity(user: str | None) -> Identity:
    """Arguments that start a program as another user, with that user's groups and none of ours."""
    if user is None:
        return {}
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


def _leash(parent: int, orphan_signal: signal.Signals) -> Callable[[], None]:
    """Between fork and exec: be signalled when the thread that started us ends, however it ends."""

    def tie() -> None:
        _LIBC.prctl(PR_SET_PDEATHSIG, int(orphan_signal), 0, 0, 0)
        if os.getppid() != parent:  # it ended before we were tied to it
            os._exit(1)

    return tie


def end_group(leader: int, number: signal.Signals = signal.SIGKILL) -> None:
    """Signal a program and all that stayed in its group; nobody there is fine."""
    with suppress(ProcessLookupError):
        os.killpg(leader, number)

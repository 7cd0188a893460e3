"""What the supervisor runs: a server, a one-off step, or one of our own processes, described as data."""

import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

Probe = Callable[[], Awaitable[bool]]
"""Asks once whether a program serves; answers within about two seconds and never raises for 'not yet'."""


class Kind(StrEnum):
    """How the supervisor treats a program."""

    SERVER = "server"
    STEP = "step"
    PROCESS = "process"


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One program: how it is started, how one knows that it serves, and how it is ended."""

    name: str
    kind: Kind
    argv: tuple[str, ...]
    cwd: Path
    log: Path
    env: Mapping[str, str]
    port: int | None = None
    needs: tuple[str, ...] = ()
    """Names of programs that must be ready, and steps that must be done, before this one starts."""
    probe: Probe | None = None
    """None: ready as soon as it runs (a step: as soon as it has ended well)."""
    alive: Probe | None = None
    """Asked of one that has served, ready or not: where it fails for long, it is ended and started again.

    One that lives but does not serve yet waits for others, and is let be.
    """
    prepare: Callable[[], None] | None = None
    """Runs in a thread before the first start: configuration, formatting. May raise StackFailure."""
    on_ready: Callable[[], None] | None = None
    """Runs in a thread when it first serves: a bucket, a database. Repeatable."""
    stop_signal: signal.Signals = signal.SIGTERM
    orphan_signal: signal.Signals = signal.SIGKILL
    """What the kernel sends it when the supervisor dies."""
    user: str | None = None
    """Run as this user (only when we are root)."""
    late: bool = False
    """Nobody waits for it: it starts when all others serve and the sample was shown."""
    ready_within: float = 90.0
    """Seconds until the start of one that is not alive counts as failed."""

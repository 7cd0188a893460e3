"""What the person at the terminal sees: lines for what happens, bars for what comes in."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from ops.stack.jars import Advance

QUIET_PARTS = 5
"""Where there is no terminal, a download is shown as this many lines."""


class Terminal:
    """Lines and bars on one console; plain lines where it is no terminal."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False, soft_wrap=True)

    def say(self, name: str, text: str) -> None:
        """What happened to one program."""
        clock = time.strftime("%H:%M:%S")
        self.console.print(f"[dim]{clock}[/] [bold]{name:<12}[/] {escape(text)}")

    def line(self, text: str) -> None:
        """A line of our own."""
        self.console.print(text)

    def error(self, text: str) -> None:
        """A sentence for what went wrong, on standard error."""
        Console(file=sys.stderr, highlight=False, soft_wrap=True).print(text, style="bold red", markup=False)

    @contextmanager
    def meter(self, name: str, size: int) -> Iterator[Advance]:
        """A progress display for one download of `size` bytes."""
        if not self.console.is_terminal:
            yield self._plain_meter(name, size)
            return
        columns = (
            TextColumn("{task.description:<20}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self.console) as progress:
            task = progress.add_task(name, total=size)
            yield lambda amount: progress.advance(task, amount)

    def _plain_meter(self, name: str, size: int) -> Advance:
        seen, shown = 0, 0
        self.say("download", f"{name}: {size / 1e6:.1f} MB")

        def advance(amount: int) -> None:
            nonlocal seen, shown
            seen += amount
            if seen * QUIET_PARTS // size > shown:
                shown = seen * QUIET_PARTS // size
                self.say("download", f"{name}: {seen / 1e6:.1f} of {size / 1e6:.1f} MB")

        return advance

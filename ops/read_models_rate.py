"""Progress in records: how many of how many, at what rate, how long still."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text


class Rate(ProgressColumn):
    """Records a second."""

    def render(self, task: Task) -> Text:
        """Empty until something is known."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f}/s")


class Shows(Protocol):
    """Shows how far it is."""

    def __call__(self, completed: int, total: int | None = None) -> None:
        """`total` where it is another than before."""
        ...


@contextmanager
def shown(what: str, total: int, *, quiet: bool) -> Iterator[Shows]:
    """A line that says how far it is while the block runs."""
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn())
    with Progress(*columns, disable=quiet) as progress:
        task = progress.add_task(what, total=total)

        def show(completed: int, total: int | None = None) -> None:
            progress.update(task, completed=completed, total=total)

        yield show

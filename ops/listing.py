"""Tables on the terminal: as wide as it is, and whole where no terminal is."""

from collections.abc import Iterable, Sequence
from typing import Final

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

# More than any table of ours takes.
_WIDEST: Final = 10_000


def show_table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Prints the rows under their names; what does not fit is folded in the last column, and never cut off.

    Into a file or a pipe each row is one line.
    """
    table = Table(box=None, pad_edge=False)
    for name in names[:-1]:
        table.add_column(name, no_wrap=True)
    table.add_column(names[-1], overflow="fold")
    for row in rows:
        table.add_row(*row)
    console = Console()
    if not console.is_terminal:
        whole = Measurement.get(console, console.options.update(max_width=_WIDEST), table).maximum
        console = Console(width=max(console.width, whole))
    console.print(table, markup=False, highlight=False)

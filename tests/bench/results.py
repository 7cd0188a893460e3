"""What every benchmark hands over: a table for eyes and a JSON file for programs."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

Folder = Annotated[
    Path | None,
    typer.Argument(exists=True, file_okay=False, help="Pictures to work on; drawn ones where left out."),
]
Rounds = Annotated[int, typer.Option("--rounds", min=1, help="Rounds that count, after one that does not.")]
JsonFile = Annotated[Path | None, typer.Option("--json", dir_okay=False, help="Write the figures here too.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """A finished benchmark: rows of cells under headings, lines to read below, all figures for the file."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    lines: Sequence[str] = ()
    data: Mapping[str, object] = field(default_factory=dict)


def show(results: Results, file: Path | None) -> None:
    """Print the table, and write the file where one was asked for."""
    # Where nobody's terminal says how wide it is, as wide as a table needs.
    console = Console(width=None if sys.stdout.isatty() else 120)
    table = Table(title=results.title, title_justify="left")
    for at, heading in enumerate(results.headings):
        table.add_column(heading, justify="left" if at == 0 else "right", no_wrap=at == 0)
    for row in results.rows:
        table.add_row(*row)
    console.print(table)
    for line in results.lines:
        console.print(line, highlight=False)
    if file is not None:
        file.write_text(json.dumps(results.data, indent=1) + "\n")


def progress() -> Progress:
    """A bar on stderr, so that stdout holds the results alone."""
    return Progress(console=Console(stderr=True), transient=True)

"""Writes what is said of the metrics, or tells that it no longer fits them."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from adapters.telemetry import reference

_FILE = Path(__file__).parents[1] / "docs" / "metrics.md"


def metrics(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit 1 where the file differs.")
    ] = False,
) -> None:
    """Write docs/metrics.md from the catalogue."""
    console, text = Console(stderr=True, highlight=False), reference.markdown()
    if _FILE.is_file() and _FILE.read_text() == text:
        console.print("docs/metrics.md is up to date.")
        return
    if check:
        console.print("docs/metrics.md differs: run `python -m ops docs metrics`.", style="red")
        raise typer.Exit(1)
    _FILE.write_text(text)
    console.print("docs/metrics.md written.")

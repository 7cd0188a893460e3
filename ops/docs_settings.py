"""Writes what is said of the settings, or tells that it no longer fits them."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from adapters.settings import reference

_ROOT = Path(__file__).parents[1]


def settings(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit 1 where a file differs.")
    ] = False,
) -> None:
    """Write docs/settings.md and .env.example from the settings."""
    console = Console(stderr=True, highlight=False)
    wanted = {"docs/settings.md": reference.markdown(), ".env.example": reference.example()}
    stale = [name for name, text in wanted.items() if _read(_ROOT / name) != text]
    if check and stale:
        console.print(f"{', '.join(stale)} differ: run `python -m ops docs settings`.", style="red")
        raise typer.Exit(1)
    for name in stale:
        (_ROOT / name).write_text(wanted[name])
    console.print(
        f"{', '.join(stale)} written." if stale else "docs/settings.md, .env.example are up to date."
    )


def _read(path: Path) -> str | None:
    return path.read_text() if path.is_file() else None

"""Writes the description of the API beside its code, or tells that it no longer fits."""

import json
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from api.app import described_app

FILE: Final = Path(__file__).parents[1] / "api" / "openapi.json"


def described() -> str:
    """The description as it has to stand in the file."""
    return json.dumps(described_app().openapi(), indent=2, ensure_ascii=False) + "\n"


def openapi(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit 1 where the file differs.")
    ] = False,
) -> None:
    """Write api/openapi.json from the code."""
    console, text = Console(stderr=True, highlight=False), described()
    if FILE.is_file() and FILE.read_text() == text:
        console.print("api/openapi.json is up to date.")
        return
    if check:
        console.print(
            "api/openapi.json differs from the code; run `python -m ops docs openapi`.", style="red"
        )
        raise typer.Exit(1)
    FILE.write_text(text)
    console.print("api/openapi.json written.")

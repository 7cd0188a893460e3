"""Dead letters as operators read them."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import typer

from api.letter_shapes import letter_shape
from api.letters import Standing
from ops.ages import age
from ops.dead_letters.choosing import Chosen
from ops.listing import show_table


def plain(standing: Standing) -> dict[str, Any]:
    """A letter, for programs."""
    return letter_shape(standing).model_dump(mode="json")


def show_letters(letters: Sequence[Standing]) -> None:
    """A line for each."""
    names = ("letter", "component", "code", "state", "wait", "age", "position")
    show_table(names, [_row(standing) for standing in letters])


def say_left_out(chosen: Chosen, most: int) -> None:
    """Says on stderr what a list does not show."""
    if chosen.more:
        typer.echo(f"There are more than these {most}; --max takes more.", err=True)
    if chosen.over:
        typer.echo(f"Left out: {chosen.over} on which nothing hangs any more (list --all).", err=True)


def letter_lines(standing: Standing) -> Iterator[str]:
    """All that one letter says, the headers of its record last."""
    for name, value in plain(standing).items():
        yield f"{name}: {'–' if value is None else value}"
    for name, text in standing.letter.headers.items():
        yield f"header {name}: {text}"


def _row(standing: Standing) -> tuple[str, ...]:
    said = letter_shape(standing)
    waiting = "" if said.waiting is None else str(said.waiting)
    last = "" if said.last_failed_at is None else age(said.last_failed_at, datetime.now(UTC))
    position = f"{said.topic}/{said.partition}/{said.offset}"
    return said.id, said.component, said.code, said.state, waiting, last, position

"""Dead letters as operators read them."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import typer

from api.letter_shapes import letter_shape
from api.letters import Standing
from ops.ages import age
from ops.dead_letters.acting import Came
from ops.dead_letters.choosing import Chosen
from ops.listing import show_table

UNDONE: Final = frozenset[Came]({"still_held", "asked", "spent", "impossible"})
"""What leaves a letter as it was, or unknown."""

_WORDS: Final[Mapping[Came, str]] = {
    "redriven": "redriven",
    "discarded": "discarded",
    "over": "over already",
    "still_held": "read again in vain",
    "asked": "asked for, and nobody said yet what came of it",
    "spent": "redriven as often as DEAD_LETTER_REDRIVES allows",
    "impossible": "not to be redriven: the asset lies in the trash, or asks for nothing",
}


def outcome_lines(came: Mapping[str, Came]) -> Iterator[str]:
    """How many letters came to what; those that are not done with by name."""
    if not came:
        yield "No letter is meant."
    for outcome, count in Counter(came.values()).items():
        yield f"{count} {_WORDS[outcome]}"
    for letter_id, outcome in came.items():
        if outcome in UNDONE:
            yield f"{letter_id}: {_WORDS[outcome]}"


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

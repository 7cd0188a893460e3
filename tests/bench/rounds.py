"""Interleaved rounds: each contender does each piece of work once a round, so that noise hits all alike."""

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence


def turns(names: Sequence[str], round_number: int) -> tuple[str, ...]:
    """The order of the contenders in a round: rotated, so that nobody always comes first."""
    shift = round_number % len(names)
    return (*names[shift:], *names[:shift])


def paired(theirs: Sequence[float], ours: Sequence[float]) -> float:
    """The median over rounds of theirs / ours, each pair taken from one round."""
    return statistics.median(a / b for a, b in zip(theirs, ours, strict=True))


def totals(samples: Mapping[str, Sequence[float]]) -> list[float]:
    """The sum over all pieces of work, a round each; every piece has one sample a round."""
    return [math.fsum(row) for row in zip(*samples.values(), strict=True)]


def percentile(values: Sequence[float], part: float) -> float:
    """The smallest value that `part` (0 to 1) of all values do not exceed; ValueError without values."""
    if not values:
        raise ValueError("no values")
    return sorted(values)[max(0, math.ceil(part * len(values)) - 1)]


def schedule(names: Sequence[str], pieces: Sequence[str], rounds: int) -> Iterator[tuple[int, str, str]]:
    """Round, piece and contender in the order to run them; round -1 warms up and is not counted."""
    for number in range(-1, rounds):
        for at, piece in enumerate(pieces):
            for name in turns(names, max(number, 0) + at):
                yield number, piece, name

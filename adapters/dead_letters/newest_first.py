"""Takes letters out of several partitions newest first, reading each backwards in windows."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from adapters.dead_letters.letters import Letter, LetterPage, Wanted

Windows = Mapping[int, tuple[int, int]]
"""For each partition from which offset up to which, the latter not included."""

_Sifted: TypeAlias = tuple[Letter, bool]

ReadWindows = Callable[[Windows], Mapping[int, list[Letter]]]
"""Gives the letters of the windows, in their order."""


def newest_first(
    read: ReadWindows,
    bounds: Windows,
    wanted: Wanted,
    *,
    limit: int,
    window: int = 64,
    most: int = 2_000,
) -> LetterPage:
    """One page out of what lies within `bounds`; at most `most` letters are looked at for it.

    Of each partition the offsets descend; between them the log's time decides.
    """
    left = {partition: end for partition, (start, end) in bounds.items() if end > start}
    held: dict[int, list[_Sifted]] = {}
    found: list[Letter] = []
    seen = 0
    while left and len(found) < limit and seen < most:
        dry = {number: end for number, end in left.items() if not held.get(number)}
        if dry:
            windows = {number: (max(bounds[number][0], end - window), end) for number, end in dry.items()}
            held |= _sifted(read(windows), wanted)
            _drop_empty(left, held, dry, bounds, window)
            continue
        newest = max(left, key=lambda number: (held[number][-1][0].written_at, -number))
        letter, is_wanted = held[newest].pop()
        seen += 1
        left[newest] = letter.offset
        if is_wanted:
            found.append(letter.without_value())
        if letter.offset <= bounds[newest][0]:
            del left[newest]
    return LetterPage(letters=found, rest=left)


def _sifted(read: Mapping[int, list[Letter]], wanted: Wanted) -> dict[int, list[_Sifted]]:
    """Asks once for all that was read: whoever answers may have to look each of them up."""
    letters = [letter for found in read.values() for letter in found]
    verdicts = iter(wanted(letters)) if letters else iter(())
    return {number: [(letter, next(verdicts)) for letter in found] for number, found in read.items()}


def _drop_empty(
    left: dict[int, int],
    held: Mapping[int, list[_Sifted]],
    dry: Mapping[int, int],
    bounds: Windows,
    window: int,
) -> None:
    """A window in which nothing lies any more is passed; one at the beginning ends its partition."""
    for number, end in dry.items():
        if not held.get(number):
            left[number] = max(bounds[number][0], end - window)
            if left[number] <= bounds[number][0]:
                del left[number]

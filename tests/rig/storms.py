"""Storms: what is done to a fleet at random, so long and so often."""

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tests.rig.fleet import Fleet

# A failpoint that nothing comes by is given up, and its bearer killed like the others.
_PATIENCE_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Storm:
    """Goes on until it has struck so often, and has lasted so many seconds."""

    chance: random.Random
    strikes: int
    seconds: float = 0.0

    def turns(self) -> Iterator[int]:
        """Counts the strikes."""
        end, turn = time.monotonic() + self.seconds, 0
        while turn < self.strikes or time.monotonic() < end:
            yield turn
            turn += 1

    def pause(self, longest: float) -> None:
        """Waits for a random time."""
        time.sleep(self.chance.uniform(0.0, longest))


def killing(
    fleet: Fleet,
    numbers: Sequence[int],
    storm: Storm,
    *,
    longest: float = 0.8,
    instants: Sequence[str] = (),
) -> None:
    """SIGKILLs one after the other and starts it again, some of them to kill themselves at an instant.

    One dies within `longest` seconds of being ready, so that kills fall into work and not into starts;
    `instants` are failpoints, one is chosen for every other life.
    """
    doomed: set[int] = set()
    for _ in storm.turns():
        number = storm.chance.choice(numbers)
        fleet.wait_ready_or_dead(number)
        if number in doomed:
            fleet.wait_dead(number, _PATIENCE_SECONDS)
        else:
            storm.pause(longest)
        fleet.kill(number)
        doomed.discard(number)
        spec = ""
        if instants and storm.chance.random() < 0.5:
            spec = f"{storm.chance.choice(instants)}=kill@{storm.chance.randint(1, 8)}"
            doomed.add(number)
        fleet.start(number, ready=False, FAILPOINTS=spec)
    for number in doomed:
        fleet.kill(number)
        fleet.start(number, ready=False, FAILPOINTS="")
    fleet.wait_ready(*numbers)


def coming_and_going(fleet: Fleet, numbers: Sequence[int], storm: Storm, *, longest: float = 0.8) -> None:
    """Each that is away joins; each that is there leaves for a while, or for good, or is killed."""
    there: set[int] = set()
    ways: tuple[Callable[[int], object], ...] = (fleet.stop, fleet.leave, fleet.kill)
    for _ in storm.turns():
        number = storm.chance.choice(numbers)
        if number in there:
            fleet.wait_ready(number)
            storm.pause(longest)
            storm.chance.choice(ways)(number)
            there.discard(number)
        else:
            fleet.start(number, ready=False)
            there.add(number)
            storm.pause(longest)
    fleet.wait_ready(*there)


def rolling(fleet: Fleet, numbers: Sequence[int], storm: Storm, *, longest: float = 0.8) -> list[int]:
    """Stops and starts each in its turn, waiting until it is ready; gives their exit codes."""
    codes: list[int] = []
    for turn in storm.turns():
        number = numbers[turn % len(numbers)]
        storm.pause(longest)
        codes.append(fleet.stop(number))
        fleet.start(number)
    return codes


def striking(
    faults: Mapping[str, Callable[[], object]],
    storm: Storm,
    told: Callable[[str], object],
    *,
    longest: float = 1.0,
) -> None:
    """Does these in random order, each before any comes again; `told` hears their names.

    Between two it waits for `longest` seconds at most.
    """
    order: list[str] = []
    for _ in storm.turns():
        if not order:
            order = storm.chance.sample(sorted(faults), len(faults))
        name = order.pop()
        told(name)
        faults[name]()
        storm.pause(longest)

"""What the work in hand waits for, as troubles of the worker: each begins once, and ends when it is past."""

from collections import Counter
from collections.abc import Collection
from typing import TypeVar

from adapters.telemetry import Loop

T = TypeVar("T")


class Waits:
    """Counts the calls that met an outage and are made again. Belongs to one event loop.

    A trouble is over when a call that could have met it is answered while no other waits for the same: a
    record that passes says nothing of one that can't go on, and an attempt that was given up proves nothing.
    """

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self._waiting = Counter[str]()
        self._known = set[str]()

    def call(self, codes: Collection[str]) -> "Wait":
        """One call, which may meet outages of these codes."""
        return Wait(self, codes)

    def met(self, code: str) -> None:
        """A call met this outage, and will be made again."""
        self._waiting[code] += 1
        self._known.add(code)
        self.loop.trouble(code, code, error=code)

    def ended(self, code: str) -> None:
        """A call that had met it is made no more, however it ended."""
        self._waiting[code] -= 1

    def answered(self, codes: Collection[str]) -> None:
        """A call was answered that would have met one of these."""
        for code in self._known.intersection(codes):
            if not self._waiting[code]:
                self._known.discard(code)
                self.loop.well(code)

    def past(self) -> None:
        """Nothing is in hand and nothing is left to do: what was given up is past, too."""
        self.answered(list(self._known))


class Wait:
    """One call and the outage that it waits for, if it does."""

    def __init__(self, waits: Waits, codes: Collection[str]) -> None:
        """Made by `Waits.call`."""
        self._waits = waits
        self._codes = codes
        self._met: str | None = None

    def meets(self, code: str) -> None:
        """The call met this outage, and will be made again."""
        if code != self._met:
            self.end()
            self._met = code
            self._waits.met(code)

    def answered(self, answer: T) -> T:
        """The call was answered, by this."""
        self.end()
        self._waits.answered(self._codes)
        return answer

    def end(self) -> None:
        """The call is made no more."""
        if self._met is not None:
            self._waits.ended(self._met)
            self._met = None

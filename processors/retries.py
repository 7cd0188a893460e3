"""Retrying in place: calls that meet an outage are made again, with jitter, within one budget of time."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from adapters.telemetry import Loop
from processors.failures import Outage
from processors.outages import Waits

_FIRST_DELAY = 0.1
_LONGEST_DELAY = 5.0

T = TypeVar("T")


@dataclass(kw_only=True)
class Retries:
    """The budget of one attempt for all its calls together, in seconds.

    `retried` hears the code of each retry, and which it is of its call, counted from 1; `waits` of outages.
    """

    budget: float
    retried: Callable[[str, int], None]
    waits: Waits = field(default_factory=lambda: Waits(Loop()))
    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    jitter: Callable[[], float] = random.random
    _spent: float = field(default=0.0, init=False)

    async def run(
        self,
        call: Callable[[], Awaitable[T]],
        *,
        on: Mapping[type[Exception], str],
        resting: Callable[[], Awaitable[bool]] | None = None,
    ) -> T:
        """The result of `call`, made again on each error of the kinds in `on`, which gives their codes.

        Calls may run side by side: what they spend at the same time is spent once. The budget rests while
        `resting` says so, and for the call that was under way when it ended: an outage of a whole system is
        no fault of this call and fails nothing, however long it lasts. Raises Outage when the budget is
        spent; other errors pass through at once.
        """
        spent = self._spent
        tries = 0
        wait = self.waits.call(on.values())
        rested = False
        try:
            while True:
                began = self.now()
                try:
                    return wait.answered(await call())
                except tuple(on) as error:
                    code = next(on[kind] for kind in on if isinstance(error, kind))
                    rests = resting is not None and await resting()
                    counts = not (rests or rested)
                    rested = rests
                    spent += self.now() - began if counts else 0.0
                    if spent >= self.budget:
                        raise Outage(code) from error
                wait.meets(code)
                delay = self._delay(tries)
                spent += delay if counts else 0.0
                tries += 1
                self.retried(code, tries)
                await self.sleep(delay)
        finally:
            wait.end()
            self._spent = max(self._spent, spent)

    def _delay(self, tries: int) -> float:
        """Between half and all of a delay that doubles up to a bound."""
        longest = min(_LONGEST_DELAY, _FIRST_DELAY * float(2 ** min(tries, 10)))
        return longest * (0.5 + self.jitter() / 2)

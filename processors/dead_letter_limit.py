"""Too many dead letters: rather than set a whole log aside, a worker stops until it is told to go on."""

import asyncio
from collections import deque
from typing import Final

import structlog

# So many one after the other; or so many of the last hundred that asked for anything.
LONGEST_RUN: Final = 25
MOST_OF_A_HUNDRED: Final = 50

log = structlog.get_logger(__name__)


class DeadLetterLimit:
    """Open until dead letters come too thick. Belongs to one event loop."""

    def __init__(self) -> None:
        self._run = 0
        self._recent: deque[bool] = deque(maxlen=100)
        self._open = asyncio.Event()
        self._open.set()

    def well(self) -> None:
        """A record that asked for work was dealt with otherwise."""
        self._run = 0
        self._recent.append(False)

    def dead_letter(self) -> None:
        """A record went to the dead letters."""
        self._run += 1
        self._recent.append(True)
        if self._open.is_set() and (self._run >= LONGEST_RUN or sum(self._recent) > MOST_OF_A_HUNDRED):
            self._open.clear()
            log.critical("too_many_dead_letters", run=self._run, of_the_last_hundred=sum(self._recent))

    def go_on(self) -> None:
        """An operator has looked: begin to count anew. Nothing changes where nothing was stopped."""
        if self._open.is_set():
            return
        self._run = 0
        self._recent.clear()
        self._open.set()
        log.warning("dead_letters_go_on")

    async def wait_open(self) -> None:
        """Returns at once while dead letters are few, else when told to go on."""
        await self._open.wait()

    def trouble(self) -> str | None:
        """Why the worker is not ready, if it is for this."""
        if self._open.is_set():
            return None
        return "too many dead letters; `python -m ops dead-letters resume` lets it go on"

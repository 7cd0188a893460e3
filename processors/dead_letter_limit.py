"""Too many dead letters: rather than set a whole log aside, a worker stops until it is told to go on."""

import asyncio
from typing import Final

import structlog

from adapters.dead_letters.thickness import Thickness
from adapters.telemetry import Loop
from schemas.events import Event, WorkersResumed

_TOO_MANY: Final = "too many dead letters"

log = structlog.get_logger(__name__)


class DeadLetterLimit:
    """Open until dead letters come too thick. Belongs to one event loop."""

    def __init__(self, component: str, loop: Loop | None = None) -> None:
        """`component` is by what name an operator tells it to go on; `loop` shows that it takes nothing."""
        self._component = component
        self._loop = loop or Loop()
        self._thickness = Thickness()
        self._open = asyncio.Event()
        self._open.set()

    def well(self) -> None:
        """A record that asked for work was dealt with otherwise."""
        self._thickness.well()

    def dead_letter(self) -> None:
        """A record went to the dead letters."""
        self._thickness.dead_letter()
        if self._open.is_set() and self._thickness.too_thick():
            self._open.clear()
            self._loop.trouble(_TOO_MANY, str(self.trouble()), error=_TOO_MANY)
            run, recent = self._thickness.run, self._thickness.of_a_hundred
            log.critical("too_many_dead_letters", run=run, of_the_last_hundred=recent)

    def go_on(self) -> None:
        """An operator has looked: begin to count anew. Nothing changes where nothing was stopped."""
        if self._open.is_set():
            return
        self._thickness.anew()
        self._open.set()
        self._loop.well(_TOO_MANY)
        log.warning("dead_letters_go_on")

    def hear(self, loop: asyncio.AbstractEventLoop, event: Event) -> None:
        """Goes on in `loop` where the event tells these workers to; called from any thread."""
        if isinstance(event, WorkersResumed) and event.component == self._component:
            loop.call_soon_threadsafe(self.go_on)

    async def wait_open(self) -> None:
        """Returns at once while dead letters are few, else when told to go on."""
        await self._open.wait()

    def trouble(self) -> str | None:
        """Why the worker is not ready, if it is for this."""
        if self._open.is_set():
            return None
        return f"too many dead letters; `python -m ops dead-letters resume {self._component}` lets it go on"

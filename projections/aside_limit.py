"""Too much set aside: rather than set a whole log aside, a loop rests until it is told to go on."""

import threading
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any, Final

import structlog

from adapters.dead_letters.thickness import Thickness
from projections.folding import Folded, Place
from projections.set_aside import COMPONENT
from schemas.events import Event, WorkersResumed

HELD: Final = "too much was set aside; `python -m ops dead-letters resume projector` lets it go on"

_log = structlog.get_logger(__name__)


class Held(Exception):
    """The loop rests: nothing is folded until it is told to go on."""


class AsideLimit:
    """Open until what a fold can't take comes too thick. Safe to use from any thread.

    Only what gets its dead letter now is counted: what was set aside before is found again by every replay,
    what waits behind it follows, and what is no record of ours holds nobody up.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thickness = Thickness()
        self._held_since: datetime | None = None

    def count(self, folded: Folded[Any, Any, Any], told: Collection[Place]) -> None:
        """A transaction was committed; of what it set aside, these records got their dead letters by it."""
        new = [
            (aside.record.partition, aside.record.offset)
            for aside in folded.set_aside
            if aside.blocks and (aside.record.partition, aside.record.offset) in told
        ]
        with self._lock:
            if not new:
                self._thickness.well(len(folded.applied))
                return
            places = [(applied.record.partition, applied.record.offset) for applied in folded.applied]
            asides = set(new)
            for place in sorted([*places, *new]):
                if place in asides:
                    self._thickness.dead_letter()
                else:
                    self._thickness.well()
                if self._held_since is None and self._thickness.too_thick():
                    self._held_since = datetime.now(UTC)
                    _log.critical("too_much_set_aside", run=self._thickness.run)

    @property
    def held_since(self) -> datetime | None:
        """Since when the loop rests, if it does."""
        with self._lock:
            return self._held_since

    def held(self) -> bool:
        """Whether the loop rests."""
        return self.held_since is not None

    def check(self) -> None:
        """Raises Held while it does."""
        if self.held():
            raise Held

    def hear(self, event: Event) -> None:
        """Goes on where the event tells projectors to."""
        if isinstance(event, WorkersResumed) and event.component == COMPONENT:
            self.go_on()

    def go_on(self) -> None:
        """An operator has looked: begin to count anew. Nothing changes where nothing was stopped."""
        with self._lock:
            if self._held_since is not None:
                self._thickness.anew()
                self._held_since = None
                _log.warning("projector_goes_on")

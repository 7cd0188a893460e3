"""Watches over what can go silent without an error, and says when the process had better start anew.

Faust has been seen alive, assigned and lagging, and doing nothing; out of its group without noticing;
and thrown out by a twin of the same name as fast as it could join. None of these raises anything.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

import structlog

# Far above what joining and leaving workers cause, far below what two twins do to each other.
MOST_ASSIGNMENTS_A_MINUTE: Final = 12
OUTSIDE_SECONDS: Final = 40.0
LOOK_EVERY_SECONDS: Final = 5.0

log = structlog.get_logger(__name__)


class Watch:
    """What is seen, and what it means. Safe from any thread.

    `idle_limit` is how long records may wait while nothing is in hand; `now` a monotonic clock; in seconds.
    """

    def __init__(self, *, idle_limit: float, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._idle_limit = idle_limit
        self._assignments: deque[float] = deque(maxlen=MOST_ASSIGNMENTS_A_MINUTE + 1)
        self._idle_since: float | None = None
        self._outside_since: float | None = None
        self._reachable = True
        self._member: bool | None = None
        self._dealt = False

    def assigned(self) -> None:
        """Partitions were dealt out to us once more."""
        # Whoever is dealt partitions is known to the group, whatever it said while we were joining.
        self._dealt = self._member = True
        self._assignments.append(self._now())

    def progressed(self) -> None:
        """A record was taken or done with."""
        self._idle_since = None

    def told(self, member: bool | None) -> None:
        """Whether the group knows us; None where nobody could be asked."""
        self._member = member
        reachable = member is not None
        if reachable is not self._reachable:
            self._reachable = reachable
            log.warning("brokers_back" if reachable else "brokers_away")

    def seen(self, *, lag: int, in_hand: int) -> str | None:
        """Why the process should leave, if it should.

        `lag` counts records of ours that are not done with, `in_hand` those being worked on.
        """
        return self._twins() or self._idle(lag=lag, in_hand=in_hand) or self._outside()

    def trouble(self) -> str | None:
        """Why the process is not ready, as far as the group goes, if it is not."""
        if not self._reachable:
            return "the brokers can't be reached"
        if self._member is False:
            return "the consumer group does not know this worker"
        return None if self._dealt else "no partitions were dealt out yet"

    def _twins(self) -> str | None:
        full = len(self._assignments) > MOST_ASSIGNMENTS_A_MINUTE
        if full and self._now() - self._assignments[0] < 60.0:
            return "assigned too often: is another worker running under the same WORKER_SLOT?"
        return None

    def _idle(self, *, lag: int, in_hand: int) -> str | None:
        if lag == 0 or in_hand:
            self._idle_since = None
            return None
        if self._idle_since is None:
            self._idle_since = self._now()
        if self._now() - self._idle_since < self._idle_limit:
            return None
        return f"assigned and {lag} records behind, yet idle"

    def _outside(self) -> str | None:
        if self._member is not False:
            self._outside_since = None
            return None
        if self._outside_since is None:
            self._outside_since = self._now()
        if self._now() - self._outside_since < OUTSIDE_SECONDS:
            return None
        return "the consumer group no longer knows this worker"


class Watchdog:
    """Looks every few seconds, from a thread that a blocked event loop can't stop."""

    def __init__(self, look: Callable[[], str | None], *, leave: Callable[[str], object]) -> None:
        self._look = look
        self._leave = leave
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def start(self) -> None:
        """Begins to look."""
        self._thread.start()

    def close(self) -> None:
        """Looks no more."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.wait(LOOK_EVERY_SECONDS):
            if (reason := self._look()) is not None:
                self._leave(reason)
                return

"""That each loop of a process shows that it lives, and that silence is noticed."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from adapters.telemetry.of_adapters import LoopMetrics

_UNKNOWN_LOOP: Final = "a loop must be expected before it beats, or its silence from the start goes unseen"


class Heartbeats:
    """The loops of one process and when each last beat. Safe to use from any thread."""

    def __init__(
        self, limit: timedelta, metrics: LoopMetrics, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        """A loop silent for longer than `limit` counts as stuck."""
        self._limit = limit.total_seconds()
        self._metrics = metrics
        self._now = now
        self._lock = threading.Lock()
        self._last: dict[str, float] = {}

    def expect(self, loop: str) -> Callable[[], None]:
        """From now on this loop has to beat; returns what it calls to do so."""
        with self._lock:
            self._last[loop] = self._now()
        self._metrics.heartbeat_age.of(loop).set_function(lambda: self.age(loop))
        return lambda: self.beat(loop)

    def beat(self, loop: str) -> None:
        """The loop is alive; raises LookupError where it was not expected."""
        with self._lock:
            if loop not in self._last:
                raise LookupError(_UNKNOWN_LOOP)
            self._last[loop] = self._now()

    def age(self, loop: str) -> float:
        """How many seconds the loop has been silent."""
        with self._lock:
            return self._now() - self._last[loop]

    def ages(self) -> dict[str, float]:
        """For each loop how many seconds it has been silent."""
        with self._lock:
            now = self._now()
            return {loop: now - last for loop, last in self._last.items()}

    def stuck(self) -> str | None:
        """Which loops have been silent for too long, in words; None where all is well."""
        with self._lock:
            now = self._now()
            silent = sorted(loop for loop, last in self._last.items() if now - last > self._limit)
        return f"silent for more than {self._limit:g} s: {', '.join(silent)}" if silent else None

"""What each loop of a program shows: that it turns, how far it is, and what keeps it from going on."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from adapters.telemetry.condition import Condition, Trouble
from adapters.telemetry.of_adapters import LoopMetrics
from adapters.telemetry.progress import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopState:
    """A loop as it is now.

    `silent` are seconds since it last turned; `positions` are next offsets by partition; they and the lags
    are None of a loop that reads no log.
    """

    name: str
    silent: float
    positions: Mapping[int, int] | None
    lag_records: int | None
    lag_seconds: float | None
    troubles: tuple[Trouble, ...]
    last_error: Trouble | None

    def shown(self) -> dict[str, object]:
        """The same for /readyz and whoever reads it: codes without words, which could hold anything."""
        places, last = self.positions, self.last_error
        return {
            "loop": self.name,
            "silent_seconds": round(self.silent, 1),
            "positions": None if places is None else {str(key): places[key] for key in sorted(places)},
            "lag_records": self.lag_records,
            "lag_seconds": None if self.lag_seconds is None else round(self.lag_seconds, 1),
            "troubles": [{"code": each.code, "since": each.since.isoformat()} for each in self.troubles],
            "last_error": last and {"code": last.code, "at": last.since.isoformat()},
        }


class Loop:
    """One loop, by whoever turns it. Safe to use from any thread.

    Made by `Loops.expect`; one that is made by itself is watched by nobody.
    """

    def __init__(
        self,
        name: str = "",
        *,
        condition: Condition | None = None,
        now: Callable[[], float] = time.monotonic,
        reads: Callable[[], None] = lambda: None,
    ) -> None:
        """`reads` hears that from now on a progress can be told of; `now` is monotonic, in seconds."""
        self.name = name
        self.condition = condition or Condition()
        self._now = now
        self._reads = reads
        self._last = now()
        self._progress: Progress | None = None

    def beat(self) -> None:
        """The loop turns."""
        self._last = self._now()

    def silent(self) -> float:
        """How many seconds it has not."""
        return self._now() - self._last

    def trouble(self, what: str, reason: str, *, error: str | None = None) -> None:
        """Something keeps it from going on, as Condition says."""
        self.condition.trouble(what, reason, error=error)

    def well(self, what: str) -> None:
        """It is past that."""
        self.condition.well(what)

    def reads(self, progress: Progress) -> None:
        """How far it is, from now on."""
        self._progress = progress
        self._reads()

    def lag_records(self) -> int:
        """How many records it is behind the ends that are known."""
        return 0 if self._progress is None else sum(self._progress.lags().values())

    def lag_seconds(self) -> float:
        """The age of the oldest of them."""
        return 0.0 if self._progress is None else self._progress.seconds()

    def trouble_seconds(self) -> float:
        """For how long something has been wrong; 0 while nothing is."""
        since = min((each.since for each in self.condition.troubles()), default=None)
        return 0.0 if since is None else max(0.0, (datetime.now(UTC) - since).total_seconds())

    def state(self) -> LoopState:
        """How it is now."""
        progress = self._progress
        return LoopState(
            name=self.name,
            silent=self.silent(),
            positions=None if progress is None else progress.positions(),
            lag_records=None if progress is None else self.lag_records(),
            lag_seconds=None if progress is None else self.lag_seconds(),
            troubles=tuple(self.condition.troubles()),
            last_error=self.condition.last_error(),
        )


class Loops:
    """The loops of one program. Safe to use from any thread."""

    def __init__(
        self,
        component: str,
        limit: timedelta,
        metrics: LoopMetrics,
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`component` is the program's name; a loop silent for longer than `limit` counts as stuck."""
        self.component = component
        self.condition = Condition()
        self._limit = limit.total_seconds()
        self._metrics = metrics
        self._now = now
        self._lock = threading.Lock()
        self._loops: dict[str, Loop] = {}
        self._beating: set[str] = set()

    def expect(self, name: str, *, beats: bool = True) -> Loop:
        """From now on there is this loop, and it has to beat, unless it is one that rests for long."""
        metrics, component = self._metrics, self.component
        part = self.condition.part(name)
        loop = Loop(name, condition=part, now=self._now, reads=lambda: self._show_lag(name))
        with self._lock:
            self._loops[name] = loop
            if beats:
                self._beating.add(name)
        if beats:
            metrics.heartbeat_age.of(component, name).set_function(loop.silent)
        metrics.trouble_seconds.of(component, name).set_function(loop.trouble_seconds)
        return loop

    def states(self) -> list[LoopState]:
        """Each loop as it is now."""
        with self._lock:
            loops = list(self._loops.values())
        return [loop.state() for loop in loops]

    def stuck(self) -> str | None:
        """Which loops have been silent for too long, in words; None where all is well."""
        with self._lock:
            beating = [(name, self._loops[name]) for name in sorted(self._beating)]
        silent = [name for name, loop in beating if loop.silent() > self._limit]
        return f"silent for more than {self._limit:g} s: {', '.join(silent)}" if silent else None

    def _show_lag(self, name: str) -> None:
        with self._lock:
            loop = self._loops[name]
        self._metrics.lag_records.of(self.component, name).set_function(loop.lag_records)
        self._metrics.lag_seconds.of(self.component, name).set_function(loop.lag_seconds)

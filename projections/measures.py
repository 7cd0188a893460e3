"""What the projector's metrics say of each batch."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

from adapters.telemetry.of_projector import ProjectorMetrics
from projections.folding import Folded

# Positions and lags are for people: more often than this nobody looks.
_SHOW_SECONDS: Final = 1.0


class Measures:
    """Counts what is committed; not for use from several threads."""

    def __init__(
        self,
        projector: ProjectorMetrics,
        topic: str,
        *,
        age: Callable[[], float],
        held: Callable[[], bool],
    ) -> None:
        """`age` is that of the oldest record not applied, in seconds; both are asked when somebody looks."""
        self.projector = projector
        self._topic = topic
        projector.lag_seconds.of(topic).set_function(age)
        projector.held.of(topic).set_function(lambda: float(held()))
        self._shown_at = 0.0
        self._positions: set[int] = set()
        self._lags: set[int] = set()

    def applied(self, folded: Folded[Any, Any, Any]) -> None:
        """One transaction was committed."""
        kinds = Counter((type(applied.event).__name__, applied.accepted) for applied in folded.applied)
        for (name, accepted), count in kinds.items():
            self.projector.events.of(name, accepted).inc(count)
        self.projector.unknown_types.of().inc(sum(folded.skipped.values()))
        for aside in folded.set_aside:
            if aside.kind != "not_ours":
                self.projector.quarantined.of(aside.code).inc()

    def batch(self, records: int, seconds: float) -> None:
        """A batch was worked through, in one transaction or more."""
        self.projector.batch_records.of(self._topic).observe(records)
        self.projector.batch_seconds.of(self._topic).observe(seconds)
        self.projector.batch_done(self._topic)

    def fenced(self) -> None:
        """A batch was dropped, since another was faster."""
        self.projector.fenced.of().inc()

    def quarantine(self, records: int) -> None:
        """So many records are set aside."""
        self.projector.quarantine_size.of(self._topic).set(records)

    def due(self) -> bool:
        """Whether positions are to be shown again."""
        return time.monotonic() - self._shown_at >= _SHOW_SECONDS

    def show(self, positions: Mapping[int, int], lags: Mapping[int, int]) -> None:
        """Shows where the held partitions stand, and nothing of others."""
        self._shown_at = time.monotonic()
        for gone in self._positions - positions.keys():
            self.projector.position.forget(self._topic, gone)
        for gone in self._lags - lags.keys():
            self.projector.lag.forget(self._topic, gone)
        self._positions, self._lags = set(positions), set(lags)
        for partition, position in positions.items():
            self.projector.position.of(self._topic, partition).set(position)
        for partition, lag in lags.items():
            self.projector.lag.of(self._topic, partition).set(lag)

"""How far a worker's work is: the records that were read ahead of it, and when each came into the log."""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

_TRIM: Final = 4096


class Arrivals:
    """When each record of one partition came, by the log's time, from the first that is not done with on.

    Sixteen bytes a record: a backlog of a million costs as much as one photograph in hand.
    """

    def __init__(self) -> None:
        self._offsets = array("q")
        self._times = array("q")

    def came(self, offset: int, log_ms: int) -> None:
        """A later record than all before was read."""
        self._offsets.append(offset)
        self._times.append(log_ms)

    def oldest(self, handled: int) -> int | None:
        """When the first at or after this offset came, in milliseconds; None where none was read."""
        first = bisect_left(self._offsets, handled)
        return self._times[first] if first < len(self._offsets) else None

    def forget(self, handled: int) -> None:
        """What is before this offset is asked for no more."""
        first = bisect_left(self._offsets, handled)
        if first == len(self._offsets) or first >= _TRIM:
            del self._offsets[:first], self._times[:first]


@dataclass(frozen=True, slots=True)
class Standing:
    """Of one partition: the next offset to handle, its end as far as is known, when the oldest left came."""

    handled: int
    end: int
    oldest_ms: int | None


class Worked(Protocol):
    """A look-ahead, as far as it tells of the work; from any thread."""

    def standings(self) -> Mapping[int, Standing]:
        """Of each partition that is ours and was looked at."""
        ...


class AtWork:
    """The progress of the work, for whoever asks how the worker's loop is."""

    def __init__(self, worked: Worked, now: Callable[[], float]) -> None:
        """`now` is in seconds since the epoch."""
        self._worked = worked
        self._now = now

    def positions(self) -> Mapping[int, int]:
        """By partition the next offset to handle."""
        return {partition: each.handled for partition, each in self._worked.standings().items()}

    def lags(self) -> Mapping[int, int]:
        """By partition how many records are not done with."""
        return {
            partition: max(0, each.end - each.handled) for partition, each in self._worked.standings().items()
        }

    def seconds(self) -> float:
        """The age of the oldest of them that was read ahead."""
        left = [each for each in self._worked.standings().values() if each.end > each.handled]
        oldest = min((each.oldest_ms for each in left if each.oldest_ms is not None), default=None)
        return 0.0 if oldest is None else max(0.0, self._now() - oldest / 1000)

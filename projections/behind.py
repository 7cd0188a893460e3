"""Since when a loop is behind, by the log's time: how old the oldest record is that is not applied."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from projections.records import Record


class Place(Protocol):
    """A reader, as far as it tells where it stands; from any thread."""

    @property
    def positions(self) -> Mapping[int, int]:
        """By held partition the next offset to apply."""
        ...

    def lags(self) -> Mapping[int, int]:
        """By held partition how many records wait, as far as is known."""
        ...


class Behind:
    """Of each held partition that has records waiting, from when the oldest of them is. Safe from any thread.

    A record that was read is known; of one that still lies in the log no more is known than that it came
    after the last one applied, and after the end was last seen to be reached: the age may be too high by the
    pause between two records. Of a backlog that a start finds nothing is known until its first is read.
    """

    def __init__(
        self, lags: Callable[[], Mapping[int, int]], *, now: Callable[[], float] = time.time
    ) -> None:
        """`lags` gives by held partition how many records wait, as far as is known."""
        self._lags = lags
        self._now = now
        self._lock = threading.Lock()
        self._in_hand: dict[int, int] = {}
        self._after: dict[int, int] = {}

    def read(self, records: Sequence[Record]) -> None:
        """These are in hand: the first of each partition is the oldest that is not applied."""
        with self._lock:
            self._in_hand = {record.partition: record.log_ms for record in reversed(records)}

    def applied(self, records: Sequence[Record]) -> None:
        """All that was in hand is applied."""
        with self._lock:
            self._in_hand = {}
            self._after.update({record.partition: record.log_ms for record in records})

    def dropped(self) -> None:
        """Nothing is in hand any more; it will be read again."""
        with self._lock:
            self._in_hand = {}

    def oldest(self) -> dict[int, int]:
        """By partition that is behind: milliseconds since the epoch."""
        lags, now = self._lags(), round(self._now() * 1000)
        with self._lock:
            for partition in lags.keys() - self._in_hand.keys():
                if lags[partition] == 0 or partition not in self._after:
                    self._after[partition] = now
            return {
                partition: self._in_hand.get(partition, self._after.get(partition, now))
                for partition, lag in lags.items()
                if lag or partition in self._in_hand
            }

    def records(self) -> int:
        """How many records wait, as far as is known."""
        return sum(self._lags().values())

    def seconds(self) -> float:
        """The age of the oldest of all; 0 at the end."""
        oldest = self.oldest()
        return max(0.0, self._now() - min(oldest.values()) / 1000) if oldest else 0.0


class Standing:
    """A projector's progress, for whoever asks how its loop is."""

    def __init__(self, reader: Place, behind: Behind) -> None:
        self._reader = reader
        self._behind = behind

    def positions(self) -> Mapping[int, int]:
        """By held partition the next offset to apply."""
        return dict(self._reader.positions)

    def lags(self) -> Mapping[int, int]:
        """By held partition how many records wait, as far as is known."""
        return self._reader.lags()

    def seconds(self) -> float:
        """The age of the oldest of them; 0 at the end."""
        return self._behind.seconds()

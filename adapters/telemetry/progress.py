"""How far a loop has read its partitions of the log, and how old the oldest record is that it has not."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Final, Protocol

_MILLISECONDS: Final = 1000


class Progress(Protocol):
    """Asked from any thread, at any time; answers at once, from what is known."""

    def positions(self) -> Mapping[int, int]:
        """By partition the next offset to be done with."""
        ...

    def lags(self) -> Mapping[int, int]:
        """By partition how many records lie between there and its end."""
        ...

    def seconds(self) -> float:
        """The age of the oldest of them by the log's time; 0 at the end."""
        ...


class ReadOn:
    """The progress of a loop that is done with each record when it has read it. Safe from any thread.

    Of a record that still lies in the log no more is known than that it came after the last one read, and
    after the end was last seen to be reached: the age may be too high by the pause between two records. Of a
    backlog that a start finds nothing is known until its first record is read.
    """

    def __init__(self, *, now: Callable[[], float] = time.time) -> None:
        """`now` is in seconds since the epoch."""
        self._now = now
        self._lock = threading.Lock()
        self._next: dict[int, int] = {}
        self._ends: dict[int, int] = {}
        self._after: dict[int, int] = {}
        self._told = set[int]()

    def begin(self, starts: Mapping[int, int]) -> None:
        """These are read from these offsets on, and no others; a negative one is not known yet."""
        with self._lock:
            self._next = dict(starts)
            self._told = set()
            self._ends = {partition: end for partition, end in self._ends.items() if partition in starts}
            self._after = {partition: ms for partition, ms in self._after.items() if partition in starts}

    def read(self, partition: int, offset: int, log_ms: int) -> None:
        """The record at this offset was read; what came for a partition that was given up counts nothing."""
        with self._lock:
            if partition in self._next:
                self._next[partition] = offset + 1
                self._after[partition] = log_ms

    def ended(self, partition: int, end: int) -> None:
        """The broker told that the partition ends here, and everything before was read."""
        with self._lock:
            if partition in self._next:
                self._next[partition] = max(end, self._next[partition])
        self.told({partition: end})

    def told(self, ends: Mapping[int, int]) -> None:
        """Where partitions end, as the broker said last."""
        now = round(self._now() * _MILLISECONDS)
        with self._lock:
            for partition in ends.keys() & self._next.keys():
                self._told.add(partition)
                self._ends[partition] = max(ends[partition], self._next[partition])
                if self._ends[partition] <= self._next[partition]:
                    self._after[partition] = now

    def positions(self) -> Mapping[int, int]:
        """As the Protocol says."""
        with self._lock:
            return {partition: place for partition, place in self._next.items() if place >= 0}

    def lags(self) -> Mapping[int, int]:
        """As the Protocol says; of partitions whose end nobody has told nothing is said."""
        with self._lock:
            return {
                partition: max(0, self._ends[partition] - place)
                for partition, place in self._next.items()
                if place >= 0 and partition in self._ends
            }

    def seconds(self) -> float:
        """As the Protocol says."""
        behind = [partition for partition, lag in self.lags().items() if lag]
        with self._lock:
            oldest = min((self._after[each] for each in behind if each in self._after), default=None)
        return 0.0 if oldest is None else max(0.0, self._now() - oldest / _MILLISECONDS)

    def complete(self) -> bool:
        """Whether every partition was read to where a broker has said since `begin` that it ends."""
        with self._lock:
            return (
                bool(self._next)
                and self._told >= self._next.keys()
                and all(self._ends[partition] <= place for partition, place in self._next.items())
            )

"""The time of day and new ids, so that whoever needs them is given them."""

import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol
from uuid import UUID


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """The time of day, in UTC."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The time of day, in UTC."""
        return datetime.now(UTC)


@dataclass(slots=True)
class FixedClock:
    """A clock for tests: it stands at `time` until told to move."""

    time: datetime

    def now(self) -> datetime:
        """The time it stands at."""
        return self.time

    def advance(self, span: timedelta) -> None:
        """Moves it by `span`."""
        self.time += span


def new_id() -> UUID:
    """A fresh UUID of version 7 (RFC 9562): milliseconds first, so that ids sort by time; 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10))
    high = (milliseconds & 0xFFFF_FFFF_FFFF) << 80
    return UUID(int=high | 0x7 << 76 | (random >> 62 & 0xFFF) << 64 | 0b10 << 62 | random & (1 << 62) - 1)

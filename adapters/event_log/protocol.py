"""What an event log promises to those who append, and how an append can end otherwise.

AppendFailed
├── LogUnavailable   the event is not in the log and never will be
├── OutcomeUnknown   the event may be in the log; the same event appended again does no harm
└── RecordTooLarge   the event can't be in any log
"""

from typing import Protocol

from schemas.envelope import Metadata
from schemas.events import Event
from schemas.positions import Position


class AppendFailed(Exception):
    """An append that was not acknowledged."""


class LogUnavailable(AppendFailed):
    """The event did not land and will not; appending it later is right."""


class OutcomeUnknown(AppendFailed):
    """The event may have landed; appending the same event again is right, another one is not."""


class RecordTooLarge(AppendFailed):
    """The event is larger than the log takes; no repetition helps."""


class EventLog(Protocol):
    """Where events are made durable."""

    async def append(self, event: Event, metadata: Metadata) -> Position:
        """Appends one event to its topic, under its key; returns once every in-sync replica has it.

        Raises AppendFailed (see the module). A cancelled append may have landed.
        """
        ...

    async def reachable(self) -> bool:
        """Whether the log answers right now; never raises, never takes longer than an append may."""
        ...

    async def ends(self, topic: str) -> dict[int, int]:
        """The next offset that each partition of a topic will be given; empty where no broker says so."""
        ...

    async def close(self) -> None:
        """Ends what is in flight and lets go of all resources; nothing can be appended afterwards."""
        ...

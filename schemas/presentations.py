"""The last presentations of a session's refresh tokens, packed: which generation, by which event.

Each takes 12 bytes, its generation and the last 8 of its event id, which are random. A session that goes on
for a month is refreshed thousands of times, and all of its state is read and written each time.
"""

from typing import Final
from uuid import UUID

MOST: Final = 128
"""How many are kept; an older one can no longer be told from a repeat."""

_GENERATION: Final = 4
_SIZE: Final = _GENERATION + 8


def was_seen(seen: bytes, generation: int, event_id: UUID) -> bool:
    """Whether this event has presented this generation; `generation` takes four bytes."""
    mark = _mark(generation, event_id)
    at = seen.find(mark)
    while at > 0 and at % _SIZE:
        at = seen.find(mark, at + 1)
    return at >= 0


def with_seen(seen: bytes, generation: int, event_id: UUID) -> tuple[bytes, int | None]:
    """`seen` with this presentation at its end, and the generation of the one that had to go, if any."""
    more = seen + _mark(generation, event_id)
    if len(more) <= MOST * _SIZE:
        return more, None
    return more[_SIZE:], int.from_bytes(more[:_GENERATION])


def _mark(generation: int, event_id: UUID) -> bytes:
    return generation.to_bytes(_GENERATION) + event_id.bytes[8:]

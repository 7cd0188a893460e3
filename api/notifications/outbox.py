"""What waits for one client: bounded, and when it fills up only the latest of each asset."""

from collections.abc import Iterator
from uuid import UUID

from api.notifications.entries import Entry


class Outbox:
    """Entries in the order in which they will be sent; their vectors only ever grow along it.

    Up to half of `limit` everything waits as it came. Beyond, a new entry takes the place of the one of the
    same asset, at the tail: so no id that is sent runs ahead of anything that still waits. At `limit` no more
    is taken: the client is too slow, and has to come again.
    """

    __slots__ = ("_entries", "_latest", "_limit", "_number", "replaced")

    def __init__(self, limit: int) -> None:
        self._limit = max(2, limit)
        self._entries: dict[int, Entry] = {}
        self._latest: dict[UUID, int] = {}
        self._number = 0
        self.replaced = 0

    def put(self, entry: Entry) -> bool:
        """Queues the entry; False when there is no room, and then nothing may be put any more."""
        if len(self._entries) >= self._limit // 2:
            older = self._latest.get(entry.asset_id)
            if older is not None and self._entries.pop(older, None) is not None:
                self.replaced += 1
        if len(self._entries) >= self._limit:
            return False
        self._number += 1
        self._entries[self._number] = entry
        self._latest[entry.asset_id] = self._number
        return True

    def take(self) -> list[Entry]:
        """All that waits; afterwards nothing does."""
        taken = list(self._entries.values())
        self._entries.clear()
        self._latest.clear()
        return taken

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

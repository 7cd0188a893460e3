"""What is remembered, by what it tells of: the least used is forgotten when there is too much."""

from collections import OrderedDict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

# A row with its variants, and what it costs to find it again.
_ROW_BYTES: Final = 4_000

Key = tuple[UUID, UUID | str]
"""The owner, and an asset or the text of a list."""


@dataclass(slots=True, eq=False)
class Held:
    """One thing remembered: a row, or an answer made of rows, or both.

    `asset_id` and `partition` are None for what tells of any of the owner's assets. `etag` names the answer.
    """

    key: Key
    value: Any
    asset_id: UUID | None = None
    partition: int | None = None
    etag: str = ""
    answer: bytes = b""

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        return _ROW_BYTES + len(self.answer)


class Entries:
    """At most `capacity` bytes of them, by key, by asset, and lists by owner."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._held: OrderedDict[Key, Held] = OrderedDict()
        self._of_assets: dict[UUID, set[Key]] = {}
        self._lists: dict[UUID, set[Key]] = {}
        self.size = 0

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: Key) -> Held | None:
        """What is held under the key; it counts as used."""
        held = self._held.get(key)
        if held is not None:
            self._held.move_to_end(key)
        return held

    def put(self, held: Held) -> None:
        """Holds it in place of what its key had."""
        self.drop([held.key])
        self._held[held.key] = held
        self._index(held).setdefault(_subject(held), set()).add(held.key)
        self.size += held.size
        while self.size > self._capacity and self._held:
            self.drop([next(iter(self._held))])

    def answered(self, held: Held, etag: str, answer: bytes) -> None:
        """Adds the answer that was made of a row, if that is still held."""
        if self._held.get(held.key) is held:
            self.size += len(answer) - len(held.answer)
            held.etag, held.answer = etag, answer

    def forget(self, assets: Iterable[UUID], owners: Iterable[UUID]) -> None:
        """Drops what tells of these assets, and the lists of these owners."""
        for asset_id in assets:
            self.drop(tuple(self._of_assets.get(asset_id, ())))
        for owner_id in owners:
            self.drop(tuple(self._lists.get(owner_id, ())))

    def forget_partitions(self, partitions: Collection[int]) -> None:
        """Drops what tells of an asset in these partitions, and all lists."""
        gone = [
            held.key for held in self._held.values() if held.partition is None or held.partition in partitions
        ]
        self.drop(gone)

    def clear(self) -> None:
        """Drops everything."""
        self.drop(tuple(self._held))

    def drop(self, keys: Iterable[Key]) -> None:
        """Drops what is held under these keys."""
        for key in keys:
            if (held := self._held.pop(key, None)) is None:
                continue
            self.size -= held.size
            index, subject = self._index(held), _subject(held)
            index[subject].discard(key)
            if not index[subject]:
                del index[subject]

    def _index(self, held: Held) -> dict[UUID, set[Key]]:
        return self._lists if held.asset_id is None else self._of_assets


def _subject(held: Held) -> UUID:
    return held.key[0] if held.asset_id is None else held.asset_id

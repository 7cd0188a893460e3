"""Remembers rows and answers until a batch is heard of that changed them, or might have.

What is served from here is never older than any position that this process has heard of, and so never older
than one that was waited for: the watch tells of changes before it lets anybody go on. Without a position it
may be older than the database by as much as a notice takes; while none are heard, nothing is served.
"""

import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from typing import Final, TypeVar
from uuid import UUID

from adapters.telemetry.metrics import CacheMetrics
from api.queries.reads import Reads
from api.read_cache.entries import Entries, Held, Key
from projections.assets.queries import AssetRow
from projections.notices import Notice

_T = TypeVar("_T")

# The watch looks at the checkpoints every half second, told or not; four looks without an answer are silence.
SILENT_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """An answer that tells of several assets, and what names it."""

    etag: str
    body: bytes
    link: str | None = None


@dataclass(slots=True, eq=False)
class _Load:
    """A read on its way: what it brings is not kept if its subject changes meanwhile."""

    owner_id: UUID
    asset_id: UUID | None
    spoiled: bool = field(default=False)


class ReadCache:
    """For queries alone: a command decides on a row of its own. Used from one event loop."""

    def __init__(
        self,
        reads: Reads,
        *,
        topic: str,
        capacity: int,
        metrics: CacheMetrics,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Holds about `capacity` bytes; of what is told, only `topic` matters."""
        self._reads, self._topic, self._capacity = reads, topic, capacity
        self._metrics, self._now = metrics, now
        self._entries = Entries(capacity)
        self._loads: set[_Load] = set()
        self._heard_at = -SILENT_SECONDS

    async def asset(self, *, owner_id: UUID, asset_id: UUID) -> AssetRow | None:
        """As `Reads.asset`, remembered."""
        key: Key = (owner_id, asset_id)
        if (held := self._held(key)) is not None:
            row: AssetRow = held.value
            return row
        load = _Load(owner_id, asset_id)
        found = await self._loaded(load, lambda: self._reads.asset(owner_id=owner_id, asset_id=asset_id))
        if found is not None and not load.spoiled:
            partition = found.position_partition
            self._put(Held(key=key, value=found, asset_id=asset_id, partition=partition))
        return found

    def answer(self, row: AssetRow, etag: str, make: Callable[[], bytes]) -> bytes:
        """The answer about a row that `asset` gave, made once for each etag."""
        held = self._entries.get((row.owner_id, row.asset_id))
        if held is None or held.value is not row:
            return make()
        if held.etag != etag:
            self._entries.answered(held, etag, make())
            self._show()
        return held.answer

    async def page(self, owner_id: UUID, text: str, make: Callable[[], Awaitable[Page]]) -> Page:
        """The answer to a list of this owner's; `text` names all that it depends on but their assets."""
        key: Key = (owner_id, text)
        if (held := self._held(key)) is not None:
            page: Page = held.value
            return page
        load = _Load(owner_id, None)
        page = await self._loaded(load, make)
        if not load.spoiled:
            self._put(Held(key=key, value=page, etag=page.etag, answer=page.body))
        return page

    def changed(self, notice: Notice) -> None:
        """As projections.waiting.Feed says."""
        if notice.topic != self._topic or notice.changes is None:
            return
        assets, owners = notice.changes.assets, notice.changes.owners
        self._entries.forget(assets, owners)
        for load in self._loads:
            load.spoiled |= load.owner_id in owners if load.asset_id is None else load.asset_id in assets
        self._show()

    def moved(self, topic: str, partitions: Collection[int]) -> None:
        """As projections.waiting.Feed says."""
        if topic == self._topic:
            self._entries.forget_partitions(partitions)
            self._spoil()

    def unsure(self) -> None:
        """As projections.waiting.Feed says."""
        self._entries.clear()
        self._spoil()

    def heard(self) -> None:
        """As projections.waiting.Feed says."""
        self._heard_at = self._now()

    def __len__(self) -> int:
        return len(self._entries)

    def _held(self, key: Key) -> Held | None:
        if self._deaf():
            self._metrics.asked.of("bypassed").inc()
            return None
        held = self._entries.get(key)
        self._metrics.asked.of("miss" if held is None else "hit").inc()
        return held

    async def _loaded(self, load: _Load, read: Callable[[], Awaitable[_T]]) -> _T:
        load.spoiled = self._deaf()
        self._loads.add(load)
        try:
            return await read()
        finally:
            self._loads.discard(load)

    def _put(self, held: Held) -> None:
        if self._capacity:
            self._entries.put(held)
            self._show()

    def _deaf(self) -> bool:
        """Whether changes may have gone unheard. What was remembered until then is of no more use."""
        deaf = self._now() - self._heard_at >= SILENT_SECONDS
        if deaf:
            self.unsure()
        return deaf

    def _spoil(self) -> None:
        for load in self._loads:
            load.spoiled = True
        self._show()

    def _show(self) -> None:
        self._metrics.bytes.of().set(self._entries.size)

"""Follows the activity feed for all streams of this process: one reader, however many listen."""

import asyncio
import contextlib
from collections.abc import Collection, Mapping, Sequence
from typing import Final
from uuid import UUID

import psycopg
import structlog

from adapters.clock import Clock
from adapters.telemetry import Loop
from adapters.telemetry.metrics import SseMetrics
from api.addresses import Addresses
from api.notifications.entries import Entry, entry_of, kind_of
from api.notifications.hub import Hub
from api.queries.reads import Reads
from projections.activity.queries import ActivityRow
from projections.assets.queries import AssetRow

# Less than half of a stream's queue: a client that keeps up has taken one page before the next is there.
PAGE: Final = 100
# A wake-up can be missed; then this look finds what was.
LOOK_SECONDS: Final = 1.0
PAUSE_SECONDS: Final = 1.0
# The variant that a live entry shows.
SHOWN: Final = "thumbnail"

log = structlog.get_logger(__name__)


class Tailer:
    """Reads on after `vector`, which is the last offset of each partition that was fanned out.

    While nobody listens it reads nothing; `settled` brings it up to date before the first stream begins.
    """

    def __init__(
        self,
        *,
        topic: str,
        reads: Reads,
        hub: Hub,
        addresses: Addresses,
        clock: Clock,
        metrics: SseMetrics,
        loop: Loop | None = None,
    ) -> None:
        self._topic = topic
        self._reads = reads
        self._hub = hub
        self._addresses = addresses
        self._clock = clock
        self._metrics = metrics
        self._loop = loop or Loop()
        self._vector: dict[int, int] | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to follow; returns at once."""
        self._task = asyncio.create_task(self._follow(), name="activity-tailer")

    async def close(self) -> None:
        """Stops following."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    @property
    def vector(self) -> Mapping[int, int]:
        """All that was fanned out; another one as it grows, so it can be kept. Empty before `settled`."""
        return self._vector or {}

    async def settled(self) -> None:
        """Makes sure that `vector` says where the feed is followed from; raises psycopg.OperationalError."""
        if self._vector is None:
            positions = await self._reads.positions(self._topic)
            # Somebody else may have been faster while this one waited.
            if self._vector is None:
                # A partition without records is one that nobody has seen anything of.
                self._vector = {
                    partition: following - 1 for partition, following in positions.items() if following
                }

    async def _follow(self) -> None:
        with self._reads.subscribe() as wakeups:
            while True:
                self._loop.beat()
                try:
                    await self._read_on()
                except psycopg.Error as error:
                    name = type(error).__name__
                    self._loop.trouble("read models", name, error=f"read models: {name}")
                    log.warning("activity_unreadable", error=name)
                    await asyncio.sleep(PAUSE_SECONDS)
                else:
                    self._loop.well("read models")
                await wakeups.woken(LOOK_SECONDS)

    async def _read_on(self) -> None:
        if not len(self._hub):
            self._vector = None
            return
        await self.settled()
        while len(self._hub) and await self._page():
            self._loop.beat()

    async def _page(self) -> bool:
        """Fans one page out; whether there may be another."""
        rows = await self._reads.entries_after(
            topic=self._topic, after=self.vector, owner_id=None, limit=PAGE
        )
        if not rows:
            return False
        shown: dict[UUID, AssetRow] = {}
        asked: set[UUID] = set()
        # Somebody may begin to listen while this waits; the second turn is for them.
        while missing := self._wanted(rows) - asked:
            asked |= missing
            shown |= await assets_of(self._reads, missing)
        # From here on nothing waits: positions move and entries are queued in one step.
        vector = dict(self.vector)
        entries: list[Entry] = []
        for row in rows:
            vector[row.partition] = row.offset
            if self._hub.listens(row.owner_id) and (kind := kind_of(row)):
                entries.append(self.entry(row, kind, dict(vector), shown))
        self._vector = vector
        self._hub.publish(entries)
        self._metrics.lag_seconds.of().set((self._clock.now() - rows[-1].log_time).total_seconds())
        return len(rows) == PAGE

    def _wanted(self, rows: Sequence[ActivityRow]) -> set[UUID]:
        return {row.asset_id for row in rows if self._hub.listens(row.owner_id) and kind_of(row)}

    def entry(
        self, row: ActivityRow, kind: str, vector: Mapping[int, int], shown: Mapping[UUID, AssetRow]
    ) -> Entry:
        """The entry of a row, with the words and the picture that the asset has now."""
        asset = shown.get(row.asset_id)
        if asset is None or asset.owner_id != row.owner_id:
            return entry_of(row, kind, vector, title=None, url=None)
        picture = next((variant for variant in asset.variants if variant.name == SHOWN), None)
        url = None
        if picture is not None:
            url = self._addresses.view(
                picture.object_key, now=self._clock.now(), content_type=picture.content_type
            )
        return entry_of(row, kind, vector, title=asset.title, url=url)


async def assets_of(reads: Reads, asset_ids: Collection[UUID]) -> dict[UUID, AssetRow]:
    """Those of the assets that exist, by id."""
    found = await reads.assets_by_id(list(asset_ids)) if asset_ids else []
    return {asset.asset_id: asset for asset in found}

"""What the doors ask of the past and of the ledger, as one Protocol, and the implementation."""

import asyncio
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from itertools import groupby
from typing import Protocol
from uuid import UUID

from adapters.read_store import Pool
from adapters.settings import KafkaSettings
from projections.past import queries as past
from projections.past.queries import Begun, Moment, Spot
from projections.records import Record
from projections.rereading import read_at
from projections.storage import queries as storage
from projections.storage.queries import StorageRow
from projections.usage import queries as usage
from projections.usage.queries import Group, UsageFilter, UsageRow
from schemas.positions import Position


class Past(Protocol):
    """Sums over all that ever was, and the records that made assets what they were.

    Raises psycopg.OperationalError without a database, and what a broker that is away raises.
    """

    async def storage(self, owner_id: UUID | None) -> list[StorageRow]:
        """What an owner's assets hold; None is everybody."""
        ...

    async def usage(self, wanted: UsageFilter, *, by: AbstractSet[Group], limit: int) -> list[UsageRow]:
        """What work has cost, in groups, the dearest first."""
        ...

    async def logged_at(self, position: Position) -> datetime | None:
        """When the log took this record of an asset; None where there is none."""
        ...

    async def beginning(self) -> datetime | None:
        """When the log took its first record."""
        ...

    async def begun(self, owner_id: UUID, moment: Moment, before: Begun | None, limit: int) -> list[Begun]:
        """The assets that an owner had asked for by then, newest first."""
        ...

    async def spots(
        self, owner_id: UUID | None, asset_ids: Sequence[UUID] | None, moment: Moment, limit: int
    ) -> list[Spot]:
        """Where the records stand that made these assets what they were then."""
        ...

    async def records(self, spots: Sequence[Spot]) -> list[Record]:
        """Those records, read from the log, in the order of their partitions."""
        ...


class PostgresPast:
    """The Protocol over a pool of connections, which another opens and closes, and the log."""

    def __init__(self, pool: Pool, kafka: KafkaSettings) -> None:
        self._pool = pool
        self._kafka = kafka
        self._topic = kafka.topics.assets

    async def storage(self, owner_id: UUID | None) -> list[StorageRow]:
        """As the Protocol says."""
        async with self._pool.connection() as conn:
            return await storage.storage(conn, owner_id=owner_id)

    async def usage(self, wanted: UsageFilter, *, by: AbstractSet[Group], limit: int) -> list[UsageRow]:
        """As the Protocol says."""
        async with self._pool.connection() as conn:
            return await usage.usage(conn, wanted, by=by, limit=limit)

    async def logged_at(self, position: Position) -> datetime | None:
        """As the Protocol says."""
        async with self._pool.connection() as conn:
            return await past.logged_at(
                conn, topic=position.topic, partition=position.partition, offset=position.offset
            )

    async def beginning(self) -> datetime | None:
        """As the Protocol says."""
        async with self._pool.connection() as conn:
            return await past.beginning(conn)

    async def begun(self, owner_id: UUID, moment: Moment, before: Begun | None, limit: int) -> list[Begun]:
        """As the Protocol says."""
        async with self._pool.connection() as conn:
            return await past.begun(
                conn, topic=self._topic, owner_id=owner_id, moment=moment, before=before, limit=limit
            )

    async def spots(
        self, owner_id: UUID | None, asset_ids: Sequence[UUID] | None, moment: Moment, limit: int
    ) -> list[Spot]:
        """As the Protocol says."""
        async with self._pool.connection() as conn:
            return await past.spots(
                conn,
                topic=self._topic,
                owner_id=owner_id,
                asset_ids=asset_ids,
                moment=moment,
                limit=limit,
            )

    async def records(self, spots: Sequence[Spot]) -> list[Record]:
        """As the Protocol says."""
        reads = [
            asyncio.to_thread(
                read_at,
                self._kafka.client(),
                self._topic,
                partition,
                [spot.offset for spot in group],
                group=f"{self._kafka.topic_prefix}.past",
            )
            for partition, group in groupby(spots, key=lambda spot: spot.partition)
        ]
        return [record for found in await asyncio.gather(*reads) for record in found]

"""All that the doors ask of Postgres, as one Protocol, and the implementation over pool and watch."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import psycopg

from adapters.read_store import Pool
from projections.activity import history
from projections.activity import queries as activity
from projections.activity.history import HistoryRow
from projections.activity.queries import ActivityRow
from projections.assets import pages
from projections.assets import queries as assets
from projections.assets.pages import AssetFilter, AssetMark
from projections.assets.queries import AssetRow
from projections.audit import queries as audit
from projections.audit.queries import AuditFilter, AuditMark, AuditRow
from projections.checkpoints import readable
from projections.jobs import outstanding
from projections.jobs import queries as jobs
from projections.jobs.queries import JobRow
from projections.links import queries as links
from projections.links.queries import LinkRow
from projections.reports import queries as reports
from projections.reports.queries import LoopReport
from projections.waiting import PositionWatch
from schemas.positions import Position


class Wakes(Protocol):
    """Wakes its holder when something new was applied."""

    async def woken(self, timeout: float | None = None) -> bool:
        """Waits for the next batch; False when `timeout` seconds passed without one."""
        ...


class Reads(Protocol):
    """The read models and the soft state. Without a database calls raise psycopg.OperationalError."""

    async def asset(self, *, owner_id: UUID, asset_id: UUID) -> AssetRow | None:
        """One asset of this owner."""
        ...

    async def assets_page(
        self, wanted: AssetFilter, *, limit: int, after: AssetMark | None
    ) -> list[AssetRow]:
        """Assets of one owner in the order that is wanted, after the one that the mark names."""
        ...

    async def assets_by_id(self, asset_ids: Sequence[UUID]) -> list[AssetRow]:
        """Those of the assets that exist, whoever owns them."""
        ...

    async def link(self, *, link_id: UUID) -> LinkRow | None:
        """One shared link, revoked or not, whoever's it is."""
        ...

    async def links_of(self, *, owner_id: UUID, asset_id: UUID) -> list[LinkRow]:
        """The links of an asset of this owner that were not revoked, newest first."""
        ...

    async def history(self, *, owner_id: UUID, asset_id: UUID, after: int, limit: int) -> list[HistoryRow]:
        """What happened to an asset of this owner behind an offset, oldest first."""
        ...

    async def job(self, *, owner_id: UUID | None, job_id: UUID) -> JobRow | None:
        """One job of this owner, or of anybody where the owner is None."""
        ...

    async def uploads_under_way(self, owner_id: UUID, *, most: int) -> int:
        """How many uploads of this person wait for their variants; `most` where there are more."""
        ...

    async def entries_after(
        self, *, topic: str, after: Mapping[int, int], owner_id: UUID | None, limit: int
    ) -> list[ActivityRow]:
        """What happened after a vector of positions; offsets ascend in each partition, without gaps."""
        ...

    async def by_event_id(self, event_id: UUID) -> ActivityRow | None:
        """The record of an event that was applied."""
        ...

    async def audit_page(
        self, wanted: AuditFilter, *, limit: int, before: AuditMark | None
    ) -> list[AuditRow]:
        """What was done to accounts and assets, newest first."""
        ...

    async def positions(self, topic: str) -> dict[int, int]:
        """The next offset to apply of each partition."""
        ...

    def projecting(self, topic: str, partition: int) -> bool:
        """Whether somebody applies this partition; never raises."""
        ...

    async def loops(self) -> list[LoopReport]:
        """What the loops of projectors said of themselves last."""
        ...

    async def wait_for(self, position: Position, timeout: float) -> None:
        """Returns once the position is applied; raises projections.waiting.NotYetApplied."""
        ...

    def subscribe(self) -> AbstractContextManager[Wakes]:
        """Something to wait on that wakes at each applied batch."""
        ...

    async def reserve(self, scope: bytes, request_hash: bytes, now: datetime) -> "Reservation":
        """Reserves an Idempotency-Key for a request, or tells for which one it is reserved already."""
        ...

    async def answer(self) -> bool:
        """Whether the database answers with rows in the forms that this release reads; never raises."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """An Idempotency-Key in use: the hash of the request it was first used for, and when that was."""

    request_hash: bytes
    first_asked: datetime


# The first of two that come at once inserts; the other waits for it inside "on conflict" and reads its row.
_RESERVE = b"""
with mine as (
    insert into api.idempotency (scope, request_hash, created_at) values (%(scope)s, %(hash)s, %(now)s)
    on conflict (scope) do nothing
    returning request_hash, created_at
)
select request_hash, created_at from mine
union all
select request_hash, created_at from api.idempotency where scope = %(scope)s
limit 1
"""


class PostgresReads:
    """The Protocol over a pool of connections and a watch of positions, which others open and close."""

    def __init__(self, pool: Pool, watch: PositionWatch) -> None:
        self._pool = pool
        self._watch = watch

    async def asset(self, *, owner_id: UUID, asset_id: UUID) -> AssetRow | None:
        """As the Protocol says."""
        async with self._connection() as conn:
            return await assets.asset(conn, owner_id=owner_id, asset_id=asset_id)

    async def assets_page(
        self, wanted: AssetFilter, *, limit: int, after: AssetMark | None
    ) -> list[AssetRow]:
        """As the Protocol says."""
        async with self._connection() as conn:
            return await pages.assets_page(conn, wanted, limit=limit, after=after)

    async def assets_by_id(self, asset_ids: Sequence[UUID]) -> list[AssetRow]:
        """As the Protocol says."""
        async with self._connection() as conn:
            return await assets.assets_by_id(conn, asset_ids=asset_ids)

    async def link(self, *, link_id: UUID) -> LinkRow | None:
        """As the Protocol says."""
        async with self._connection() as conn:
            return await links.link(conn, link_id=link_id)

    async def links_of(self, *, owner_id: UUID, asset_id: UUID) -> list[LinkRow]:
        """As the Protocol says."""
        async with self._connection() as conn:
            return await links.links_of(conn, owner_id=owner_id, asset_id=asset_id)

    async def history(self, *, owner_id: UUID, asset_id: UUID, after: int, limit: int) -> list[HistoryRow]:
        """As the Protocol says."""
        async with self._connection() as conn:
            return await history.history(conn, owner_id=owner_id, asset_id=asset_id, after=after, limit=limit)

    async def job(self, *, owner_id: UUID | None, job_id: UUID) -> JobRow | None:
        """As the Protocol says."""
        async with self._connection() as conn:
            return await jobs.job(conn, owner_id=owner_id, job_id=job_id)

    async def uploads_under_way(self, owner_id: UUID, *, most: int) -> int:
        """As the Protocol says."""
        async with self._connection() as conn:
            return await outstanding.uploads_under_way(conn, owner_id=owner_id, most=most)

    async def entries_after(
        self, *, topic: str, after: Mapping[int, int], owner_id: UUID | None, limit: int
    ) -> list[ActivityRow]:
        """As the Protocol says."""
        async with self._connection() as conn:
            return await activity.entries_after(
                conn, topic=topic, after=after, owner_id=owner_id, limit=limit
            )

    async def by_event_id(self, event_id: UUID) -> ActivityRow | None:
        """As the Protocol says."""
        async with self._connection() as conn:
            return await activity.by_event_id(conn, event_id)

    async def audit_page(
        self, wanted: AuditFilter, *, limit: int, before: AuditMark | None
    ) -> list[AuditRow]:
        """As the Protocol says."""
        async with self._connection() as conn:
            return await audit.audit_page(conn, wanted, limit=limit, before=before)

    async def positions(self, topic: str) -> dict[int, int]:
        """As the Protocol says."""
        async with self._connection() as conn:
            return dict(await activity.positions(conn, topic))

    def projecting(self, topic: str, partition: int) -> bool:
        """As the Protocol says."""
        return self._watch.alive(topic, partition)

    async def loops(self) -> list[LoopReport]:
        """As the Protocol says."""
        async with self._connection() as conn:
            return await reports.reports(conn)

    async def wait_for(self, position: Position, timeout: float) -> None:
        """As the Protocol says."""
        await self._watch.wait_for(position, timeout)

    def subscribe(self) -> AbstractContextManager[Wakes]:
        """As the Protocol says."""
        return self._watch.subscribe()

    async def reserve(self, scope: bytes, request_hash: bytes, now: datetime) -> Reservation:
        """As the Protocol says."""
        parameters = {"scope": scope, "hash": request_hash, "now": now}
        async with self._connection() as conn:
            # In the blink in which the other's row was not visible yet, the statement finds neither.
            while (row := await (await conn.execute(_RESERVE, parameters)).fetchone()) is None:
                pass
        return Reservation(request_hash=bytes(row[0]), first_asked=row[1])

    async def answer(self) -> bool:
        """As the Protocol says."""
        try:
            async with self._connection() as conn:
                return await readable(conn)
        except (psycopg.Error, TimeoutError):
            return False

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[psycopg.AsyncConnection[tuple[Any, ...]]]:
        async with self._pool.connection() as conn:
            yield conn

"""What the doors of jobs and dead letters ask of Postgres, as one Protocol, and the implementation."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from adapters.read_store import Pool
from projections.assets import originals
from projections.assets.originals import OriginalRow
from projections.dead_letters import queries as letters
from projections.dead_letters.queries import Held, Spot, Told
from projections.jobs import queries as jobs
from projections.jobs import stats
from projections.jobs.queries import Attempt, JobFilter, JobMark, JobRow
from projections.jobs.stats import LaneStats


class Work(Protocol):
    """Jobs in lists and in detail, and what hangs on dead letters. Raises psycopg.OperationalError."""

    async def jobs_page(self, wanted: JobFilter, *, limit: int, after: JobMark | None) -> list[JobRow]:
        """Jobs, newest first, after the one that is marked."""
        ...

    async def attempts(self, row: JobRow) -> list[Attempt]:
        """Every attempt at the job that the log tells of."""
        ...

    async def job_stats(self, now: datetime) -> list[LaneStats]:
        """How the work goes, lane by lane."""
        ...

    async def original(self, asset_id: UUID) -> OriginalRow | None:
        """What there is to make variants of; None where the asset has none or lies in the trash."""
        ...

    async def last_said(self, row: JobRow) -> UUID | None:
        """The event that the log last told of the job."""
        ...

    async def told(self, asset_ids: Collection[UUID]) -> dict[UUID, Told]:
        """Whose the assets are and what was uploaded, of those that have a row."""
        ...

    async def held(self, spots: Collection[Spot]) -> dict[Spot, Held]:
        """Those of the records because of which a key is held back now."""
        ...

    async def set_aside(self, topic: str, partition: int, key: bytes) -> bool:
        """Whether what comes of this key waits behind a record that nobody could read."""
        ...

    async def failed_jobs(self, job_ids: Collection[UUID]) -> set[UUID]:
        """Those of the jobs that failed, and after which nothing newer was asked for."""
        ...

    async def said(self, event_ids: Sequence[UUID]) -> set[UUID]:
        """Those of the events that the read models have heard of."""
        ...

    async def redrive_rounds(self, asset_id: UUID) -> int:
        """How often variants were asked for again as a redrive, one after the other."""
        ...

    async def ask_redrive(self, found: Held, now: datetime) -> None:
        """Has the records that are set aside under this key read again."""
        ...


class PostgresWork:
    """The Protocol over a pool of connections, which others open and close."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def jobs_page(self, wanted: JobFilter, *, limit: int, after: JobMark | None) -> list[JobRow]:
        """As the Protocol says."""
        async with self._pool.connection() as conn:
            return await jobs.jobs_page(conn, wanted, limit=limit, after=after)

    async def attempts(self, row: JobRow) -> list[Attempt]:
        """As the Protocol says."""
        async with self._pool.connection() as conn:
            return await jobs.attempts(conn, row)

    async def job_stats(self, now: datetime) -> list[LaneStats]:
        """As the Protocol says."""
        async with self._pool.connection() as conn:
            return await stats.job_stats(conn, now=now)

    async def original(self, asset_id: UUID) -> OriginalRow | None:
        """As the Protocol says."""
        async with self._pool.connection() as conn:
            return await originals.original(conn, asset_id=asset_id)

    async def last_said(self, row: JobRow) -> UUID | None:
        """As the Protocol says."""
        async with self._pool.connection() as conn:
            return await jobs.last_said(conn, row)

    async def told(self, asset_ids: Collection[UUID]) -> dict[UUID, Told]:
        """As the Protocol says."""
        async with self._pool.connection() as conn:
            return await letters.told(conn, asset_ids)

    async def held(self, spots: Collection[Spot]) -> dict[Spot, Held]:
        """As the Protocol says."""
        async with self._pool.connection() as conn:
            return await letters.held(conn, spots)

    async def set_aside(self, topic: str, partition: int, key: bytes) -> bool:
        """As the Protocol says."""
        async with self._pool.connection() as conn:
            return await letters.waits(conn, topic=topic, partition=partition, key=key)

    async def failed_jobs(self, job_ids: Collection[UUID]) -> set[UUID]:
        """As the Protocol says."""
        async with self._pool.connection() as conn:
            return await letters.failed_jobs(conn, job_ids)

    async def said(self, event_ids: Sequence[UUID]) -> set[UUID]:
        """As the Protocol says."""
        async with self._pool.connection() as conn:
            return await letters.said(conn, event_ids)

    async def redrive_rounds(self, asset_id: UUID) -> int:
        """As the Protocol says."""
        async with self._pool.connection() as conn:
            return await letters.redrive_rounds(conn, asset_id=asset_id)

    async def ask_redrive(self, found: Held, now: datetime) -> None:
        """As the Protocol says."""
        async with self._pool.connection() as conn:
            await letters.ask_redrive(conn, found, now=now)

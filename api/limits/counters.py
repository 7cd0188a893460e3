"""Where permits are counted for all processes together: the Protocol, Postgres, and the in-memory twin."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import psycopg

from adapters.read_store import Pool
from adapters.settings.rates import Rate
from api.limits.bucket import ROUNDING, take, wait


class CountersAway(Exception):
    """Nobody can count right now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """The answer to an asking: permits, or none and the seconds until there is one."""

    permits: int
    wait: float


class Counters(Protocol):
    """Counts permits by scope; a scope is whatever bytes name a class and whom it counts."""

    async def grant(self, scope: bytes, rate: Rate, wanted: int) -> Grant:
        """Takes up to `wanted` permits; raises CountersAway."""
        ...

    async def sweep(self) -> int:
        """Forgets the scopes that are full again, and says how many; raises CountersAway."""
        ...


class InMemoryCounters:
    """The twin for tests, and for one process alone."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._full_at: dict[bytes, float] = {}
        self.away = False
        self.asked = 0

    async def grant(self, scope: bytes, rate: Rate, wanted: int) -> Grant:
        """As the Protocol says."""
        self._answer()
        now = self._now()
        taken = take(self._full_at.get(scope, 0.0), now, rate, wanted)
        self._full_at[scope] = taken.full_at
        return Grant(permits=taken.granted, wait=0.0 if taken.granted else wait(taken.full_at, now, rate))

    async def sweep(self) -> int:
        """As the Protocol says."""
        self._answer()
        before, now = len(self._full_at), self._now()
        self._full_at = {scope: full_at for scope, full_at in self._full_at.items() if full_at > now}
        return before - len(self._full_at)

    def _answer(self) -> None:
        self.asked += 1
        if self.away:
            raise CountersAway


# The arithmetic of bucket.py, by the database's clock, so that the clocks of processes don't matter. The
# first of two that come at once inserts; the other waits for it and updates what it left.
_GRANT: Final = b"""
with asked as (
    select extract(epoch from statement_timestamp())::double precision as now
)
insert into api.rate_limits as held (scope, full_at, granted)
select %(scope)s, asked.now + %(first)s * %(each)s::double precision, %(first)s from asked
on conflict (scope) do update set (full_at, granted) = (
    select begins + permits * %(each)s::double precision, permits from (
        select
            greatest(held.full_at, asked.now) as begins,
            greatest(0, least(%(wanted)s, floor(
                (asked.now + %(seconds)s - greatest(held.full_at, asked.now)) / %(each)s::double precision
                + %(rounding)s
            )::int)) as permits
        from asked
    ) as taken
)
returning granted, full_at - extract(epoch from statement_timestamp())::double precision
"""
_SWEEP: Final = b"delete from api.rate_limits where full_at < extract(epoch from statement_timestamp())"


class PostgresCounters:
    """The Protocol over a pool of connections that others open and close."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def grant(self, scope: bytes, rate: Rate, wanted: int) -> Grant:
        """As the Protocol says."""
        given = {
            "scope": scope,
            "wanted": wanted,
            "first": min(wanted, rate.amount),
            "each": rate.interval,
            "seconds": rate.seconds,
            "rounding": ROUNDING,
        }
        try:
            async with self._pool.connection() as conn:
                row = await (await conn.execute(_GRANT, given)).fetchone()
        except psycopg.Error as error:
            raise CountersAway from error
        if row is None:
            raise CountersAway
        permits, debt = int(row[0]), float(row[1])
        return Grant(permits=permits, wait=0.0 if permits else wait(debt, 0.0, rate))

    async def sweep(self) -> int:
        """As the Protocol says."""
        try:
            async with self._pool.connection() as conn:
                return (await conn.execute(_SWEEP)).rowcount
        except psycopg.Error as error:
            raise CountersAway from error

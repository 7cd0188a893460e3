"""Admits requests at their rates: permits in blocks, refusals remembered, a way on without counters."""

import asyncio
import hashlib
import hmac
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import structlog
from cachetools import LRUCache

from adapters.settings.rates import Rate
from adapters.telemetry.metrics import LimitMetrics
from api.limits.bucket import take, wait
from api.limits.classes import CLOSED_WHEN_AWAY, Class, block_of
from api.limits.counters import Counters, CountersAway, Grant

# Longer than the counters need on a bad day, short beside the five seconds in which everybody is answered.
PATIENCE_SECONDS: Final = 0.5
# After a failure requests don't queue for the counters' next one.
PAUSE_SECONDS: Final = 1.0
SWEEP_SECONDS: Final = 60.0
# Buckets that one process remembers; who is forgotten asks the database again.
_REMEMBERED: Final = 50_000
_SHORTEST_WAIT: Final = 0.01
_PURPOSE: Final = b"darkroom/rate-limit"

log = structlog.get_logger(__name__)


class RateExceeded(Exception):
    """Too many of `kind` at `rate`; there is one more after `wait` seconds, rounded up."""

    def __init__(self, kind: Class, rate: Rate, wait: float) -> None:
        super().__init__(f"{kind} exceed {rate}")
        self.kind, self.rate, self.wait = kind, rate, max(1, math.ceil(wait))


@dataclass(slots=True)
class _Bucket:
    """What this process knows of one bucket; times are monotonic seconds."""

    left: int = 0
    until: float = 0.0
    closed_until: float = 0.0
    alone_full_at: float = 0.0
    asking: asyncio.Task[None] | None = field(default=None, repr=False)

    def put(self, permits: int, now: float, seconds: int) -> None:
        """Adds permits that are good for so long; those that are too old by now are not."""
        self.left = (self.left if now < self.until else 0) + permits
        self.until = now + seconds


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave for one request."""

    _now: Callable[[], float]
    _buckets: tuple[tuple[_Bucket, int], ...] = ()

    def give_back(self) -> None:
        """It was not one of those that are counted (a right password); the process keeps it for the next."""
        now = self._now()
        for bucket, seconds in self._buckets:
            bucket.put(1, now, seconds)

    def __add__(self, other: "Permit") -> "Permit":
        """Both at once."""
        return Permit(self._now, self._buckets + other._buckets)


class Limiter:
    """Counts for one process, through counters that all processes share."""

    def __init__(
        self,
        counters: Counters,
        rates: Mapping[Class, Rate | None],
        *,
        secret: bytes,
        metrics: LimitMetrics,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`secret` keys the names of the buckets, so that the counters hold nobody's address."""
        self._counters, self._rates, self._secret = counters, rates, secret
        self._metrics, self._now = metrics, now
        self._buckets: LRUCache[tuple[Class, str], _Bucket] = LRUCache(_REMEMBERED)
        self._away_until = -math.inf
        self._sweep_at = now() + SWEEP_SECONDS
        self._tasks: set[asyncio.Task[None]] = set()

    async def admit(self, kind: Class, subject: str) -> Permit:
        """Takes a permit for one more request of this class by `subject`.

        Raises RateExceeded; and CountersAway for what must not go on uncounted.
        """
        rate = self._rates[kind]
        if rate is None:
            return Permit(self._now)
        bucket = self._buckets.get((kind, subject))
        if bucket is None:
            bucket = self._buckets[kind, subject] = _Bucket()
        while not self._taken(kind, rate, bucket):
            if self._now() < self._away_until or not await self._asked(kind, subject, rate, bucket):
                self._alone(kind, rate, bucket)
                break
        return Permit(self._now, ((bucket, rate.seconds),))

    async def close(self) -> None:
        """Leaves what is still being asked."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _taken(self, kind: Class, rate: Rate, bucket: _Bucket) -> bool:
        now = self._now()
        if bucket.left > 0 and now < bucket.until:
            bucket.left -= 1
            return True
        if now < bucket.closed_until:
            raise self._refused(kind, rate, bucket.closed_until - now)
        return False

    async def _asked(self, kind: Class, subject: str, rate: Rate, bucket: _Bucket) -> bool:
        """Waits for the counters' word, which one request fetches for all that wait; False without one.

        Whoever loses patience leaves the question open rather than to cancel it: cancelling a statement of a
        silent server takes longer than the request has.
        """
        if bucket.asking is None:
            bucket.asking = self._task(self._ask(kind, subject, rate, bucket))
        task = bucket.asking
        done, _ = await asyncio.wait({task}, timeout=PATIENCE_SECONDS)
        if not done:
            self._away()
        else:
            task.result()
        return bool(done) and self._now() >= self._away_until

    async def _ask(self, kind: Class, subject: str, rate: Rate, bucket: _Bucket) -> None:
        try:
            grant = await self._counters.grant(self._scope(kind, subject), rate, block_of(kind, rate))
        except CountersAway:
            self._away()
        else:
            self._heard(rate, bucket, grant)
        finally:
            bucket.asking = None
        if self._now() >= self._sweep_at:
            self._sweep_at = self._now() + SWEEP_SECONDS
            self._task(self._sweep())

    def _heard(self, rate: Rate, bucket: _Bucket, grant: Grant) -> None:
        now = self._now()
        self._metrics.asked.of("granted" if grant.permits else "exceeded").inc()
        self._away_until = -math.inf
        if grant.permits:
            bucket.put(grant.permits, now, rate.seconds)
        else:
            bucket.closed_until = now + max(grant.wait, _SHORTEST_WAIT)

    def _alone(self, kind: Class, rate: Rate, bucket: _Bucket) -> None:
        """Counts in this process alone; raises CountersAway where that is not enough."""
        if kind in CLOSED_WHEN_AWAY:
            raise CountersAway
        now = self._now()
        taken = take(bucket.alone_full_at, now, rate, 1)
        bucket.alone_full_at = taken.full_at
        if not taken.granted:
            raise self._refused(kind, rate, wait(taken.full_at, now, rate))

    def _refused(self, kind: Class, rate: Rate, seconds: float) -> RateExceeded:
        self._metrics.refused.of(kind).inc()
        return RateExceeded(kind, rate, seconds)

    def _away(self) -> None:
        now = self._now()
        if now >= self._away_until:
            self._metrics.asked.of("unavailable").inc()
            log.warning("rate_counters_away", pause=PAUSE_SECONDS)
        self._away_until = now + PAUSE_SECONDS

    async def _sweep(self) -> None:
        try:
            await self._counters.sweep()
        except CountersAway:
            self._away()

    def _scope(self, kind: Class, subject: str) -> bytes:
        taken = hmac.new(self._secret, _PURPOSE, hashlib.sha256)
        taken.update(f"{kind}\0{subject}".encode())
        return taken.digest()[:16]

    def _task(self, work: "asyncio._CoroutineLike[None]") -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work, name="rate-limits")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

"""Rate limits: how often somebody may ask, counted in Postgres for all processes together."""

from api.limits.classes import Class
from api.limits.counters import Counters, CountersAway, Grant, InMemoryCounters, PostgresCounters
from api.limits.limiter import Limiter, Permit, RateExceeded

__all__ = [
    "Class",
    "Counters",
    "CountersAway",
    "Grant",
    "InMemoryCounters",
    "Limiter",
    "Permit",
    "PostgresCounters",
    "RateExceeded",
]

"""The arithmetic of a rate: one number for each bucket, the time when it will be full again."""

from dataclasses import dataclass
from typing import Final

from adapters.settings.rates import Rate

# Times are floats: what is a whole permit but for the last bits of the mantissa is one.
ROUNDING: Final = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What a bucket gave: how many permits, and when it will be full again."""

    granted: int
    full_at: float


def take(full_at: float, now: float, rate: Rate, wanted: int) -> Taken:
    """Takes up to `wanted` permits from a bucket of `rate.amount` that refills evenly over `rate.seconds`."""
    begins = max(full_at, now)
    left = int((now + rate.seconds - begins) / rate.interval + ROUNDING)
    granted = max(0, min(wanted, left))
    return Taken(granted=granted, full_at=begins + granted * rate.interval)


def wait(full_at: float, now: float, rate: Rate) -> float:
    """Seconds until the bucket has a permit again; 0 where it has one."""
    return max(0.0, full_at - now - rate.seconds + rate.interval)

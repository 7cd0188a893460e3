"""The kinds of request that are counted apart: each has its rate, and a way to be when nobody can count."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

from adapters.settings.rates import Rate, RateSettings

Class = Literal[
    "reads", "writes", "uploads", "keys", "strangers", "login_account", "login_network", "registrations"
]

# Guessing passwords must not get cheaper by breaking the database; all else goes on, counted here alone.
CLOSED_WHEN_AWAY: Final[frozenset[Class]] = frozenset({"login_account", "login_network", "registrations"})
# A share of the rate is fetched at a time, so that most requests cost the database nothing.
_SHARE: Final = 20
_LARGEST_BLOCK: Final = 100


def rates_of(settings: RateSettings) -> Mapping[Class, Rate | None]:
    """The rate of each class; None where it is not limited."""
    return MappingProxyType(
        {
            "reads": settings.reads,
            "writes": settings.writes,
            "uploads": settings.uploads,
            "keys": settings.keys,
            "strangers": settings.strangers,
            "login_account": settings.login_account,
            "login_network": settings.login_network,
            "registrations": settings.registrations,
        }
    )


def block_of(kind: Class, rate: Rate) -> int:
    """How many permits are fetched at once; what fails closed is counted one by one."""
    if kind in CLOSED_WHEN_AWAY:
        return 1
    return max(1, min(rate.amount // _SHARE, _LARGEST_BLOCK))

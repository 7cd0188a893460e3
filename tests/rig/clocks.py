"""Our programs under another clock than the machine's."""

from pathlib import Path
from typing import Final, TypedDict

_SHIM: Final = Path(__file__).parent / "skewed"


class Clock(TypedDict):
    """Settings of the shim."""

    PYTHONPATH: str
    RIG_CLOCK_SKEW: str
    RIG_STORE_CLOCK: str


def skewed(hours: float, *, store_minds: bool = True) -> Clock:
    """The environment of a Python program for which it is so many hours later; see `skewed/`.

    The object store refuses what a skewed clock has signed, unless it does not mind.
    """
    return Clock(
        PYTHONPATH=str(_SHIM),
        RIG_CLOCK_SKEW=f"{hours * 3600:g}",
        RIG_STORE_CLOCK="skewed" if store_minds else "true",
    )

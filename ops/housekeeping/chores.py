"""The list of chores: whoever has one to add adds its maker here."""

from typing import Final

from ops.housekeeping import expiry, purged, sweeping, trash
from ops.housekeeping.chore import Maker
from ops.presets import retiring
from ops.runs import chore as runs

CHORES: Final[tuple[Maker, ...]] = (
    expiry.chore,
    sweeping.chore,
    trash.chore,
    purged.chore,
    runs.chore,
    retiring.chore,
)
"""In the order in which `run --once` does them."""

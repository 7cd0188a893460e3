"""The list of chores: whoever has one to add adds its maker here."""

from typing import Final

from ops.housekeeping import expiry, forgetting, purged, sweeping, trash
from ops.housekeeping.chore import Maker
from ops.presets import retiring, stragglers
from ops.runs import chore as runs

CHORES: Final[tuple[Maker, ...]] = (
    expiry.chore,
    sweeping.chore,
    trash.chore,
    purged.chore,
    runs.chore,
    retiring.chore,
    stragglers.chore,
    forgetting.chore,
)
"""In the order in which `run --once` does them."""

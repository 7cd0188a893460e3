"""The list of chores: whoever has one to add adds its maker here."""

from typing import Final

from ops.housekeeping.chore import Maker

CHORES: Final[tuple[Maker, ...]] = ()
"""In the order in which `run --once` does them."""

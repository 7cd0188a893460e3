"""The metrics of the process that keeps house."""

from adapters.telemetry import labels
from adapters.telemetry.families import Families, nothing


class HousekeepingMetrics:
    """Chores: whether they are done, and what they do."""

    def __init__(self, families: Families) -> None:
        """Makes the families."""
        self.leads = families.gauge(
            "darkroom_housekeeping_leads", "1 in the one process that does the chores, 0 in others.", nothing
        )
        self.turns = families.counter(
            "darkroom_chore_turns_total", "Turns of chores, by how they ended.", labels.by_turn
        )
        self.seconds = families.histogram(
            "darkroom_chore_seconds", "How long turns of chores took.", labels.by_chore
        )
        self.done = families.counter(
            "darkroom_chore_done_total", "What chores did, in their own words.", labels.by_deed
        )
        self.age = families.gauge(
            "darkroom_chore_age_seconds",
            "Time since the chore last came to its end, in the process that leads.",
            labels.by_chore,
        )

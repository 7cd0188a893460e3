"""The metrics of the process that erases."""

from adapters.telemetry.families import Families, nothing


class ErasureMetrics:
    """Erasures, as they come and go."""

    def __init__(self, families: Families) -> None:
        """Makes the families."""
        self.under_way = families.gauge(
            "darkroom_erasures_under_way", "Erasures that were asked for and are not completed.", nothing
        )
        self.completed = families.counter(
            "darkroom_erasures_completed_total", "Erasures that this process completed.", nothing
        )

"""The metrics of the projector."""

import time
from typing import Final

from adapters.telemetry import labels
from adapters.telemetry.families import Families, nothing

_BATCHES: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)


class ProjectorMetrics:
    """Batches, positions and what was set aside."""

    def __init__(self, families: Families) -> None:
        """Makes the families."""
        self.events = families.counter(
            "darkroom_projector_events_total",
            "Events folded, by type and whether the fold took them.",
            labels.by_type_and_accepted,
        )
        self.unknown_types = families.counter(
            "darkroom_projector_unknown_types_total", "Events skipped because their type is newer.", nothing
        )
        self.batch_seconds = families.histogram(
            "darkroom_projector_batch_seconds", "From a batch's first record to its commit.", labels.by_topic
        )
        self.batch_records = families.histogram(
            "darkroom_projector_batch_records", "Records of a batch.", labels.by_topic, buckets=_BATCHES
        )
        self.position = families.gauge(
            "darkroom_projector_position", "The next offset to apply.", labels.by_partition
        )
        self.lag = families.gauge(
            "darkroom_projector_lag_records", "Records behind the partition's end.", labels.by_partition
        )
        self.lag_seconds = families.gauge(
            "darkroom_projector_lag_seconds",
            "Age of the oldest record that is not applied, by the log's time; 0 at the end.",
            labels.by_topic,
        )
        self._of_trouble(families)

    def _of_trouble(self, families: Families) -> None:
        self.quarantined = families.counter(
            "darkroom_projector_quarantined_total",
            "Records set aside in the database, by code.",
            labels.by_code,
        )
        self.quarantine_size = families.gauge(
            "darkroom_projector_quarantine_records", "Records that are set aside now.", labels.by_topic
        )
        self.held = families.gauge(
            "darkroom_projector_held",
            "1 while the loop takes nothing because too much was set aside.",
            labels.by_topic,
        )
        self.fenced = families.counter(
            "darkroom_projector_fenced_batches_total", "Batches dropped because another was faster.", nothing
        )
        self.outages = families.counter(
            "darkroom_projector_outages_total", "Batches tried again, by what was away.", labels.by_dependency
        )
        self.last_batch = families.gauge(
            "darkroom_projector_last_batch_timestamp_seconds",
            "When a batch was last committed.",
            labels.by_topic,
        )

    def batch_done(self, topic: str) -> None:
        """Notes that a batch of this topic was committed now."""
        self.last_batch.of(topic).set(time.time())

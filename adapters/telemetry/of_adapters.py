"""The metrics of what every process leans on: its loops, the log, the store, the data keys."""

from adapters.telemetry import labels
from adapters.telemetry.families import Families, nothing


class LoopMetrics:
    """That loops are alive, how far they are behind, and whether something keeps them."""

    def __init__(self, families: Families) -> None:
        """Makes the families."""
        self.heartbeat_age = families.gauge(
            "darkroom_loop_heartbeat_age_seconds",
            "How long a loop has been silent; above HEARTBEAT_LIMIT it counts as stuck.",
            labels.by_loop,
        )
        self.lag_records = families.gauge(
            "darkroom_loop_lag_records",
            "Records between a loop that reads the log and the ends of its partitions.",
            labels.by_loop,
        )
        self.lag_seconds = families.gauge(
            "darkroom_loop_lag_seconds",
            "Age of the oldest of them, by the log's time; 0 at the end.",
            labels.by_loop,
        )
        self.trouble_seconds = families.gauge(
            "darkroom_loop_trouble_seconds",
            "For how long something has kept a loop from going on; 0 while nothing does.",
            labels.by_loop,
        )


class LogMetrics:
    """What was appended."""

    def __init__(self, families: Families) -> None:
        """Makes the families."""
        self.appends = families.counter(
            "darkroom_log_appends_total",
            "Events appended, by how it ended; unknown ones may be in the log or not.",
            labels.by_verdict,
        )
        self.append_seconds = families.histogram(
            "darkroom_log_append_seconds", "From append to acknowledgement by all in-sync replicas.", nothing
        )
        self.producer_restarts = families.counter(
            "darkroom_log_producer_restarts_total", "Producers made anew after a fatal error.", nothing
        )
        self.dead_letters = families.counter(
            "darkroom_dead_letters_total", "Records that this process set aside, by code.", labels.by_code
        )


class StoreMetrics:
    """What the object store was asked, and how it answered."""

    def __init__(self, families: Families) -> None:
        """Makes the families."""
        self.calls = families.counter(
            "darkroom_store_calls_total", "Calls to the object store by their end.", labels.by_store_end
        )
        self.call_seconds = families.histogram(
            "darkroom_store_call_seconds",
            "How long calls to the object store took, retries and all.",
            labels.by_store_call,
        )


class KeyMetrics:
    """The local view of people's data keys."""

    def __init__(self, families: Families) -> None:
        """Makes the families."""
        self.known = families.gauge(
            "darkroom_keys_known", "Data keys in the local view, erased ones included.", nothing
        )
        self.made = families.counter("darkroom_keys_made_total", "Data keys made here.", nothing)
        self.markers_repeated = families.counter(
            "darkroom_keys_markers_repeated_total",
            "Erasure markers appended again, because a key stood behind its marker.",
            nothing,
        )
        self.unreadable = families.counter(
            "darkroom_keys_unreadable_total",
            "Records of the key topic that could not be read.",
            labels.by_code,
        )

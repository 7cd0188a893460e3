"""The metrics of the variants worker."""

from adapters.telemetry import labels
from adapters.telemetry.families import Families, nothing


class WorkerMetrics:
    """Jobs, their parts and their ends."""

    def __init__(self, families: Families) -> None:
        """Makes the families."""
        self.records = families.counter(
            "darkroom_worker_records_total", "Records taken from the log.", labels.by_record_outcome
        )
        self.jobs = families.counter(
            "darkroom_worker_jobs_total", "Jobs by their end.", labels.by_job_outcome
        )
        self.stage_seconds = families.histogram(
            "darkroom_worker_stage_seconds", "How long the parts of a job took.", labels.by_stage
        )
        self.jobs_in_hand = families.gauge(
            "darkroom_worker_jobs_in_hand", "Jobs being worked on now.", nothing
        )
        self.retries = families.counter(
            "darkroom_worker_retries_total",
            "Tries again after an outage, by what was away.",
            labels.by_dependency,
        )
        self.render_cpu_seconds = families.counter(
            "darkroom_worker_render_cpu_seconds_total", "Processor time of the sandbox's children.", nothing
        )
        self.bytes = families.counter(
            "darkroom_worker_bytes_total", "Bytes moved from and to the store.", labels.by_direction
        )
        self.purged_objects = families.counter(
            "darkroom_worker_purged_objects_total", "Objects removed because their asset was purged.", nothing
        )
        self.sandbox_mode = families.gauge(
            "darkroom_worker_sandbox_mode", "1 for the way in which children are confined.", labels.by_mode
        )
        self.dead_letter_stop = families.gauge(
            "darkroom_worker_dead_letter_stop",
            "1 while it takes no work because too much went to the dead letters.",
            nothing,
        )
        self._of_the_log(families)

    def _of_the_log(self, families: Families) -> None:
        self.assigned_partitions = families.gauge(
            "darkroom_worker_assigned_partitions", "Partitions that this worker has.", nothing
        )
        self.assignments = families.counter(
            "darkroom_worker_assignments_total", "How often partitions were dealt out to it.", nothing
        )
        self.lag = families.gauge(
            "darkroom_worker_lag_records", "Records behind the ends of its partitions.", nothing
        )
        self.look_ahead_records = families.counter(
            "darkroom_worker_look_ahead_records_total", "Records whose headers were read ahead.", nothing
        )
        self.look_ahead_lag = families.gauge(
            "darkroom_worker_look_ahead_lag_records",
            "Records that the look-ahead has still to read.",
            nothing,
        )

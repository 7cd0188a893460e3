"""The closed catalogue of metrics: what is not here is not measured, and docs/metrics.md lists what is."""

import time
from functools import cached_property
from typing import Final

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

from adapters.telemetry import labels
from adapters.telemetry.families import Described, Families, nothing

_BATCHES: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
_GROUPS: Final = ("loops", "log", "store", "keys", "http", "uploads", "sse", "worker", "projector")


class Metrics:
    """All metrics of one process, in a registry of its own.

    A group's families come to be when the group is first used, so that a process shows only what it does;
    programs touch their groups when they are composed.
    """

    def __init__(self) -> None:
        """With the process's own figures (memory, files, garbage) and nothing else yet."""
        self.registry = CollectorRegistry()
        self._families = Families(self.registry)
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)

    @cached_property
    def loops(self) -> "LoopMetrics":
        """Heartbeats."""
        return LoopMetrics(self._families)

    @cached_property
    def log(self) -> "LogMetrics":
        """Appends."""
        return LogMetrics(self._families)

    @cached_property
    def store(self) -> "StoreMetrics":
        """The object store."""
        return StoreMetrics(self._families)

    @cached_property
    def keys(self) -> "KeyMetrics":
        """People's data keys."""
        return KeyMetrics(self._families)

    @cached_property
    def http(self) -> "HttpMetrics":
        """Requests."""
        return HttpMetrics(self._families)

    @cached_property
    def uploads(self) -> "UploadMetrics":
        """Uploads."""
        return UploadMetrics(self._families)

    @cached_property
    def sse(self) -> "SseMetrics":
        """Live streams."""
        return SseMetrics(self._families)

    @cached_property
    def worker(self) -> "WorkerMetrics":
        """The variants worker."""
        return WorkerMetrics(self._families)

    @cached_property
    def projector(self) -> "ProjectorMetrics":
        """The projector."""
        return ProjectorMetrics(self._families)

    def catalogue(self) -> tuple[Described, ...]:
        """Every family there is, whether this process uses it or not."""
        for group in _GROUPS:
            getattr(self, group)
        return tuple(self._families.described)


class LoopMetrics:
    """That loops are alive."""

    def __init__(self, families: Families) -> None:
        """Makes the families."""
        self.heartbeat_age = families.gauge(
            "darkroom_heartbeat_age_seconds",
            "How long a loop has been silent; above HEARTBEAT_LIMIT it counts as stuck.",
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


class HttpMetrics:
    """What the doors were asked, and how they answered."""

    def __init__(self, families: Families) -> None:
        """Makes the families."""
        self.requests = families.counter(
            "darkroom_http_requests_total",
            "Requests answered, by route template and status.",
            labels.by_route_and_status,
        )
        self.request_seconds = families.histogram(
            "darkroom_http_request_seconds",
            "From a request's head to its answer's last byte; live streams are not counted here.",
            labels.by_route,
        )
        self.in_flight = families.gauge("darkroom_http_in_flight", "Requests being answered now.", nothing)
        self.problems = families.counter(
            "darkroom_http_problems_total",
            "Problems answered, by the last part of their type.",
            labels.by_problem,
        )
        self.reservations = families.counter(
            "darkroom_http_idempotency_total", "What Idempotency-Keys met.", labels.by_reservation
        )
        self.position_waits = families.histogram(
            "darkroom_http_position_wait_seconds", "How long reads waited for their position.", nothing
        )


class UploadMetrics:
    """What came in."""

    def __init__(self, families: Families) -> None:
        """Makes the families."""
        self.completed = families.counter("darkroom_uploads_total", "Uploads completed.", labels.by_door)
        self.bytes = families.counter(
            "darkroom_upload_bytes_total", "Bytes of uploads completed.", labels.by_door
        )


class SseMetrics:
    """Live streams."""

    def __init__(self, families: Families) -> None:
        """Makes the families."""
        self.streams = families.gauge("darkroom_sse_streams", "Live streams open now.", nothing)
        self.ended = families.counter(
            "darkroom_sse_streams_ended_total", "Live streams ended, by reason.", labels.by_reason
        )
        self.entries = families.counter(
            "darkroom_sse_entries_total", "Entries queued for live streams, by type.", labels.by_type
        )
        self.replaced = families.counter(
            "darkroom_sse_entries_replaced_total",
            "Entries that a newer state of the same asset replaced before a slow client took them.",
            nothing,
        )
        self.lag_seconds = families.gauge(
            "darkroom_sse_lag_seconds", "Age of the newest entry when it was last fanned out.", nothing
        )


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
        self.render_cpu_seconds = families.counter(
            "darkroom_worker_render_cpu_seconds_total", "Processor time of the sandbox's children.", nothing
        )
        self.bytes = families.counter(
            "darkroom_worker_bytes_total", "Bytes moved from and to the store.", labels.by_direction
        )
        self.sandbox_mode = families.gauge(
            "darkroom_worker_sandbox_mode", "1 for the way in which children are confined.", labels.by_mode
        )


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
            "darkroom_projector_batch_seconds", "From a batch's first record to its commit.", nothing
        )
        self.batch_records = families.histogram(
            "darkroom_projector_batch_records", "Records of a batch.", nothing, buckets=_BATCHES
        )
        self.position = families.gauge(
            "darkroom_projector_position", "The next offset to apply.", labels.by_partition
        )
        self.lag = families.gauge(
            "darkroom_projector_lag_records", "Records behind the partition's end.", labels.by_partition
        )
        self.lag_seconds = families.gauge(
            "darkroom_projector_lag_seconds",
            "Age of the newest record when its batch was committed.",
            nothing,
        )
        self.quarantined = families.counter(
            "darkroom_projector_quarantined_total",
            "Records set aside in the database, by code.",
            labels.by_code,
        )
        self.quarantine_size = families.gauge(
            "darkroom_projector_quarantine_records", "Records that are set aside now.", nothing
        )
        self.fenced = families.counter(
            "darkroom_projector_fenced_batches_total", "Batches dropped because another was faster.", nothing
        )
        self.outages = families.counter(
            "darkroom_projector_outages_total", "Batches tried again, by what was away.", labels.by_dependency
        )
        self.last_batch = families.gauge(
            "darkroom_projector_last_batch_timestamp_seconds", "When a batch was last committed.", nothing
        )

    def batch_done(self) -> None:
        """Notes that a batch was committed now."""
        self.last_batch.of().set(time.time())

"""The metrics of the doors: requests, uploads, live streams."""

from adapters.telemetry import labels
from adapters.telemetry.families import Families, nothing


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
        self.cut = families.counter(
            "darkroom_http_connections_cut_total",
            "Connections ended by the listener itself: late or oversized heads, leftovers, no HTTP.",
            labels.by_reason,
        )
        self.reservations = families.counter(
            "darkroom_http_idempotency_total", "What Idempotency-Keys met.", labels.by_reservation
        )
        self.position_waits = families.histogram(
            "darkroom_http_position_wait_seconds", "How long reads waited for their position.", nothing
        )


class CacheMetrics:
    """What the doors remember of the read models."""

    def __init__(self, families: Families) -> None:
        """Makes the families."""
        self.asked = families.counter(
            "darkroom_read_cache_total", "Questions to the read cache.", labels.by_cache_answer
        )
        self.bytes = families.gauge("darkroom_read_cache_bytes", "What the read cache holds.", nothing)


class LimitMetrics:
    """Rate limits."""

    def __init__(self, families: Families) -> None:
        """Makes the families."""
        self.refused = families.counter(
            "darkroom_rate_limited_total", "Requests refused because there were too many.", labels.by_class
        )
        self.asked = families.counter(
            "darkroom_rate_askings_total",
            "Blocks of permits asked of the shared counters, by their answer.",
            labels.by_rate_answer,
        )


class SecurityMetrics:
    """What security wants to hear of."""

    def __init__(self, families: Families) -> None:
        """Makes the families."""
        self.events = families.counter(
            "darkroom_security_events_total",
            "Security events, each with a line in the log.",
            labels.by_security_event,
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

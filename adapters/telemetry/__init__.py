"""What a process tells about itself: logs, metrics, heartbeats, traces."""

from adapters.telemetry.heartbeats import Heartbeats
from adapters.telemetry.logs import configure_logs
from adapters.telemetry.metrics import Metrics
from adapters.telemetry.server import MetricsServer, serve_metrics
from adapters.telemetry.tracing import Trace, continued, new_trace, parse_traceparent

__all__ = [
    "Heartbeats",
    "Metrics",
    "MetricsServer",
    "Trace",
    "configure_logs",
    "continued",
    "new_trace",
    "parse_traceparent",
    "serve_metrics",
]

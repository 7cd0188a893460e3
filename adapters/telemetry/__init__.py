"""What a process tells about itself: logs, metrics, loops, traces."""

from adapters.telemetry.condition import Condition
from adapters.telemetry.logs import configure_logs
from adapters.telemetry.loops import Loop, Loops
from adapters.telemetry.metrics import Metrics
from adapters.telemetry.server import MetricsServer, serve_metrics
from adapters.telemetry.tracing import Trace, continued, new_trace, parse_traceparent

__all__ = [
    "Condition",
    "Loop",
    "Loops",
    "Metrics",
    "MetricsServer",
    "Trace",
    "configure_logs",
    "continued",
    "new_trace",
    "parse_traceparent",
    "serve_metrics",
]

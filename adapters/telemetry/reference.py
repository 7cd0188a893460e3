"""The metrics as a document: docs/metrics.md."""

from typing import Final

from adapters.telemetry.metrics import Metrics

_INTRODUCTION: Final = """\
# Metrics

Each process serves `/metrics`, `/livez` and `/readyz` on a port of its own (METRICS_PORT), in Prometheus'
text format, beside the figures of the process itself (`process_…`, `python_…`). The catalogue is closed: what
is not here is not measured, and a process shows only the families of what it does. Labels never hold ids,
names or paths.

This page is made from the code: `python -m ops docs metrics`.

| name | kind | labels | meaning |
|---|---|---|---|
"""


def markdown() -> str:
    """docs/metrics.md."""
    lines = [
        f"| `{family.name}` | {family.kind} | {', '.join(family.labels)} | {family.meaning} |\n"
        for family in Metrics().catalogue()
    ]
    return _INTRODUCTION + "".join(lines)

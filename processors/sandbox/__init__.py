"""The sandbox: image work done by children that are confined, watched and expendable."""

from processors.imaging.contract import Refused
from processors.sandbox.outcomes import Broken, Exhausted, Interrupted, SandboxUnavailable, Status
from processors.sandbox.pool import Wear
from processors.sandbox.rendered import Rendered
from processors.sandbox.sandbox import Sandbox

__all__ = [
    "Broken",
    "Exhausted",
    "Interrupted",
    "Refused",
    "Rendered",
    "Sandbox",
    "SandboxUnavailable",
    "Status",
    "Wear",
]

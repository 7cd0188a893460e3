"""Appends that go on until they land, for suites of a broker that was away or at fault."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from adapters.event_log import AppendFailed, KafkaEventLog
from schemas.events import UploadRequested
from schemas.positions import Position

RECOVERY_SECONDS = 30.0

Attempt = Callable[[KafkaEventLog, UploadRequested], Awaitable[Position | AppendFailed]]
"""One append, and how it ended."""


async def recovered(log: KafkaEventLog, event: UploadRequested, end_of: Attempt) -> Position:
    """The position of the event, appended again until it lands."""
    deadline = time.monotonic() + RECOVERY_SECONDS
    while isinstance(end := await end_of(log, event), AppendFailed):
        assert time.monotonic() < deadline, end
        await asyncio.sleep(0.1)
    return end

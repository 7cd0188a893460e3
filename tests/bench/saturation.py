"""As many calls as are answered: so many callers, each asking again as soon as it has its answer."""

import asyncio
import time
from collections.abc import Awaitable, Callable


async def saturated(call: Callable[[], Awaitable[object]], *, callers: int, seconds: float) -> list[float]:
    """Latency of each call in seconds; none begins after `seconds`. Raises what a call raises."""
    latencies: list[float] = []
    end = time.perf_counter() + seconds

    async def caller() -> None:
        while (began := time.perf_counter()) < end:
            await call()
            latencies.append(time.perf_counter() - began)

    async with asyncio.TaskGroup() as group:
        for _ in range(callers):
            group.create_task(caller())
    return latencies

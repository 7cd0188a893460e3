"""A steady stream of calls: one each 1/rate s, whether or not the last was answered."""

import asyncio
import time
from collections.abc import Awaitable, Callable


async def steadily(call: Callable[[], Awaitable[object]], *, rate: int, seconds: float) -> list[float]:
    """Latency of each call in seconds, from the moment at which it was due; raises what a call raises.

    A call that starts late because the machine is busy counts its waiting too: so does a user.
    """
    latencies: list[float] = []

    async def one(due: float) -> None:
        await call()
        latencies.append(time.perf_counter() - due)

    async with asyncio.TaskGroup() as calls:
        began = time.perf_counter()
        for number in range(round(rate * seconds)):
            due = began + number / rate
            if (wait := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            calls.create_task(one(due))
    return latencies

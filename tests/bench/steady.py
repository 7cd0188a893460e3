"""A steady stream of calls: one each 1/rate s, whether or not the last was answered."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from itertools import count

Call = Callable[[], Awaitable[object]]


async def steadily(call: Call, *, rate: int, seconds: float) -> list[float]:
    """Latency of each call in seconds, from the moment at which it was due; raises what a call raises.

    A call that starts late because the machine is busy counts its waiting too: so does a user.
    """
    left = iter(range(round(rate * seconds)))
    return await steadily_while(call, rate=rate, goes_on=lambda: next(left, None) is not None)


async def steadily_while(call: Call, *, rate: int, goes_on: Callable[[], bool]) -> list[float]:
    """The same as long as `goes_on`, which is asked when a call is due; those under way are waited for."""
    latencies: list[float] = []

    async def one(due: float) -> None:
        await call()
        latencies.append(time.perf_counter() - due)

    async with asyncio.TaskGroup() as calls:
        began = time.perf_counter()
        for number in count():
            due = began + number / rate
            if (wait := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            if not goes_on():
                break
            calls.create_task(one(due))
    return latencies

"""Waiting for a descriptor to become readable, in whatever event loop runs."""

import asyncio


async def readable(descriptor: int, seconds: float | None = None) -> bool:
    """True when there is something to read (or the other end is gone), False when `seconds` passed first."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_reader(descriptor, _settle, ready)
    try:
        async with asyncio.timeout(seconds):
            await ready
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(descriptor)
    return True


def _settle(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)

"""For commands that only look: whatever else is away, Postgres alone says what is known."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from adapters.read_store import Pool, async_pool
from adapters.settings import Settings, settings_or_exit
from ops.sentences import in_sentences
from ops.waiting import quiet_logs

T = TypeVar("T")


def look(work: Callable[[Pool], Awaitable[T]]) -> T:
    """What `work` reads out of the read models; no other server is asked for anything.

    Ends the command with a sentence where Postgres can't be reached or holds no read models.
    """
    quiet_logs()
    settings = settings_or_exit()
    with in_sentences():
        return asyncio.run(_seen(settings, work))


async def _seen(settings: Settings, work: Callable[[Pool], Awaitable[T]]) -> T:
    async with async_pool(settings, "ops") as pool:
        return await work(pool)

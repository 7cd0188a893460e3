"""Opens what chores work with, and closes it in reverse."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Final

from adapters import read_store
from adapters.clock import SystemClock
from adapters.event_log import KafkaEventLog
from adapters.failpoints import Failpoints
from adapters.object_store import S3ObjectStore
from adapters.schema_registry import load_codec
from adapters.settings import Settings
from adapters.subject_keys import KafkaSubjectKeys
from adapters.telemetry import Loop, Metrics
from adapters.topics import require_topics
from ops.housekeeping.chore import Conn, Tools

COMPONENT: Final = "housekeeping"


@asynccontextmanager
async def opened(
    settings: Settings, metrics: Metrics, stop: threading.Event, loop: Loop | None = None
) -> AsyncIterator[Tools]:
    """The tools, until the block's end; waits for brokers and registry, and raises what they refuse with.

    `loop` shows how the follower of people's keys is.
    """
    await asyncio.to_thread(require_topics, settings, stop=stop)
    codec = await asyncio.to_thread(load_codec, settings, stop=stop)
    async with AsyncExitStack() as closing:
        log = KafkaEventLog(settings.kafka, codec, metrics=metrics.log)
        closing.push_async_callback(log.close)
        keys = KafkaSubjectKeys(settings, codec, log, component=COMPONENT, metrics=metrics.keys, loop=loop)
        await asyncio.to_thread(keys.start)
        closing.push_async_callback(asyncio.to_thread, keys.close)
        store = S3ObjectStore(settings.store, metrics=metrics.store)
        closing.push_async_callback(store.close)
        yield Tools(
            settings=settings,
            log=log,
            store=store,
            keys=keys,
            connect=lambda: connected(settings),
            clock=SystemClock(),
            failpoints=Failpoints(settings.runtime.failpoints),
        )


def connection(settings: Settings) -> Conn:
    """A connection in autocommit mode; raises psycopg.OperationalError."""
    conn = read_store.connect(settings, COMPONENT)
    conn.autocommit = True
    return conn


@contextmanager
def connected(settings: Settings) -> Iterator[Conn]:
    """The same for a block."""
    with contextlib.closing(connection(settings)) as conn:
        yield conn

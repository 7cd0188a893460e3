"""The first look: what was purged is removed as soon as the log tells of it, whatever waits before it.

The reactor looks again later, in order and with patience; so this one may fail, and only says so.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import structlog

from adapters.object_store import ObjectStore
from adapters.schema_registry import RegistryError
from adapters.telemetry import Loop
from processors.failures import Outage
from processors.journal import Journal
from processors.look_ahead.log_tail import Span, Tail
from processors.purge.reactor import tells_of_a_purge
from processors.purge.removal import remove
from processors.retries import Retries
from schemas.codec import Codec
from schemas.decode_errors import DecodeError, UnknownEventType
from schemas.envelope import RawRecord
from schemas.events import AssetPurged

_AT_A_TIME: Final = 4

log = structlog.get_logger(__name__)


class FirstLook:
    """Removes what it hears of; to be made in the loop that is to do the work, `heard` from any thread."""

    def __init__(self, store: ObjectStore, codec: Codec, journal: Journal) -> None:
        self._store = store
        self._codec = codec
        self._journal = journal
        self._loop = asyncio.get_running_loop()
        self._room = asyncio.Semaphore(_AT_A_TIME)
        self._tasks: set[asyncio.Task[None]] = set()

    def heard(self, record: RawRecord) -> None:
        """Takes note of a record; returns at once."""
        if not tells_of_a_purge(record):
            return
        try:
            event = self._codec.decode(record.value, headers=record.headers)
        except (DecodeError, UnknownEventType, RegistryError):
            return
        if isinstance(event, AssetPurged):
            self._loop.call_soon_threadsafe(self._begin, event)

    async def close(self) -> None:
        """Ends what is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, event: AssetPurged) -> None:
        task = asyncio.create_task(self._look(event))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _look(self, event: AssetPurged) -> None:
        async with self._room:
            try:
                retries = Retries(budget=0.0, retried=self._journal.retried)
                self._journal.purged(event.asset_id, await remove(self._store, event, retries))
            except Outage as outage:
                log.warning("first_look_failed", asset_id=str(event.asset_id), code=outage.code)
            except Exception:
                log.exception("first_look_failed", asset_id=str(event.asset_id))


class Overheard:
    """A tail whose every record is also told to `heard`."""

    def __init__(self, tail: Tail, heard: Callable[[RawRecord], None]) -> None:
        self._tail = tail
        self._heard = heard

    def spans(self, partitions: Iterable[int]) -> dict[int, Span]:
        """As the Protocol says."""
        return self._tail.spans(partitions)

    def follow(self, starts: Mapping[int, int]) -> None:
        """As the Protocol says."""
        self._tail.follow(starts)

    def leave(self, partitions: Iterable[int]) -> None:
        """As the Protocol says."""
        self._tail.leave(partitions)

    def read(self, seconds: float) -> list[RawRecord]:
        """As the Protocol says."""
        records = self._tail.read(seconds)
        for record in records:
            self._heard(record)
        return records

    def ends(self, partitions: Iterable[int]) -> dict[int, int]:
        """As the Protocol says."""
        return self._tail.ends(partitions)

    def tell(self, loop: Loop) -> None:
        """As the Protocol says."""
        self._tail.tell(loop)

    def committed(self, partitions: Iterable[int]) -> dict[int, int]:
        """As the Protocol says."""
        return self._tail.committed(partitions)

    def close(self) -> None:
        """As the Protocol says."""
        self._tail.close()

"""Takes records, and removes what purged assets left once nobody can be writing to them any more.

As with every reactor nothing is raised out of `take`: a record is done with, or it comes again.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, NoReturn

from adapters.clock import Clock
from adapters.dead_letters import DeadLetterNotWritten, DeadLetters, Reason
from adapters.failpoints import Failpoints
from adapters.object_store import ObjectStore
from adapters.schema_registry import RegistryError
from processors.appender import PATIENCE_SECONDS
from processors.dead_letter_limit import DeadLetterLimit
from processors.failure_policy import BAD_ENDS, UNEXPECTED
from processors.failures import Interruption, Outage
from processors.in_hand import InHand
from processors.interruptible import Interruptible
from processors.journal import Journal
from processors.purge.group import COMPONENT
from processors.purge.removal import remove
from processors.retries import Retries
from schemas.codec import Codec
from schemas.decode_errors import DecodeError, UnknownEventType
from schemas.envelope import RawRecord, read_headers
from schemas.events import AssetPurged

_PAUSE_WITHOUT_A_REGISTRY: Final = 2.0
_PAUSE_AFTER_A_BUG: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the reactor is made of; `longest_job` is how long after a purge a worker may still be writing."""

    store: ObjectStore
    codec: Codec
    letters: DeadLetters
    journal: Journal
    clock: Clock
    failpoints: Failpoints
    retries: Callable[[], Retries]
    limit: DeadLetterLimit
    longest_job: timedelta
    leave: Callable[[str], NoReturn]


def tells_of_a_purge(record: RawRecord) -> bool:
    """Whether the record is a purge or may be one: by its header, which a mirror may have lost."""
    name = read_headers(record.headers).get("ce_type", "").rpartition(".")[2]
    return name in {"", AssetPurged.__name__}


class PurgeReactor:
    """The thorough look: at every purge, in order, `longest_job` after it was said."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._journal = parts.journal
        self._hand = InHand(parts.journal, parts.leave)

    @property
    def in_hand(self) -> int:
        """Records being looked at, waited for or worked on now."""
        return len(self._hand)

    def passes(self, record: RawRecord) -> bool:
        """Whether the record tells of no purge and is done with thereby; `take` is for all others."""
        if tells_of_a_purge(record):
            return False
        self._journal.passed("no_request")
        return True

    async def take(self, record: RawRecord, work: Interruptible) -> bool:
        """Handles one record; whether it is done with. If not, it must be neither acked nor passed over."""
        return await self._hand.take(record, work, self._take)

    async def drain(self, *, last_words: float = 3.0) -> None:
        """Takes no more and lets go of all in hand: it comes again, and removing twice does no harm."""
        self._hand.close()
        self._hand.interrupt(begun=True)
        await self._hand.emptied(last_words)

    async def _take(self, record: RawRecord, work: Interruptible) -> bool:
        try:
            await work.run(self._parts.limit.wait_open())
            event = await self.purge_in(record, work)
            if event is None:
                self._journal.passed("no_request")
                return True
            await work.run(self._until_nobody_writes(record))
            await self._removed(event, record, work)
        except Interruption:
            self._journal.handled(settled=False)
            return False
        self._parts.failpoints.hit("purge.before_commit")
        self._journal.handled(settled=True)
        return True

    async def purge_in(self, record: RawRecord, work: Interruptible) -> AssetPurged | None:
        """The purge that the record tells of, if any; one that can't be read is set aside."""
        if not tells_of_a_purge(record):
            return None
        while True:
            try:
                event = self._parts.codec.decode(record.value, headers=record.headers)
            except RegistryError:
                await work.run(asyncio.sleep(_PAUSE_WITHOUT_A_REGISTRY))
            except UnknownEventType:
                return None
            except DecodeError as error:
                if read_headers(record.headers).get("ce_type"):  # others set aside what says nothing at all
                    await self._set_aside(record, kind="undecodable", code=error.code)
                return None
            else:
                return event if isinstance(event, AssetPurged) else None

    async def _until_nobody_writes(self, record: RawRecord) -> None:
        said = datetime.fromtimestamp(record.timestamp_ms / 1000, UTC)
        left = said + self._parts.longest_job - self._parts.clock.now()
        # A clock that is far off must not stop a partition for longer than a purge ever waits.
        await asyncio.sleep(min(max(left, timedelta()), self._parts.longest_job).total_seconds())

    async def _removed(self, event: AssetPurged, record: RawRecord, work: Interruptible) -> None:
        for attempt in range(1, BAD_ENDS + 1):
            try:
                count = await work.run(remove(self._parts.store, event, self._parts.retries()))
            except Interruption:
                raise
            except Outage as outage:
                await self._set_aside(record, kind=outage.kind, code=outage.code)
                return
            except Exception as error:  # noqa: BLE001 - a bug in the work is tried again, then set aside
                self._journal.fault(error)
                if attempt == BAD_ENDS:
                    await self._set_aside(record, kind="internal", code=UNEXPECTED, attempts=attempt)
                    return
                await work.run(asyncio.sleep(_PAUSE_AFTER_A_BUG))
            else:
                self._journal.purged(event.asset_id, count)
                self._parts.limit.well()
                return

    async def _set_aside(self, record: RawRecord, *, kind: str, code: str, attempts: int = 1) -> None:
        reason = Reason(
            component=COMPONENT,
            code=code,
            error_kind=kind,
            first_failed_at=self._parts.clock.now(),
            attempts=attempts,
        )

        def retried(_code: str, tries: int) -> None:
            self._journal.append_retried(tries)

        async def append() -> None:
            await self._parts.letters.append(record, reason)

        patience = Retries(budget=PATIENCE_SECONDS, retried=retried)
        try:
            await patience.run(append, on={DeadLetterNotWritten: "log_unavailable"})
        except Outage:
            self._parts.leave("the dead letters took nothing for too long")
        self._parts.limit.dead_letter()
        self._journal.set_aside(kind, code)

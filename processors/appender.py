"""Appends what a worker has to say, tries again for a while, and gives the log up for gone after that."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from adapters.clock import Clock
from adapters.dead_letters import DeadLetterNotWritten, DeadLetters, Reason
from adapters.event_log import EventLog, LogUnavailable, OutcomeUnknown
from adapters.faults import fault_of
from adapters.telemetry import Loop
from adapters.telemetry.tracing import continued
from processors.dead_letter_limit import DeadLetterLimit
from processors.failures import LogGone
from processors.jobs import Job
from processors.look_ahead.headers import fact_in
from processors.look_ahead.protocol import LookAhead
from processors.outages import Waits
from schemas.envelope import Metadata, RawRecord, read_headers
from schemas.events import Event

T = TypeVar("T")

# Longer than a broker's restart; a worker that waited for ever would hold its partitions all that time.
PATIENCE_SECONDS = 15.0
_PAUSE_SECONDS = 0.25
_LOG = "log_unavailable"


class Appender:
    """The way out of a processor; `source` stands in every event it says, `component` in dead letters.

    `encoder` names in dead letters what it renders with, if it does.

    `retried` hears of each append that is made again (the same event, so that a repeat does no harm), and
    which repetition it is, counted from 1; `waits` of the outage.
    """

    def __init__(
        self,
        *,
        log: EventLog,
        dead_letters: DeadLetters,
        look_ahead: LookAhead,
        clock: Clock,
        source: str,
        component: str,
        retried: Callable[[int], None],
        limit: DeadLetterLimit,
        encoder: str | None = None,
        retries: float = PATIENCE_SECONDS,
        waits: Waits | None = None,
    ) -> None:
        self._log = log
        self._dead_letters = dead_letters
        self._look_ahead = look_ahead
        self._clock = clock
        self._source = source
        self._component = component
        self._retried = retried
        self._limit = limit
        self._encoder = encoder
        self._patience = retries
        self._waits = waits or Waits(Loop())

    async def say(self, event: Event, *, job: Job, record: RawRecord) -> None:
        """Appends an event that `record` led to, and takes note of it; raises LogGone, RecordTooLarge."""
        headers = read_headers(record.headers)
        metadata = Metadata(
            correlation_id=_uuid(headers.get("correlationid")) or job.cause,
            causation_id=job.cause,
            traceparent=continued(headers.get("traceparent")).traceparent,
            lane=job.lane,
            job_id=job.job_id,
            source=self._source,
        )
        position = await self._persist(
            lambda: self._log.append(event, metadata), on=(LogUnavailable, OutcomeUnknown)
        )
        self._look_ahead.said(position.partition, fact_in(event, position.offset))

    async def set_aside(
        self,
        record: RawRecord,
        *,
        kind: str,
        code: str,
        attempts: int,
        first_failed_at: datetime | None = None,
        error: Exception | None = None,
    ) -> None:
        """Writes a dead letter; `error` is the fault of ours, if it was one. Raises LogGone."""
        now = self._clock.now()
        reason = Reason(
            component=self._component,
            code=code,
            error_kind=kind,
            first_failed_at=first_failed_at or now,
            last_failed_at=now,
            attempts=attempts,
            stack_hash=None if error is None else fault_of(error).stack_hash,
            encoder=self._encoder,
        )
        await self._persist(lambda: self._dead_letters.append(record, reason), on=(DeadLetterNotWritten,))
        self._limit.dead_letter()

    async def _persist(self, append: Callable[[], Awaitable[T]], on: tuple[type[Exception], ...]) -> T:
        deadline, tries = time.monotonic() + self._patience, 0
        wait = self._waits.call((_LOG,))
        try:
            while True:
                try:
                    return wait.answered(await append())
                except on as error:
                    if time.monotonic() >= deadline:
                        raise LogGone(type(error).__name__) from error
                tries += 1
                self._retried(tries)
                wait.meets(_LOG)
                await asyncio.sleep(_PAUSE_SECONDS * (0.5 + random.random()))  # noqa: S311 - jitter, no secret
        finally:
            wait.end()


def _uuid(text: str | None) -> UUID | None:
    try:
        return None if text is None else UUID(text)
    except ValueError:
        return None

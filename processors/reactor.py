"""The reactor: takes a record, has the work done, and turns every way it can end into something said.

Nothing is ever raised out of `take`. What it can't say it does not pass over: the process leaves instead,
nothing is committed, and the record comes again.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn, assert_never

from adapters.clock import Clock, new_id
from adapters.failpoints import Failpoints
from processors.appender import Appender
from processors.dead_letter_limit import DeadLetterLimit
from processors.failure_policy import Verdict, judge, lost
from processors.failures import Interruption, LogGone, Unfit
from processors.in_hand import InHand
from processors.intake import Intake
from processors.interruptible import Interruptible
from processors.jobs import Attempt, Job, Processor
from processors.journal import Journal
from processors.look_ahead.job_index import Begin, GiveUp, Skip, Wait
from processors.look_ahead.protocol import LookAhead
from processors.retries import Retries
from processors.room import Room
from schemas.codec import Codec
from schemas.envelope import RawRecord
from schemas.events import ProcessingFailed, ProcessingStarted

_PAUSE_AFTER_A_BUG = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a reactor is made of. `lane` is the one it works for, `worker` its name in events.

    `room` bounds the jobs that are worked on at a time and deals turns, `leave` ends the process at once.
    """

    codec: Codec
    appender: Appender
    look_ahead: LookAhead
    journal: Journal
    clock: Clock
    failpoints: Failpoints
    retries: Callable[[], Retries]
    room: Room
    limit: DeadLetterLimit
    leave: Callable[[str], NoReturn]
    lane: str
    worker: str


class Reactor:
    """Applies the failure policy around one processor."""

    def __init__(self, processor: Processor, parts: Parts) -> None:
        self._processor = processor
        self._parts = parts
        self._journal = parts.journal
        self._intake = Intake(
            processor,
            codec=parts.codec,
            appender=parts.appender,
            journal=parts.journal,
            lane=parts.lane,
        )
        self._hand = InHand(parts.journal, parts.leave)
        self._reading: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    @property
    def in_hand(self) -> int:
        """Records being looked at or worked on now."""
        return len(self._hand)

    def passes(self, record: RawRecord) -> bool:
        """Whether the record asks nothing of us and is done with thereby; `take` is for all others."""
        return self._intake.passes(record)

    async def take(self, record: RawRecord, work: Interruptible) -> bool:
        """Handles one record; whether it is done with. If not, it must be neither acked nor passed over."""
        return await self._hand.take(record, work, self._take)

    async def drain(self, grace: float, *, last_words: float = 3.0) -> None:
        """Takes no more; lets the work in hand end for `grace` seconds, then interrupts it.

        What was interrupted has `last_words` seconds to say so.
        """
        self._hand.close()
        self._hand.interrupt(begun=False)
        if await self._hand.emptied(grace):
            return
        self._hand.interrupt(begun=True)
        await self._hand.emptied(last_words)

    async def _take(self, record: RawRecord, work: Interruptible) -> bool:
        try:
            job = await self._read(record, work)
        except Interruption:
            return False
        if job is None:
            return True
        settled = await self._admitted(job, record, work)
        self._parts.failpoints.hit("worker.before_commit")
        self._journal.handled(settled)
        return settled

    async def _read(self, record: RawRecord, work: Interruptible) -> Job | None:
        """The record's job, if it asks for one; a partition's records are read one after the other.

        Many are in hand at a time: read side by side, all would go to the dead letters before the limit
        could stop any of them.
        """
        one_at_a_time = self._reading[record.partition]
        await work.run(one_at_a_time.acquire())
        try:
            await work.run(self._parts.limit.wait_open())
            return await self._intake.job_in(record, work)
        finally:
            one_at_a_time.release()

    async def _admitted(self, job: Job, record: RawRecord, work: Interruptible) -> bool:
        """Waits until the log ahead is known and it is the job's turn, then works on it."""
        size = job.request.size
        try:
            await work.run(self._parts.look_ahead.wait_open(record.partition))
            await work.run(self._parts.room.enter(size, owner=str(job.owner_id)))
        except Interruption:
            return False
        try:
            await work.run(self._parts.limit.wait_open())  # it may have been reached since
            work.began = True
            with self._journal.job(job):
                return await self._attempts(job, record, work)
        except Interruption:
            return False
        finally:
            self._parts.room.leave(size)

    async def _attempts(self, job: Job, record: RawRecord, work: Interruptible) -> bool:
        while True:
            known = self._parts.look_ahead.verdict(record.partition, job_id=job.job_id, asset_id=job.asset_id)
            match known:
                case Wait():  # closed again since it was open: a rebalance, or what was read had holes
                    await work.run(self._parts.look_ahead.wait_open(record.partition))
                case Skip(reason):
                    self._journal.skipped(reason)
                    return True
                case GiveUp(attempt):
                    self._journal.failed(lost(), attempt)
                    await self._fail(job, record, attempt, lost(), work)
                    return True
                case Begin():
                    verdict = await self._attempt(job, record, work, known)
                    if verdict is None or verdict.settled:
                        return True
                    if verdict.kind == "interrupted":
                        return False
                    await work.run(asyncio.sleep(_PAUSE_AFTER_A_BUG))
                case _:
                    assert_never(known)

    async def _attempt(
        self, job: Job, record: RawRecord, work: Interruptible, known: Begin
    ) -> Verdict | None:
        """One attempt, from what is said at its start to what is said at its end; None when all is well."""
        await self._start(job, record, known.attempt)
        attempt = Attempt(number=known.attempt, retries=self._parts.retries())
        try:
            result = await work.run(self._processor.work(job, attempt))
            self._parts.failpoints.hit("worker.before_append")
            with self._journal.stage("append"):
                await self._parts.appender.say(result, job=job, record=record)
            self._parts.failpoints.hit("worker.after_append")
        except LogGone:
            raise
        except Exception as error:  # noqa: BLE001 - a bug in the work is an outcome that is said
            verdict = judge(error, known.bad_ends)
            self._journal.failed(verdict, known.attempt, error)
            await self._fail(job, record, known.attempt, verdict, work, error)
            if isinstance(error, Unfit):
                self._parts.leave("this process can render no more")
            return verdict
        self._journal.ready(result)
        self._parts.limit.well()
        return None

    async def _start(self, job: Job, record: RawRecord, attempt: int) -> None:
        self._journal.started(attempt)
        self._parts.failpoints.hit("worker.before_start")
        started = ProcessingStarted(
            event_id=new_id(),
            occurred_at=self._parts.clock.now(),
            asset_id=job.asset_id,
            owner_id=job.owner_id,
            job_id=job.job_id,
            attempt=attempt,
            worker=self._parts.worker,
            lane=job.lane,
        )
        await self._parts.appender.say(started, job=job, record=record)
        self._parts.failpoints.hit("worker.after_start")

    async def _fail(
        self,
        job: Job,
        record: RawRecord,
        attempt: int,
        verdict: Verdict,
        work: Interruptible,
        error: Exception | None = None,
    ) -> None:
        now = self._parts.clock.now()
        work.failed_at = work.failed_at or now
        # The dead letter comes first: were we killed in between, the event alone would end the job.
        if verdict.dead_letter:
            await self._parts.appender.set_aside(
                record,
                kind=verdict.kind,
                code=verdict.code,
                attempts=attempt,
                first_failed_at=work.failed_at,
                error=error if verdict.kind == "internal" else None,
            )
            self._journal.set_aside(verdict.kind, verdict.code)
        failed = ProcessingFailed(
            event_id=job.failure_id(attempt, verdict.kind),
            occurred_at=now,
            asset_id=job.asset_id,
            owner_id=job.owner_id,
            job_id=job.job_id,
            attempt=attempt,
            kind=verdict.kind,
            code=verdict.code,
            retryable=verdict.retryable,
            will_retry=verdict.will_retry,
        )
        await self._parts.appender.say(failed, job=job, record=record)
        if not verdict.dead_letter:
            self._parts.limit.well()

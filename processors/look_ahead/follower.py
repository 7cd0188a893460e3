"""Looks ahead: knows what the log already says of the jobs of this worker's partitions, up to their ends.

A thread reads each partition from where the group stands to its end and keeps up with it from there. The
work of a partition waits for its gate, which opens when the end as it was after the last rebalance is
reached; a partition that nobody has looked at yet is closed. While a rebalance is under way all gates are:
what would be begun then could be begun by the next owner too.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Final
from uuid import UUID

import structlog

from adapters.schema_registry import RegistryError
from adapters.telemetry import Loop
from adapters.telemetry.of_worker import WorkerMetrics
from adapters.telemetry.progress import ReadOn
from processors.failures import Interruption
from processors.look_ahead.at_work import Arrivals, Standing
from processors.look_ahead.headers import Decode, fact_of
from processors.look_ahead.job_index import JobFact, JobIndex, Known, Wait
from processors.look_ahead.log_tail import Tail, TailLost
from schemas.envelope import RawRecord

_READ_SECONDS: Final = 0.1
_PAUSE_SECONDS: Final = 1.0
_FORGET_EVERY_SECONDS: Final = 30.0

log = structlog.get_logger(__name__)


class _Partition:
    """One partition: its notes, the next offset to read and to handle, the end it must reach to open.

    Its end is None until it was asked for since the last rebalance.
    """

    def __init__(self, *, handled: int = 0) -> None:
        self.notes = JobIndex()
        self.next = 0
        self.end: int | None = None
        self.handled = handled
        self.open = False
        self.arrivals = Arrivals()
        self.log_end = 0

    def close(self) -> None:
        self.end = None
        self.open = False


class KafkaLookAhead:
    """The look-ahead over the partitions that are assigned, in a thread of its own.

    `loop` shows how the thread is; `died` is called when it ends by a fault of ours, after which nothing may
    go on.
    """

    def __init__(
        self,
        make_tail: Callable[[], Tail],
        decode: Decode,
        *,
        metrics: WorkerMetrics,
        loop: Loop,
        died: Callable[[BaseException], None],
    ) -> None:
        self._make_tail = make_tail
        self._decode = decode
        self._metrics = metrics
        self._watched = loop
        self._progress = ReadOn()
        loop.reads(self._progress)
        self._died = died
        self._lock = threading.Lock()
        self._partitions: dict[int, _Partition] = {}
        self._rebalances = 0
        self._dealing = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._opened = asyncio.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="look-ahead", daemon=True)

    def start(self) -> None:
        """Begins to read what is assigned; returns at once. To be called in the loop that will wait."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def close(self) -> None:
        """Stops the thread and waits for it."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def revoked(self) -> None:
        """A rebalance begins: nothing new is to be begun until `assigned` tells what is ours."""
        with self._lock:
            self._rebalances += 1
            self._dealing = True
            for known in self._partitions.values():
                known.close()

    def assigned(self, partitions: frozenset[int]) -> None:
        """Takes the full set of partitions that are ours now; those that stay keep their notes.

        Their gates open anew all the same: who was frozen may have missed that another held them meanwhile.
        """
        with self._lock:
            self._rebalances += 1
            self._dealing = False
            kept = {part: known for part, known in self._partitions.items() if part in partitions}
            for known in kept.values():
                known.close()
            self._partitions = {part: kept.get(part) or _Partition() for part in partitions}

    async def wait_open(self, partition: int) -> None:
        """Returns once the partition was read to its end; for ever closed where it is not ours."""
        while not self.is_open(partition):
            await self._opened.wait()

    def is_open(self, partition: int) -> bool:
        """Whether work on the partition may begin."""
        with self._lock:
            known = self._partitions.get(partition)
            return known is not None and known.open

    def verdict(self, partition: int, *, job_id: UUID, asset_id: UUID) -> Known:
        """What is to be done about a record that asks for this job.

        Raises Interruption where the partition was taken away.
        """
        with self._lock:
            if (known := self._partitions.get(partition)) is None:
                raise Interruption("rebalance")
            if not known.open:
                return Wait()
            return known.notes.verdict(job_id=job_id, asset_id=asset_id)

    def said(self, partition: int, fact: JobFact) -> None:
        """Takes note of an event that this worker has just appended, ahead of reading it."""
        with self._lock:
            if (known := self._partitions.get(partition)) is not None:
                known.notes.see(fact)

    def handled(self, partition: int, offset: int) -> None:
        """The record at this offset is done with."""
        with self._lock:
            if (known := self._partitions.get(partition)) is not None:
                known.handled = max(known.handled, offset + 1)

    def lag(self) -> int:
        """How many records of the open partitions are not done with."""
        with self._lock:
            known = [known for known in self._partitions.values() if known.open]
            return sum(max(0, each.next - each.handled) for each in known)

    def standings(self) -> dict[int, Standing]:
        """Of each partition that was looked at: how far the work is."""
        with self._lock:
            return {
                part: Standing(each.handled, max(each.next, each.log_end), each.arrivals.oldest(each.handled))
                for part, each in self._partitions.items()
                if each.next or each.handled or each.open
            }

    def all_open(self) -> bool:
        """Whether no partition of ours waits for the look-ahead."""
        with self._lock:
            return all(known.open for known in self._partitions.values())

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                try:
                    self._follow()
                except TailLost as error:
                    log.warning("look_ahead_lost", error=str(error))
                    self._watched.trouble("log", f"the log can't be read: {error}", error="log: lost")
                    self._begin_anew()
                    self._watched.beat()
                    self._stop.wait(_PAUSE_SECONDS)
        except BaseException as error:  # noqa: BLE001 - a thread that ends in silence would close all gates
            self._died(error)

    def _follow(self) -> None:
        tail = self._make_tail()
        following: dict[int, _Partition] = {}
        forget_at = time.monotonic() + _FORGET_EVERY_SECONDS
        try:
            while not self._stop.is_set():
                self._watched.beat()
                self._adjust(tail, following)
                for record in tail.read(_READ_SECONDS):
                    self._see(following, record)
                self._look(tail, following)
                self._open(following)
                if time.monotonic() >= forget_at:
                    self._forget(tail.committed(following), following)
                    forget_at = time.monotonic() + _FORGET_EVERY_SECONDS
        finally:
            tail.close()

    def _begin_anew(self) -> None:
        """Closes every gate: what was read may have holes."""
        with self._lock:
            self._partitions = {
                partition: _Partition(handled=known.handled) for partition, known in self._partitions.items()
            }

    def _adjust(self, tail: Tail, following: dict[int, _Partition]) -> None:
        """Follows what was assigned since and leaves what was taken away; what came back counts as new."""
        with self._lock:
            if self._dealing:
                return
            rebalances, wanted = self._rebalances, dict(self._partitions)
            unasked = [part for part, known in wanted.items() if known.end is None]
        gone = [part for part, known in following.items() if wanted.get(part) is not known]
        if gone:
            tail.leave(gone)
            for partition in gone:
                del following[partition]
            self._progress.begin({partition: known.next for partition, known in following.items()})
        if not unasked:
            return
        spans = tail.spans(unasked)
        new = {part: wanted[part] for part in unasked if part not in following}
        with self._lock:
            if self._rebalances != rebalances:
                return  # the ends that we were told may be older than the assignment
            for partition in unasked:
                wanted[partition].end = spans[partition].end
            for partition, known in new.items():
                known.next = start = spans[partition].start
                # Who waits for no gate may have handled records, uncommitted yet, before we came to ask.
                known.handled = max(known.handled, start)
        following.update(new)
        self._progress.begin({partition: known.next for partition, known in following.items()})
        tail.follow({partition: spans[partition].start for partition in new})

    def _see(self, following: dict[int, _Partition], record: RawRecord) -> None:
        if (known := following.get(record.partition)) is None:
            return
        try:
            fact = fact_of(record, self._decode)
        except RegistryError as error:
            raise TailLost("a record can't be read without the registry") from error
        with self._lock:
            if fact is not None:
                known.notes.see(fact)
            known.next = record.offset + 1
            known.arrivals.came(record.offset, record.timestamp_ms)
        self._progress.read(record.partition, record.offset, record.timestamp_ms)
        self._metrics.look_ahead_records.of().inc()

    def _look(self, tail: Tail, following: dict[int, _Partition]) -> None:
        ends = tail.ends(following)
        self._progress.told(ends)
        tail.tell(self._watched)
        with self._lock:
            for partition, end in ends.items():
                known = following[partition]
                known.log_end = end
                known.arrivals.forget(known.handled)

    def _open(self, following: dict[int, _Partition]) -> None:
        with self._lock:
            ends = [(known, known.end) for known in following.values() if known.end is not None]
            reached = [known for known, end in ends if not known.open and known.next >= end]
            for known in reached:
                known.open = True
            behind = sum(max(0, end - known.next) for known, end in ends)
        self._metrics.look_ahead_lag.of().set(behind)
        if all(known.open for known in following.values()):
            self._watched.well("log")
        if reached and self._loop is not None:
            self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        self._opened.set()
        self._opened = asyncio.Event()

    def _forget(self, committed: dict[int, int], following: dict[int, _Partition]) -> None:
        with self._lock:
            for partition, offset in committed.items():
                if partition in following:
                    following[partition].notes.forget_before(offset)

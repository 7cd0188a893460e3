"""The loop: records in, batches applied, offsets told; through outages, resets and other projectors."""

import time
from collections import deque
from collections.abc import Sequence
from typing import Any, Final

import psycopg
import structlog

from adapters.hearing import Hearing
from adapters.schema_registry import RegistryError
from projections.aside_limit import HELD, AsideLimit, Held
from projections.behind import Behind
from projections.beside.following import Ahead, Applies
from projections.checkpoints import Fenced
from projections.ground import Ground
from projections.log_reader import Expelled, LogReader
from projections.measures import Measures
from projections.outages import Patience, Stopping
from projections.records import Read, Reading, Record
from projections.redrives import Redrives

_POLL_SECONDS: Final = 0.25
# An idle projector looks this often whether its checkpoints were moved, and whether everything still answers.
_LOOK_SECONDS: Final = 1.0
# This often it says that it follows the log; doors that must hear its verdict ask nothing of a silent one.
_SAY_SECONDS: Final = 1.0
# So far behind it is no help to them either: they would wait in vain.
_NEAR_RECORDS: Final = 1_000
# How often the group hears where we are: nobody reads it but those who watch lags.
_TELL_SECONDS: Final = 1.0
# A member whose word crossed a rebalance or a broker's restart is fenced now and then, though nobody else has
# its name. So often in so short a time, one has.
_FENCED_SECONDS: Final = 60.0
_FENCED_TIMES: Final = 3
# A transaction costs as much as some thirty events in it. So after a
# small batch the next begins only when its time is a tenth of the whole: what comes meanwhile goes together,
# and what comes after a pause does not wait at all.
_SHARE: Final = 0.1
_LONGEST_PACE_SECONDS: Final = 0.05
_SMALL_BATCH: Final = 100
_NO_ANSWER: Final = "broker: no answer"

_log = structlog.get_logger(__name__)


class Projector:
    """One loop over one topic, in the thread that calls `run`."""

    def __init__(
        self,
        *,
        ground: Ground,
        reader: LogReader,
        reading: Reading[Any],
        batches: Applies,
        redrives: Redrives,
        patience: Patience,
        measures: Measures,
        behind: Behind,
        limit: AsideLimit,
        most: int,
    ) -> None:
        """`most` is how many records one transaction folds."""
        self._ground = ground
        self._reader = reader
        self._reading = reading
        self._batches = batches
        self._redrives = redrives
        self._patience = patience
        self._measures = measures
        self._behind = behind
        self._limit = limit
        self._resting = False
        self._most = most
        self._looked_at = 0.0
        self._said_at = 0.0
        self._told_at = 0.0
        self._redrive_at = 0.0
        self._untold = False
        self._next_at = 0.0
        self._hearing = Hearing()
        self._came_back: deque[float] = deque(maxlen=_FENCED_TIMES)

    def run(self) -> None:
        """Goes on until told to stop.

        Raises what means that log and rows no longer belong together, or that this process has lost its
        place: OffsetOutOfRange, TopicReplaced, Diverged, WrongPartitions, Expelled, FormsChanged.
        """
        try:
            while not self._patience.stop.is_set():
                self._patience.beat()
                self._turn()
        except Stopping:
            _log.info("projector.stopped_waiting")

    def _turn(self) -> None:
        if (early := self._next_at - time.monotonic()) > 0:
            self._patience.stop.wait(early)
        resting = self._rests()
        if records := self._read():
            self._answered()
        if records and not resting:
            self._take(records)
        elif time.monotonic() - self._looked_at >= _LOOK_SECONDS:
            self._look()
            self._looked_at = time.monotonic()
        if time.monotonic() >= self._redrive_at:
            self._redrive()
        self._tell()
        if time.monotonic() - self._said_at >= _SAY_SECONDS:
            self._say_alive()
            self._said_at = time.monotonic()
        if self._measures.due():
            self._measures.show(self._reader.positions, self._reader.lags())

    def _rests(self) -> bool:
        """Whether too much was set aside; what comes meanwhile is left, and read once it goes on."""
        held = self._limit.held()
        if held:
            self._reader.rest()  # each time: an assignment may have come in between
            if not self._resting:
                self._patience.condition.trouble("set aside", HELD, error="too much was set aside")
        elif self._resting:
            self._patience.condition.well("set aside")
            self._reader.wake(self._open())
        self._resting = held
        return held

    def _read(self) -> list[Record]:
        """What there is; once fenced the next client of our name goes on, until it comes again and again."""
        try:
            return self._reader.read(self._most, _POLL_SECONDS)
        except Expelled as expelled:
            now = time.monotonic()
            if len(self._came_back) == _FENCED_TIMES and now - self._came_back[0] < _FENCED_SECONDS:
                raise
            _log.warning("member.fenced", reason=str(expelled))
            self._came_back.append(now)
            self._reader.renew(self._patience.pause)
            return []

    def _take(self, records: Sequence[Record]) -> None:
        started = time.monotonic()
        self._behind.read(records)
        batch = self._patience.until_done(
            "schema registry", lambda: self._reading.read_all(records), RegistryError
        )
        try:
            self._patience.until_done("read models", lambda: self._apply(batch))
        except Ahead:
            self._take_up()
        except Fenced as fenced:
            self._measures.fenced()
            _log.warning("batch.fenced", reason=str(fenced))
            self._take_up()
        except Held:
            _log.warning("batch.left", records=len(batch))
        else:
            self._behind.applied(records)
            self._untold = True
            seconds = time.monotonic() - started
            self._next_at = started + min(seconds / _SHARE, _LONGEST_PACE_SECONDS)
            if len(batch) >= _SMALL_BATCH:
                self._next_at = 0.0
            self._measures.batch(len(batch), seconds)

    def _redrive(self) -> None:
        """A part of what an operator wants to be read again; once all is, it is looked for now and then."""
        try:
            more = self._patience.until_done("read models", self._redrive_some, RegistryError)
        except Fenced as fenced:
            self._measures.fenced()
            _log.warning("redrive.fenced", reason=str(fenced))
            self._take_up()
            more = True
        if more:
            self._measures.quarantine(self._patience.until_done("read models", self._ground.quarantined))
        self._redrive_at = time.monotonic() + (0.0 if more else _LOOK_SECONDS)

    def _redrive_some(self) -> bool:
        try:
            return bool(self._reader.positions) and self._redrives.step(self._reader.positions)
        except psycopg.Error:
            self._ground.shake()
            raise

    def _tell(self) -> None:
        if not self._reader.positions:
            # Whoever tells of partitions it lost, as the member it was, is fenced for good.
            self._untold = False
        now = time.monotonic()
        if self._untold and now - self._told_at >= _TELL_SECONDS:
            self._reader.tell()
            self._untold, self._told_at = False, now

    def _say_alive(self) -> None:
        """Of the partitions that it is near the end of, and nothing while anything is wrong."""
        lags = self._reader.lags()
        near = [number for number in self._reader.positions if lags.get(number, 0) <= _NEAR_RECORDS]
        if near and self._patience.condition.reason() is None:
            self._patience.until_done("read models", lambda: self._ground.say_alive(near))

    def _apply(self, batch: Sequence[Read[Any]]) -> None:
        """Applies what of the batch is not applied yet; tried again after outages."""
        positions = self._reader.positions
        if self._ground.shaken and self._ground.find(sorted(positions)) != positions:
            raise Fenced("after an outage the checkpoints are not where they were left")
        rest = [read for read in batch if read.record.offset >= positions[read.record.partition]]
        try:
            if rest:
                self._batches.apply(rest, positions)
        except psycopg.Error:
            self._ground.shake()
            raise

    def _look(self) -> None:
        held = sorted(self._reader.positions)
        found = self._patience.until_done("read models", lambda: self._ground.find(held))
        if found != self._reader.positions:
            _log.warning("checkpoints.moved", found=found, expected=self._reader.positions)
            self._take_up()
        self._measures.quarantine(self._patience.until_done("read models", self._ground.quarantined))
        if self._reader.reachable():
            self._answered()
            return
        self._patience.condition.trouble("broker", _NO_ANSWER, error=_NO_ANSWER)
        self._hearing.unanswered()
        if self._hearing.deaf():
            self._reader.renew(self._patience.pause)

    def _answered(self) -> None:
        self._patience.condition.well("broker")
        self._hearing.answered()

    def _take_up(self) -> None:
        """Reads on from where Postgres says that we stand."""
        self._reader.take_up(self._open())

    def _open(self) -> dict[int, int]:
        self._behind.dropped()
        return self._ground.open(sorted(self._reader.positions))

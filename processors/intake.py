"""The reactor's way in: which job a record asks for, and what becomes of records that nobody can read."""

import asyncio
from typing import Final

from adapters.schema_registry import RegistryError
from processors.appender import Appender
from processors.failure_policy import UNEXPECTED
from processors.interruptible import Interruptible
from processors.jobs import Job, Processor
from processors.journal import Journal
from schemas.codec import Codec
from schemas.codes import Lane
from schemas.decode_errors import DecodeError, UnknownEventType
from schemas.envelope import RawRecord, read_headers
from schemas.events import Event

_UNDECODABLE = "undecodable"
_PAUSE_WITHOUT_A_REGISTRY = 2.0
_SAYS_IT: Final[Lane] = "live"


class _Passed(Exception):
    """The record asks nothing of us."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _BrokeTheCodec(DecodeError):
    """The codec itself failed on the record."""

    code = UNEXPECTED


class Intake:
    """Reads records for one processor and one lane."""

    def __init__(
        self, processor: Processor, *, codec: Codec, appender: Appender, journal: Journal, lane: str
    ) -> None:
        self._processor = processor
        self._codec = codec
        self._appender = appender
        self._journal = journal
        self._lane = lane

    def passes(self, record: RawRecord) -> bool:
        """Whether the record is one of ours and asks nothing of us, counted as such.

        At once, for it is three records of four. Whatever else can be wrong with one is for `job_in` to find.
        """
        try:
            self._asked_by(self._codec.decode(record.value, headers=record.headers))
        except _Passed as passed:
            self._journal.passed(passed.reason)
            return True
        except Exception:  # noqa: BLE001 - job_in meets it again, and says what it is
            return False
        return False

    async def job_in(self, record: RawRecord, work: Interruptible) -> Job | None:
        """The job that the record asks us for; None where it asks nothing of us.

        What can't be read goes to the dead letters first. Raises LogGone, and Interruption where the work
        was interrupted.
        """
        try:
            return await self._asked(record, work)
        except _Passed as passed:
            self._journal.passed(passed.reason)
        except DecodeError as error:
            if self._is_anothers(record):
                self._journal.passed("other_lane")
                return None
            await self._appender.set_aside(record, kind=_UNDECODABLE, code=error.code, attempts=1)
            self._journal.set_aside(_UNDECODABLE, error.code)
        return None

    async def _asked(self, record: RawRecord, work: Interruptible) -> Job:
        lane = read_headers(record.headers).get("lane")
        if lane is not None and lane != self._lane:
            raise _Passed("other_lane")
        return self._asked_by(await self._decoded(record, work))

    def _is_anothers(self, record: RawRecord) -> bool:
        """Whether another lane's worker sets it aside: the live one alone does so with what names no lane."""
        return "lane" not in read_headers(record.headers) and self._lane != _SAYS_IT

    def _asked_by(self, event: Event) -> Job:
        job = self._processor.job_in(event)
        if job is None:
            raise _Passed("no_request")
        if job.lane != self._lane:  # a mirror may have lost the header
            raise _Passed("other_lane")
        return job

    async def _decoded(self, record: RawRecord, work: Interruptible) -> Event:
        tries = 0
        while True:
            try:
                return self._codec.decode(record.value, headers=record.headers)
            except RegistryError:
                # A schema that we have never met, and nobody to ask: no fault of the record's.
                tries += 1
                self._journal.retried("registry_unavailable", tries)
                await work.run(asyncio.sleep(_PAUSE_WITHOUT_A_REGISTRY))
            except UnknownEventType as unknown:
                raise _Passed("unknown_type") from unknown
            except DecodeError:
                raise
            except Exception as error:
                # Bytes that break the codec must not stop the partition.
                self._journal.fault(error)
                raise _BrokeTheCodec(type(error).__name__) from error

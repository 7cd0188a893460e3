"""A job as the reactor knows it, and what every processor offers the reactor."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID, uuid5

from processors.retries import Retries
from schemas.events import Event, UploadCompleted, VariantsReady, VariantsRequested

Request = UploadCompleted | VariantsRequested
Result = VariantsReady


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One piece of work on an asset, asked for by the event `cause`."""

    job_id: UUID
    asset_id: UUID
    owner_id: UUID
    lane: str
    cause: UUID
    request: Request

    @property
    def result_id(self) -> UUID:
        """The event id of this job's result: whoever says it, however often, says the same event."""
        return uuid5(self.job_id, "result")

    def failure_id(self, attempt: int, kind: str) -> UUID:
        """The event id of an attempt's failure; told apart by job, attempt and kind, as the fold does."""
        return uuid5(self.job_id, f"failed/{attempt}/{kind}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try at a job: its number, counted from 1 over all workers, and its retries with outages."""

    number: int
    retries: Retries


class Processor(Protocol):
    """Turns an event that asks for work into the event that says what came of it.

    `component` names it in dead letters and metrics, `source` in the events that it causes.
    """

    component: str
    source: str

    def job_in(self, event: Event) -> Job | None:
        """The job that the event asks for, if it asks this processor for one."""
        ...

    async def work(self, job: Job, attempt: Attempt) -> Result:
        """Does the job; whatever it writes may be written again without harm.

        Raises the exceptions of processors.failures; anything else counts as a bug.
        """
        ...

"""What the log already tells about each job: attempts begun, how they ended, what is done for good.

A fold over the records of one partition, in order; it never raises and a repeat changes nothing.
"""

from dataclasses import dataclass, field
from uuid import UUID

from processors.failure_policy import BAD_ENDS


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFact:
    """One record as far as attempts are concerned; `event` is the bare name of its type."""

    offset: int
    event: str
    asset_id: UUID | None = None
    job_id: UUID | None = None
    attempt: int = 0
    kind: str | None = None
    will_retry: bool = False


@dataclass(slots=True)
class JobNotes:
    """One job: `silent` attempts began and have not ended, `failed` ones ended by a bug of ours."""

    highest: int = 0
    silent: set[int] = field(default_factory=set)
    failed: set[int] = field(default_factory=set)
    excused: set[int] = field(default_factory=set)
    outcome: str | None = None
    last_offset: int = -1


@dataclass(frozen=True, slots=True)
class Begin:
    """Work on it, as this attempt; so many before it ended badly."""

    attempt: int
    bad_ends: int


@dataclass(frozen=True, slots=True)
class Skip:
    """Nothing is left to do: the job is ready, failed or deleted, or its asset is gone."""

    reason: str


@dataclass(frozen=True, slots=True)
class GiveUp:
    """It took its workers with it too often; `attempt` is the last one that began."""

    attempt: int


@dataclass(frozen=True, slots=True)
class Wait:
    """The log ahead is not known just now: ask again once the partition is open."""


Known = Begin | Skip | GiveUp | Wait


class JobIndex:
    """The notes of one partition, fed in the order of its log."""

    def __init__(self) -> None:
        self._jobs: dict[UUID, JobNotes] = {}
        self._gone: dict[UUID, int] = {}

    def __len__(self) -> int:
        return len(self._jobs) + len(self._gone)

    def see(self, fact: JobFact) -> None:
        """Takes one record into account; what does not concern attempts is ignored."""
        if fact.event == "AssetPurged" and fact.asset_id is not None:
            self._gone[fact.asset_id] = fact.offset
        if fact.job_id is None:
            return
        match fact.event:
            case "ProcessingStarted":
                job = self._job(fact)
                job.highest = max(job.highest, fact.attempt)
                if fact.attempt not in job.failed | job.excused:
                    job.silent.add(fact.attempt)
            case "ProcessingFailed":
                self._ended(self._job(fact), fact)
            case "VariantsReady":
                self._job(fact).outcome = "ready"
            case "JobDeleted":
                self._job(fact).outcome = "deleted"
            case _:
                pass

    def verdict(self, *, job_id: UUID, asset_id: UUID) -> Begin | Skip | GiveUp:
        """What is to be done about a record that asks for this job."""
        if asset_id in self._gone:
            return Skip("purged")
        job = self._jobs.get(job_id)
        if job is None:
            return Begin(1, 0)
        if job.outcome is not None:
            return Skip(job.outcome)
        bad_ends = len(job.silent) + len(job.failed)
        if bad_ends >= BAD_ENDS:
            return GiveUp(job.highest)
        return Begin(job.highest + 1, bad_ends)

    def forget_before(self, offset: int) -> None:
        """Drops the notes that no record at or after `offset` can need: their last event is older."""
        self._jobs = {job_id: job for job_id, job in self._jobs.items() if job.last_offset >= offset}
        self._gone = {asset_id: seen for asset_id, seen in self._gone.items() if seen >= offset}

    def _job(self, fact: JobFact) -> JobNotes:
        assert fact.job_id is not None  # noqa: S101 (see() has looked)
        job = self._jobs.setdefault(fact.job_id, JobNotes())
        job.last_offset = max(job.last_offset, fact.offset)
        return job

    def _ended(self, job: JobNotes, fact: JobFact) -> None:
        job.highest = max(job.highest, fact.attempt)
        if not fact.will_retry:
            job.outcome = job.outcome or "failed"
            return
        job.silent.discard(fact.attempt)
        ends = job.excused if fact.kind == "interrupted" else job.failed
        ends.add(fact.attempt)

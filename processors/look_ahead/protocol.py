"""What the reactor asks before it works: is the log known to its end, and what does it say of a job."""

from typing import Protocol
from uuid import UUID

from processors.look_ahead.job_index import JobFact, JobIndex, Known


class LookAhead(Protocol):
    """Notes on the jobs of the partitions that this worker holds."""

    async def wait_open(self, partition: int) -> None:
        """Returns once every record of the partition up to its end is known."""
        ...

    def verdict(self, partition: int, *, job_id: UUID, asset_id: UUID) -> Known:
        """What is to be done about a record that asks for this job.

        Raises Interruption where the partition was taken away.
        """
        ...

    def said(self, partition: int, fact: JobFact) -> None:
        """Takes note of an event that this worker has just appended, ahead of reading it."""
        ...


class InMemoryLookAhead:
    """A look-ahead for tests: it knows what it was told; every partition is open."""

    def __init__(self) -> None:
        self._partitions: dict[int, JobIndex] = {}

    async def wait_open(self, partition: int) -> None:
        """Returns at once."""

    def verdict(self, partition: int, *, job_id: UUID, asset_id: UUID) -> Known:
        """As the Protocol says."""
        return self._notes(partition).verdict(job_id=job_id, asset_id=asset_id)

    def said(self, partition: int, fact: JobFact) -> None:
        """As the Protocol says."""
        self._notes(partition).see(fact)

    def _notes(self, partition: int) -> JobIndex:
        return self._partitions.setdefault(partition, JobIndex())

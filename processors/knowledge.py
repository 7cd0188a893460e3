"""What the reactor asks before it works: has the log been read to its end, and what does it say of a job."""

from typing import Protocol
from uuid import UUID

from processors.attempts import Begin, GiveUp, PartitionNotes, Sighting, Skip


class Knowledge(Protocol):
    """Notes on the jobs of the partitions that this worker holds."""

    async def wait_open(self, partition: int) -> None:
        """Returns once every record of the partition up to its end is known."""
        ...

    def verdict(self, partition: int, *, job_id: UUID, asset_id: UUID) -> Begin | Skip | GiveUp:
        """What is to be done about a record that asks for this job.

        Raises Interruption where the partition was taken away.
        """
        ...

    def said(self, partition: int, sighting: Sighting) -> None:
        """Takes note of an event that this worker has just appended, ahead of reading it."""
        ...


class InMemoryKnowledge:
    """Knowledge for tests, of whatever was said or seen; every partition is open."""

    def __init__(self) -> None:
        self._partitions: dict[int, PartitionNotes] = {}

    async def wait_open(self, partition: int) -> None:
        """Returns at once."""

    def verdict(self, partition: int, *, job_id: UUID, asset_id: UUID) -> Begin | Skip | GiveUp:
        """As the Protocol says."""
        return self._notes(partition).verdict(job_id=job_id, asset_id=asset_id)

    def said(self, partition: int, sighting: Sighting) -> None:
        """As the Protocol says."""
        self._notes(partition).see(sighting)

    def _notes(self, partition: int) -> PartitionNotes:
        return self._partitions.setdefault(partition, PartitionNotes())

"""A gate that closes between a job's admission and its beginning: what the log has said since is heeded."""

import asyncio
from uuid import UUID

from processors.interruptible import Interruptible
from processors.look_ahead.job_index import JobFact, Known, Wait
from processors.look_ahead.protocol import InMemoryLookAhead
from tests.unit.processors.scripted import Scripted, well
from tests.unit.processors.worlds import World, take


class Shutting(InMemoryLookAhead):
    """Open, until it is asked for its verdict; it reopens knowing `learned`, or never."""

    def __init__(self, learned: JobFact | None = None) -> None:
        super().__init__()
        self._learned = learned
        self._shut = True
        self.asked = asyncio.Event()

    async def wait_open(self, partition: int) -> None:
        if not self.asked.is_set():
            return
        if self._learned is None:
            await asyncio.Event().wait()
        else:
            self.said(partition, self._learned)
            self._shut = False

    def verdict(self, partition: int, *, job_id: UUID, asset_id: UUID) -> Known:
        self.asked.set()
        return Wait() if self._shut else super().verdict(partition, job_id=job_id, asset_id=asset_id)


async def test_a_job_waits_for_the_gate_again_and_counts_what_it_then_knows() -> None:
    world, scripted = World(), Scripted(well)
    record = await world.appended(request := await world.request())
    begun = JobFact(offset=1, event="ProcessingStarted", job_id=request.job_id, attempt=1)
    world.look_ahead = Shutting(begun)
    assert await take(world.reactor(scripted), record)
    assert scripted.attempts == [2]


async def test_a_job_that_waits_for_the_gate_can_be_interrupted() -> None:
    world = World()
    record = await world.appended(await world.request())
    gate = world.look_ahead = Shutting()
    work = Interruptible()
    taken = asyncio.create_task(world.reactor(Scripted(well)).take(record, work))
    await asyncio.wait_for(gate.asked.wait(), 5)
    await asyncio.sleep(0)
    work.interrupt("rebalance")
    assert await asyncio.wait_for(taken, 5) is False
    assert world.said() == []

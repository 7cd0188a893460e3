"""A processor whose work is given by the test."""

import asyncio
from collections.abc import Awaitable, Callable

from processors.jobs import Attempt, Job
from schemas.events import Cost, Encoder, Event, Source, UploadCompleted, VariantsReady
from tests.unit.processors.worlds import NOW, PRESET_SET

Work = Callable[[Job, Attempt], Awaitable[None]]


class Scripted:
    """A processor whose work is given; it ends with a result unless the work raises."""

    component = "variants"
    source = "/processors/variants"

    def __init__(self, work: Work) -> None:
        self._work = work
        self.attempts: list[int] = []

    def job_in(self, event: Event) -> Job | None:
        if not isinstance(event, UploadCompleted):
            return None
        return Job(
            job_id=event.job_id,
            asset_id=event.asset_id,
            owner_id=event.owner_id,
            lane=event.lane,
            cause=event.event_id,
            request=event,
        )

    async def work(self, job: Job, attempt: Attempt) -> VariantsReady:
        self.attempts.append(attempt.number)
        await self._work(job, attempt)
        return VariantsReady(
            event_id=job.result_id,
            occurred_at=NOW,
            asset_id=job.asset_id,
            owner_id=job.owner_id,
            job_id=job.job_id,
            attempt=attempt.number,
            source=Source(
                object_key=job.request.object_key,
                size=1,
                format="jpeg",
                width=1,
                height=1,
                orientation=1,
                frames=1,
                animated=False,
                has_alpha=False,
            ),
            variants=(),
            manifest_key="m",
            preset_set=PRESET_SET,
            encoder=Encoder(pillow="1", codecs="1", resizer="1", simd="1"),
            cost=Cost(cpu_ms=1, wall_ms=1, peak_rss_kib=1, bytes_read=1, bytes_written=1),
        )


async def well(_job: Job, _attempt: Attempt) -> None:
    """Work that goes well."""


def raising(*errors: Exception | None) -> Work:
    """Work that raises these in turn, then goes well."""
    left = list(errors)

    async def work(_job: Job, _attempt: Attempt) -> None:
        if left and (error := left.pop(0)) is not None:
            raise error

    return work


async def stuck(_job: Job, _attempt: Attempt) -> None:
    await asyncio.sleep(3600)

"""Starting and steering runs from a shell: an event, and then the word of the read models."""

import asyncio
from collections.abc import Callable
from typing import Final
from uuid import UUID

from adapters.clock import new_id
from api.queries.run_reads import PostgresRunReads
from api.run_shapes import Run, run_shape
from ops.desk import Desk
from ops.waiting import UNREACHABLE, WRONG, leave
from projections.assets.originals import Selection
from projections.runs.queries import RunRow
from schemas.events import RunCancelled, RunPaused, RunResumed, RunStarted

_SOURCE: Final = "/ops/runs"
_LOOK_SECONDS: Final = 0.1
STEPS: Final = {"pause": "paused", "resume": "running", "cancel": "cancelled"}
"""Each step, and the status it leads to."""

_EVENTS: Final[dict[str, type[RunPaused | RunResumed | RunCancelled]]] = {
    "pause": RunPaused,
    "resume": RunResumed,
    "cancel": RunCancelled,
}


async def run_of(desk: Desk, run_id: UUID) -> RunRow:
    """The run; ends the command where there is none."""
    row = await PostgresRunReads(desk.pool).run(run_id)
    return row if row is not None else leave("There is no such run.", code=WRONG)


async def shown(desk: Desk, row: RunRow) -> Run:
    """The run with its progress."""
    reads = PostgresRunReads(desk.pool)
    jobs = await reads.jobs([row.run_id])
    waiting = await reads.waiting(row) if row.ended_at is None else 0
    return run_shape(row, jobs=jobs.get(row.run_id, {}), waiting=waiting)


async def begun(desk: Desk, *, kind: str, preset_set: str, selection: Selection) -> RunRow:
    """A run over everybody's assets, once the read models know it."""
    event = RunStarted(
        event_id=new_id(),
        occurred_at=desk.clock.now(),
        run_id=new_id(),
        actor_id=desk.operator,
        kind=kind,
        filter=selection.to_json(),
        preset_set=preset_set,
    )
    await desk.append(event, source=_SOURCE)
    return await _until(desk, event.run_id, lambda _: True)


async def steered(desk: Desk, row: RunRow, step: str) -> RunRow:
    """The run after the step, as the read models have it; ends the command where it can't be taken."""
    if row.status == STEPS[step]:
        return row
    if row.ended_at is not None:
        leave(f"The run is {row.status}; nothing steers it any more.", code=WRONG)
    event = _EVENTS[step](
        event_id=new_id(),
        occurred_at=desk.clock.now(),
        run_id=row.run_id,
        actor_id=desk.operator,
        expected_version=row.version,
    )
    await desk.append(event, source=_SOURCE)
    after = await _until(desk, row.run_id, lambda found: found.version > row.version)
    if after.status != STEPS[step]:
        leave(f"Somebody else was faster: the run is {after.status}.", code=WRONG)
    return after


async def _until(desk: Desk, run_id: UUID, met: Callable[[RunRow], bool]) -> RunRow:
    reads = PostgresRunReads(desk.pool)
    try:
        async with asyncio.timeout(desk.wait):
            while (row := await reads.run(run_id)) is None or not met(row):  # noqa: ASYNC110 - another writes
                await asyncio.sleep(_LOOK_SECONDS)
    except TimeoutError:
        leave(f"Run {run_id} is in the log; the read models have not said so yet.", code=UNREACHABLE)
    return row

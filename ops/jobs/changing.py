"""What a command asks of one job: to be done again, or to be taken away; and whether it counted."""

from typing import Final
from uuid import UUID

from adapters.clock import new_id
from adapters.read_store import Pool
from api.commands.asked_again import Asking, asked_again
from api.commands.retry_job import ENDED
from ops.desk import Desk
from ops.waiting import UNREACHABLE, WRONG, leave
from projections.jobs.queries import JobRow, job
from projections.preset_sets.queries import preset_sets
from schemas.asset_state import DELETABLE
from schemas.events import JobDeleted, VariantsRequested

_SOURCE: Final = "/ops/jobs"


async def found(pool: Pool, job_id: UUID) -> JobRow:
    """The job; ends the command where there is none."""
    async with pool.connection() as conn:
        row = await job(conn, owner_id=None, job_id=job_id)
    if row is None:
        leave(f"There is no job {job_id}.", code=WRONG)
    return row


async def retried(desk: Desk, job_id: UUID) -> VariantsRequested:
    """Asks for the job again as another; ends the command where that can't be, or did not count."""
    row = await found(desk.pool, job_id)
    original = await desk.work.original(row.asset_id)
    if row.state not in ENDED:
        leave(f"The job is {row.state}; only one that failed or was deleted is tried again.", code=WRONG)
    if original is None:
        leave("Its asset is in the trash, or gone.", code=WRONG)
    async with desk.pool.connection() as conn:
        active = [one.preset_set for one in await preset_sets(conn) if one.active]
    if not active:
        leave("No preset set is active; run `python -m ops presets define`.", code=WRONG)
    asking = Asking(
        reason="retry",
        lane="bulk" if row.lane == "bulk" else "live",
        preset_set=active[0],
        now=desk.clock.now(),
        actor_id=desk.operator,
    )
    event = asked_again(original, asking, event_id=new_id(), job_id=new_id())
    await desk.append(event, source=_SOURCE, causation_id=await desk.work.last_said(row))
    await _must_count(desk, event.event_id)
    return event


async def deleted(desk: Desk, job_id: UUID) -> None:
    """Takes the job away; ends the command where that can't be, or did not count."""
    row = await found(desk.pool, job_id)
    if row.state == "deleted":
        return
    if row.state not in DELETABLE:
        leave(f"The job is {row.state}; only one that waits or failed is deleted.", code=WRONG)
    event = JobDeleted(
        event_id=new_id(),
        occurred_at=desk.clock.now(),
        asset_id=row.asset_id,
        owner_id=row.owner_id,
        actor_id=desk.operator,
        job_id=job_id,
    )
    await desk.append(event, source=_SOURCE, causation_id=await desk.work.last_said(row))
    await _must_count(desk, event.event_id)


async def _must_count(desk: Desk, event_id: UUID) -> None:
    match await desk.accepted(event_id):
        case None:
            leave("It is in the log; whether it counts, the read models have not said yet.", code=UNREACHABLE)
        case False:
            leave("The asset changed meanwhile: it did not count. Look again.", code=WRONG)
        case True:
            return

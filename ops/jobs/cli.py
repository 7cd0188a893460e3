"""`python -m ops jobs …`: what workers do, did and failed at; tried again, taken away."""

import json
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import typer

from adapters.clock import new_id
from api.commands.asked_again import Asking, asked_again
from api.commands.retry_job import ENDED
from api.job_shapes import JobDetail, JobStats, detail_shape, stats_shape
from ops.ages import age
from ops.desk import Desk, at_desk, id_of
from ops.listing import show_table
from ops.waiting import UNREACHABLE, WRONG, Json, Wait, leave
from projections.jobs.queries import JobFilter, JobRow, job
from projections.preset_sets.queries import preset_sets
from schemas.asset_state import DELETABLE, JobStatus
from schemas.codes import Reason
from schemas.events import JobDeleted, VariantsRequested

app = typer.Typer(no_args_is_help=True, help="Jobs: the work that is done on pictures.")

_SOURCE: Final = "/ops/jobs"
Kind = Literal["upload", Reason]
JobId = Annotated[str, typer.Argument(help="A job's id.")]
Id = Annotated[str | None, typer.Option(help="Only this one's.")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="So many at most.")]


@app.command("list")
def list_command(
    state: Annotated[JobStatus | None, typer.Option(help="Only jobs in this state.")] = None,
    kind: Annotated[Kind | None, typer.Option(help="Only jobs asked for so.")] = None,
    asset: Id = None,
    owner: Id = None,
    limit: Limit = 50,
    as_data: Json = False,
) -> None:
    """List jobs, newest first."""
    wanted = JobFilter(
        owner_id=id_of(owner) if owner else None,
        asset_id=id_of(asset) if asset else None,
        state=state,
        kind=kind,
    )
    rows = at_desk(lambda desk: desk.work.jobs_page(wanted, limit=limit, after=None), wait=5.0)
    if as_data:
        typer.echo(json.dumps([_plain(row) for row in rows]))
        return
    if not rows:
        typer.echo("There are no such jobs.")
        return
    now = datetime.now(UTC)
    show_table(
        ("job", "state", "kind", "lane", "age", "error"),
        [
            (str(row.job_id), row.state, row.kind, row.lane, age(row.queued_at, now), row.error_code or "")
            for row in rows
        ],
    )


@app.command()
def show(job_id: JobId, as_data: Json = False) -> None:
    """Show one job with every attempt. Exit code: 0, or 3 where there is none."""
    wanted = id_of(job_id)
    detail = at_desk(lambda desk: _detail(desk, wanted), wait=5.0)
    if as_data:
        typer.echo(detail.model_dump_json())
        return
    shown = detail.model_dump(mode="json", exclude={"history", "last_error", "cost"})
    for name, value in shown.items():
        typer.echo(f"{name}: {'–' if value is None else value}")
    if detail.last_error is not None:
        typer.echo(f"last_error: {detail.last_error.kind}/{detail.last_error.code}")
    if detail.cost is not None:
        typer.echo(f"cost: {', '.join(f'{name} {amount:,}' for name, amount in detail.cost)}")
    for one in detail.history:
        error = f" {one.error.kind}/{one.error.code}" if one.error is not None else ""
        typer.echo(
            f"attempt {one.number}: {one.outcome}{error}, {one.worker}, {one.started_at} – {one.ended_at}"
        )


@app.command()
def retry(job_id: JobId, wait: Wait = 30.0, as_data: Json = False) -> None:
    """Ask for a job that failed or was deleted again, as another job. Exit code: 0, or 3 if it can't be."""
    wanted = id_of(job_id)
    event = at_desk(lambda desk: _retried(desk, wanted), wait=wait)
    said = {"job_id": str(event.job_id), "asset_id": str(event.asset_id)}
    typer.echo(json.dumps(said) if as_data else f"Asked for as job {event.job_id}.")


@app.command()
def delete(job_id: JobId, wait: Wait = 30.0, as_data: Json = False) -> None:
    """Take a job away that waits or that failed. Exit code: 0, or 3 where it can't be."""
    wanted = id_of(job_id)
    at_desk(lambda desk: _deleted(desk, wanted), wait=wait)
    typer.echo(json.dumps({"job_id": job_id, "state": "deleted"}) if as_data else "Deleted.")


@app.command()
def stats(as_data: Json = False) -> None:
    """Show how the work goes: what waits, what ended in the last hour, how long both took."""
    numbers = at_desk(_stats, wait=5.0)
    if as_data:
        typer.echo(numbers.model_dump_json())
        return
    for lane in numbers.lanes:
        states = ", ".join(f"{count} {state}" for state, count in sorted(lane.states.items()))
        typer.echo(f"{lane.lane}: {states}; oldest waiting since {lane.oldest_waiting or '–'}")
        typer.echo(
            f"  last hour: {lane.ended_last_hour} ended; "
            f"waited {_seconds(lane.waiting.p50)} (p95 {_seconds(lane.waiting.p95)}), "
            f"took {_seconds(lane.work.p50)} (p95 {_seconds(lane.work.p95)})"
        )


def _seconds(amount: float | None) -> str:
    return "–" if amount is None else f"{amount:.3f} s"


async def _detail(desk: Desk, job_id: UUID) -> JobDetail:
    row = await _row(desk, job_id)
    return detail_shape(row, await desk.work.attempts(row))


async def _stats(desk: Desk) -> JobStats:
    return stats_shape(await desk.work.job_stats(desk.clock.now()))


async def _retried(desk: Desk, job_id: UUID) -> VariantsRequested:
    row = await _row(desk, job_id)
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


async def _deleted(desk: Desk, job_id: UUID) -> None:
    row = await _row(desk, job_id)
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


async def _row(desk: Desk, job_id: UUID) -> JobRow:
    async with desk.pool.connection() as conn:
        row = await job(conn, owner_id=None, job_id=job_id)
    if row is None:
        leave(f"There is no job {job_id}.", code=WRONG)
    return row


def _plain(row: JobRow) -> dict[str, Any]:
    return {
        "job_id": str(row.job_id),
        "asset_id": str(row.asset_id),
        "owner_id": str(row.owner_id),
        "kind": row.kind,
        "lane": row.lane,
        "state": row.state,
        "attempts": row.attempts,
        "error_kind": row.error_kind,
        "error_code": row.error_code,
        "queued_at": row.queued_at.isoformat(),
    }

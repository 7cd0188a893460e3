"""`python -m ops jobs …`: what workers do, did and failed at; tried again, taken away."""

import json
from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

import typer

from adapters.clock import SystemClock
from adapters.read_store import Pool
from api.job_shapes import JobDetail, JobStats, detail_shape, stats_shape
from api.queries.work import PostgresWork
from ops.ages import age
from ops.desk import at_desk, id_of
from ops.jobs.changing import deleted, found, retried
from ops.jobs.showing import detail_lines, lane_lines, plain
from ops.listing import show_table
from ops.looking import look
from ops.waiting import Json, Wait
from projections.jobs.queries import JobFilter
from schemas.asset_state import JobStatus
from schemas.codes import Reason

app = typer.Typer(no_args_is_help=True, help="Jobs: the work that is done on pictures.")

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
    run: Id = None,
    limit: Limit = 50,
    as_data: Json = False,
) -> None:
    """List jobs, newest first."""
    wanted = JobFilter(
        owner_id=id_of(owner) if owner else None,
        asset_id=id_of(asset) if asset else None,
        run_id=id_of(run) if run else None,
        state=state,
        kind=kind,
    )
    rows = look(lambda pool: PostgresWork(pool).jobs_page(wanted, limit=limit + 1, after=None))
    shown = rows[:limit]
    if as_data:
        typer.echo(json.dumps([plain(row) for row in shown]))
    elif not rows:
        typer.echo("There are no such jobs.")
    else:
        now = datetime.now(UTC)
        show_table(
            ("job", "state", "kind", "lane", "age", "error"),
            [
                (
                    str(row.job_id),
                    row.state,
                    row.kind,
                    row.lane,
                    age(row.queued_at, now),
                    row.error_code or "",
                )
                for row in shown
            ],
        )
    if len(rows) > limit:
        typer.echo(f"There are more than these {limit}; --limit shows more.", err=True)


@app.command()
def show(job_id: JobId, as_data: Json = False) -> None:
    """Show one job with every attempt. Exit code: 0, or 3 where there is none."""
    wanted = id_of(job_id)
    detail = look(lambda pool: _detail(pool, wanted))
    if as_data:
        typer.echo(detail.model_dump_json())
        return
    for line in detail_lines(detail):
        typer.echo(line)


@app.command()
def retry(job_id: JobId, wait: Wait = 30.0, as_data: Json = False) -> None:
    """Ask for a job that failed or was deleted again, as another job. Exit code: 0, or 3 if it can't be."""
    wanted = id_of(job_id)
    event = at_desk(lambda desk: retried(desk, wanted), wait=wait)
    said = {"job_id": str(event.job_id), "asset_id": str(event.asset_id)}
    typer.echo(json.dumps(said) if as_data else f"Asked for as job {event.job_id}.")


@app.command()
def delete(job_id: JobId, wait: Wait = 30.0, as_data: Json = False) -> None:
    """Take a job away that waits or that failed. Exit code: 0, or 3 where it can't be."""
    wanted = id_of(job_id)
    at_desk(lambda desk: deleted(desk, wanted), wait=wait)
    typer.echo(json.dumps({"job_id": str(wanted), "state": "deleted"}) if as_data else "Deleted.")


@app.command()
def stats(as_data: Json = False) -> None:
    """Show how the work goes: what waits, what ended in the last hour, how long both took."""
    numbers = look(_stats)
    if as_data:
        typer.echo(numbers.model_dump_json())
        return
    if not numbers.lanes:
        typer.echo("There have been no jobs yet.")
    for lane in numbers.lanes:
        for line in lane_lines(lane):
            typer.echo(line)


async def _detail(pool: Pool, job_id: UUID) -> JobDetail:
    row = await found(pool, job_id)
    return detail_shape(row, await PostgresWork(pool).attempts(row))


async def _stats(pool: Pool) -> JobStats:
    return stats_shape(await PostgresWork(pool).job_stats(SystemClock().now()))

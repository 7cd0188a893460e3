"""`python -m ops runs …`: work on many assets at once, followed and steered."""

import asyncio
import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Final
from uuid import UUID

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from api.queries.run_reads import PostgresRunReads
from api.run_shapes import Run
from ops.ages import age
from ops.desk import Desk, at_desk, id_of
from ops.listing import show_table
from ops.runs.steering import run_of, shown, steered
from ops.waiting import Json, Wait

app = typer.Typer(no_args_is_help=True, help="Runs: work on many assets at once.")

_LOOK_SECONDS: Final = 1.0
RunId = Annotated[str, typer.Argument(help="A run's id.")]


@app.command("list")
def list_command(
    limit: Annotated[int, typer.Option("--limit", min=1, help="So many at most.")] = 20, as_data: Json = False
) -> None:
    """List runs, newest first."""
    runs = at_desk(lambda desk: _latest(desk, limit), wait=5.0)
    if as_data:
        typer.echo(json.dumps([run.model_dump(mode="json") for run in runs]))
        return
    if not runs:
        typer.echo("There are no runs.")
        return
    now = datetime.now(UTC)
    show_table(
        ("run", "kind", "status", "age", "done of all"),
        [(str(run.id), run.kind, run.status, age(run.started_at, now), _progress(run)) for run in runs],
    )


@app.command()
def show(run_id: RunId, as_data: Json = False) -> None:
    """Show one run. Exit code: 0, or 3 where there is none."""
    wanted = id_of(run_id)
    _say(at_desk(lambda desk: _shown(desk, wanted), wait=5.0), as_data=as_data)


@app.command()
def watch(run_id: RunId, as_data: Json = False) -> None:
    """Follow a run to its end: how far it is, at what rate, how long it may take."""
    wanted = id_of(run_id)
    _say(at_desk(lambda desk: _watched(desk, wanted, quiet=as_data), wait=5.0), as_data=as_data)


@app.command()
def pause(run_id: RunId, wait: Wait = 30.0, as_data: Json = False) -> None:
    """Ask for nothing more until it is resumed. Exit code: 0, or 3 where that can't be."""
    _step(run_id, "pause", wait, as_data=as_data)


@app.command()
def resume(run_id: RunId, wait: Wait = 30.0, as_data: Json = False) -> None:
    """Go on. Exit code: 0, or 3 where that can't be."""
    _step(run_id, "resume", wait, as_data=as_data)


@app.command()
def cancel(run_id: RunId, wait: Wait = 30.0, as_data: Json = False) -> None:
    """Ask for nothing more, for good. Exit code: 0, or 3 where that can't be."""
    _step(run_id, "cancel", wait, as_data=as_data)


def _step(run_id: str, step: str, wait: float, *, as_data: bool) -> None:
    wanted = id_of(run_id)

    async def work(desk: Desk) -> Run:
        return await shown(desk, await steered(desk, await run_of(desk, wanted), step))

    _say(at_desk(work, wait=wait), as_data=as_data)


async def _latest(desk: Desk, limit: int) -> Sequence[Run]:
    rows = await PostgresRunReads(desk.pool).page(owner_id=None, limit=limit, before=None)
    return [await shown(desk, row) for row in rows]


async def _shown(desk: Desk, run_id: UUID) -> Run:
    return await shown(desk, await run_of(desk, run_id))


async def _watched(desk: Desk, run_id: UUID, *, quiet: bool) -> Run:
    run, began = await _shown(desk, run_id), time.monotonic()
    already = _ended(run)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), disable=quiet) as progress:
        task = progress.add_task(run.kind, rate="")
        while True:
            rate = (_ended(run) - already) / max(time.monotonic() - began, 0.001)
            progress.update(
                task,
                description=f"{run.kind}, {run.status}",
                completed=_ended(run),
                total=_all(run),
                rate=f"{rate:.1f}/s",
            )
            if run.ended_at is not None and not run.counts.queued + run.counts.active:
                return run
            await asyncio.sleep(_LOOK_SECONDS)
            run = await _shown(desk, run_id)


def _ended(run: Run) -> int:
    return run.counts.completed + run.counts.failed


def _all(run: Run) -> int:
    return (run.counts.waiting or 0) + run.counts.requested


def _progress(run: Run) -> str:
    failed = f", {run.counts.failed} failed" if run.counts.failed else ""
    return f"{_ended(run)}/{_all(run)}{failed}"


def _say(run: Run, *, as_data: bool) -> None:
    if as_data:
        typer.echo(run.model_dump_json())
        return
    for name, value in run.model_dump(mode="json", exclude={"counts", "filter"}).items():
        typer.echo(f"{name}: {value}")
    typer.echo(f"filter: {run.filter.model_dump_json(exclude_defaults=True)}")
    typer.echo(", ".join(f"{count} {name}" for name, count in run.counts.model_dump().items()))

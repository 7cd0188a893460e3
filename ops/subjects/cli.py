"""`python -m ops subjects …`: people's data keys, and the proof that those of an erased person are gone."""

import asyncio
import json
from dataclasses import asdict
from typing import Annotated, Final
from uuid import UUID

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from adapters.settings import settings_or_exit
from ops.subjects import readable
from ops.subjects.compaction import fill, short_segments, wait_until_gone
from ops.subjects.key_records import Place, outlived_places
from ops.subjects.opened import SOURCE, Opened, opened
from ops.waiting import WRONG, Json, Wait, leave, quiet_logs

app = typer.Typer(no_args_is_help=True, help="People's data keys: wrapped anew, and proved to be gone.")

_SHOWN: Final = 20
Seconds = Annotated[float, typer.Option("--seconds", min=0, help="How long the brokers may take to compact.")]


@app.command("verify-erasure")
def verify_erasure(user_id: UUID, wait: Wait = 60.0, as_data: Json = False) -> None:
    """Look for anything readable of a person: log, keys, their topic's segments, rows, objects, a rebuild.

    Exit code: 0 nothing is readable, 3 something is, 1 a server can't be reached.
    """
    quiet_logs()
    with opened(settings_or_exit(), wait=wait) as held:
        findings = asyncio.run(readable.look(user_id, held, _say_unless(as_data)))
    well = not any(finding.found for finding in findings)
    if as_data:
        told = {"user_id": str(user_id), "unreadable": well, "places": [asdict(each) for each in findings]}
        typer.echo(json.dumps(told, indent=1))
    else:
        for finding in findings:
            verdict = "nothing readable" if not finding.found else f"{len(finding.found)} readable"
            typer.echo(f"{finding.place}: {finding.looked_at} looked at, {verdict}")
            for each in finding.found[:_SHOWN]:
                typer.echo(f"  {each}")
    if not well:
        raise typer.Exit(WRONG)


@app.command()
def rewrap(wait: Wait = 60.0, as_data: Json = False) -> None:
    """Wrap every living key by the first master key of MASTER_KEY; killed, the next run goes on.

    When it is done the other master keys may be taken out of MASTER_KEY. Exit code: 0, or 3 where a key's
    master key is missing.
    """
    quiet_logs()
    columns = (TextColumn("wrapping"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with (
        opened(settings_or_exit(), wait=wait) as held,
        Progress(*columns, disable=as_data, console=Console(stderr=True)) as progress,
    ):
        task = progress.add_task("wrapping", total=None)
        anew = held.custody.rewrap(lambda done, of: progress.update(task, completed=done, total=of))
        held.custody.wait_until_current(wait)  # and with it, markers that were crossed are said again
        first = held.settings.secrets.master_keys[0].key_id
    if as_data:
        typer.echo(json.dumps({"master_key_id": first, **asdict(anew)}))
    else:
        typer.echo(f"Wrapped by {first}: {anew.done} anew, {anew.before} before.")
    if anew.unwrappable:
        leave(
            f"{anew.unwrappable} keys can't be unwrapped: MASTER_KEY lacks the master key that wraps them.",
            code=WRONG,
        )


@app.command()
def compact(seconds: Seconds = 120.0, wait: Wait = 60.0, as_data: Json = False) -> None:
    """Have the brokers compact the key topic now, until no erased key is left in its segments.

    Exit code: 0, or 3 where some still are when the time is over.
    """
    quiet_logs()
    with opened(settings_or_exit(), wait=wait) as held:
        outlived = outlived_places(held.settings.kafka, held.codec)
        left = _compacted(held, outlived, seconds, quiet=as_data)
    if as_data:
        typer.echo(json.dumps({"outlived": len(outlived), "left": len(left)}))
    else:
        typer.echo(f"Erased or replaced keys in the segments: {len(outlived)} before, {len(left)} now.")
    if left:
        raise typer.Exit(WRONG)


def _compacted(held: Opened, outlived: list[Place], seconds: float, *, quiet: bool) -> list[Place]:
    kafka = held.settings.kafka
    with short_segments(kafka), Console(stderr=True, quiet=quiet).status("compacting") as status:
        fill(kafka, held.log, source=SOURCE)
        return wait_until_gone(
            kafka,
            held.log,
            outlived,
            source=SOURCE,
            seconds=seconds,
            told=lambda left: status.update(f"compacting: {left} old records are left"),
        )


def _say_unless(quiet: bool) -> readable.Told:
    def say(what: str) -> None:
        if not quiet:
            typer.echo(f"Reading {what} …", err=True)

    return say

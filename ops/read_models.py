"""`python -m ops read-models …`: install, look at and replay what the projector keeps."""

import json
import time
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Annotated, Any, Final

import psycopg
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from adapters.settings import Settings, settings_or_exit
from ops import read_models_forms, read_models_rebuild
from ops.read_models_ground import connection, ends_of, loops_of
from projections import operating
from projections.checkpoints import Loop, LoopName
from projections.forms import EVERY
from projections.rebuild import copies
from projections.topic import partitions_of

app = typer.Typer(no_args_is_help=True, help="The read models: rows that are folded from the log.")

read_models_rebuild.add_to(app)

_LOOK_SECONDS: Final = 0.2

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Only = Annotated[
    LoopName | None, typer.Option("--loop", help="Only the read models of this log; all where none is named.")
]
Wait = Annotated[bool, typer.Option("--wait", help="Wait until all that the log holds now is applied.")]


@app.command()
def install(as_json: Json = False) -> None:
    """Make the tables of every read model, and the views that queries read; safe to repeat.

    Where another release left an older form of them that no projector keeps, their rows are dropped and the
    log is replayed. Where one does, the new form is built beside it, by this release's projector.
    """
    replayed = renew(settings_or_exit(), quiet=as_json)
    schemas = [model.schema for model in EVERY]
    said = {"schemas": schemas, "replayed": list(replayed)}
    typer.echo(json.dumps(said) if as_json else f"Installed: {', '.join(schemas)}.")


def renew(settings: Settings, *, quiet: bool = False) -> tuple[str, ...]:
    """Install all read models; says which are replayed because they have a new form, and returns their names.

    Raises typer.Exit, its sentence said on stderr, without a database.
    """
    replayed: tuple[str, ...] = ()
    with connection(settings) as conn:
        for loop in loops_of(settings, None):
            if older := operating.renew(conn, loop):
                replayed += older
                if not quiet:
                    typer.echo(f"A new form of {', '.join(older)}: {loop.topic} is replayed.")
            elif not quiet and (said := read_models_forms.described(conn, loop)):
                typer.echo("\n".join(read_models_forms.sentences(said)))
    return replayed


@app.command()
def status(loop: Only = None, as_json: Json = False) -> None:
    """Show how far the read models have come, and what is set aside."""
    settings = settings_or_exit()
    said = _status(settings, loops_of(settings, loop))
    if as_json:
        typer.echo(json.dumps(said))
    else:
        _print_status(said)


@app.command()
def reset(loop: Only = None, wait: Wait = False, as_json: Json = False) -> None:
    """Drop all rows and replay them from the log's beginning; safe while the projector runs."""
    settings = settings_or_exit()
    loops = loops_of(settings, loop)
    with connection(settings) as conn:
        for each in loops:
            operating.reset(conn, each)
    if wait:
        _wait(settings, loops, quiet=as_json)
    if as_json:
        typer.echo(json.dumps(_status(settings, loops)))
    elif not wait:
        typer.echo(
            "Rows dropped; the projector replays them. `python -m ops read-models status` shows how far."
        )


def _status(settings: Settings, loops: Sequence[Loop]) -> dict[str, Any]:
    with connection(settings) as conn:
        standings = [operating.standing(conn, loop) for loop in loops]
        stands = [
            read_models_rebuild.described(copy, partitions_of(settings.kafka, loop.topic))
            for loop in loops
            for copy in copies.every(conn, loop).values()
        ]
        forms = [said for loop in loops if (said := read_models_forms.described(conn, loop))]
    told = [_loop_status(settings, *each) for each in zip(loops, standings, strict=True)]
    return {
        "loops": told,
        "read_models": [
            {"name": version.name, "version": version.version, "active": version.active}
            for version in standings[0].versions
        ],
        "copies": stands,
        "forms": forms,
        "lag": sum(each["lag"] for each in told),
        "set_aside": sum(each["set_aside"] for each in told),
    }


def _loop_status(settings: Settings, loop: Loop, standing: operating.Standing) -> dict[str, Any]:
    partitions = [
        {
            "partition": partition,
            "position": standing.positions.get(partition, 0),
            "end": end,
            "lag": max(0, end - standing.positions.get(partition, 0)),
        }
        for partition, end in sorted(ends_of(settings, loop).items())
    ]
    return {
        "loop": loop.name,
        "topic": loop.topic,
        "partitions": partitions,
        "lag": sum(each["lag"] for each in partitions),
        "set_aside": standing.set_aside,
    }


def _print_status(said: dict[str, Any]) -> None:
    console = Console()
    for loop in said["loops"]:
        table = Table(title=loop["topic"])
        for column in ("partition", "position", "end", "lag"):
            table.add_column(column, justify="right")
        for each in loop["partitions"]:
            table.add_row(*(str(each[column]) for column in ("partition", "position", "end", "lag")))
        console.print(table)
    shown = [
        f"{each['name']} v{each['version']}{'' if each['active'] else ' (not active)'}"
        for each in said["read_models"]
    ]
    console.print(
        f"Read models: {', '.join(shown) or 'none installed'}. "
        f"Lag: {said['lag']}. Set aside: {said['set_aside']}."
    )
    for copy in said["copies"]:
        console.print(read_models_rebuild.sentence(copy))
    for sentence in chain.from_iterable(read_models_forms.sentences(each) for each in said["forms"]):
        console.print(sentence)


def _wait(settings: Settings, loops: Sequence[Loop], *, quiet: bool) -> None:
    """Shows progress until what the logs hold now is applied, however long the projector takes."""
    goals = [(loop, ends_of(settings, loop)) for loop in loops]
    total = sum(sum(goal.values()) for _, goal in goals)
    columns = (TextColumn("replaying"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, disable=quiet) as progress, connection(settings) as conn:
        task = progress.add_task("replaying", total=total)
        while (done := sum(_done(conn, loop, goal) for loop, goal in goals)) < total:
            progress.update(task, completed=done)
            time.sleep(_LOOK_SECONDS)
        progress.update(task, completed=done)


def _done(conn: psycopg.Connection[Any], loop: Loop, goal: Mapping[int, int]) -> int:
    at = operating.standing(conn, loop).positions
    return sum(min(at.get(partition, 0), end) for partition, end in goal.items())

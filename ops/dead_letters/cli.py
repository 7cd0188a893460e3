"""`python -m ops dead-letters …`: records that no one could work on, done again or given up for good."""

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import Progress

from adapters.clock import new_id
from api.commands.resume_workers import Stoppable, decide
from api.letter_filter import LetterFilter
from api.letters import Standing
from ops.dead_letters import acting
from ops.dead_letters.acting import Came
from ops.dead_letters.choosing import CONDITIONS, Chosen, by_ids, chosen, filter_of, ids_of
from ops.dead_letters.showing import UNDONE, letter_lines, outcome_lines, plain, say_left_out, show_letters
from ops.desk import Desk, at_desk
from ops.waiting import WRONG, Json, Wait, leave

app = typer.Typer(no_args_is_help=True, help="Dead letters: records that no one could work on.")

_SOURCE: Final = "/ops/dead-letters"
_NOT_DONE: Final = 4
Act = Callable[[Desk, Standing], Awaitable[Came]]
Ids = Annotated[list[str] | None, typer.Argument(help="Letters, as `list` names them.")]
Where = Annotated[
    list[str] | None,
    typer.Option("--where", help=f"A condition name=value, all must hold: {CONDITIONS}."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Name the letters that are meant, and do nothing.")]
Most = Annotated[int, typer.Option("--max", min=1, help="So many at most.")]
Everything = Annotated[bool, typer.Option("--all", help="Those on which nothing hangs any more, too.")]


@app.command("list")
def list_command(
    where: Where = None, everything: Everything = False, most: Most = 100, as_data: Json = False
) -> None:
    """List dead letters on which something hangs, newest first; what is left out is counted on stderr."""
    wanted = filter_of(where or [])
    found = at_desk(lambda desk: chosen(desk, wanted, everything=everything, most=most), wait=5.0)
    if as_data:
        typer.echo(json.dumps([plain(standing) for standing in found.letters]))
    elif not found.letters:
        typer.echo("There are no such dead letters.")
    else:
        show_letters(found.letters)
    say_left_out(found, most)


@app.command()
def show(letter_id: str, as_data: Json = False) -> None:
    """Show one letter: who, where, why, and what hangs on it. Exit code: 0, or 3 where there is none."""
    ids = ids_of([letter_id])
    (standing,) = at_desk(lambda desk: by_ids(desk, ids), wait=5.0)
    if as_data:
        typer.echo(json.dumps(plain(standing) | {"headers": standing.letter.headers}))
        return
    for line in letter_lines(standing):
        typer.echo(line)


@app.command()
def redrive(
    letters: Ids = None,
    where: Where = None,
    most: Most = 100,
    dry_run: DryRun = False,
    wait: Wait = 30.0,
    as_data: Json = False,
) -> None:
    """Do again what was given up: records that were set aside are read again in order, jobs asked for anew.

    Exit code: 0, or 4 where a letter is not done with.
    """
    _act(acting.redrive, letters or [], where or [], most, dry_run=dry_run, wait=wait, as_data=as_data)


@app.command()
def discard(
    letters: Ids = None,
    where: Where = None,
    most: Most = 100,
    dry_run: DryRun = False,
    wait: Wait = 30.0,
    as_data: Json = False,
) -> None:
    """Give records up for good: an event says so in their own log, and those that waited behind go on.

    Exit code: 0, or 4 where a letter is not done with.
    """
    _act(acting.discard, letters or [], where or [], most, dry_run=dry_run, wait=wait, as_data=as_data)


@app.command()
def resume(
    component: Annotated[Stoppable, typer.Argument(help="Who is to go on.")] = "variants",
    as_data: Json = False,
) -> None:
    """Tell workers or projectors that stopped for too many dead letters to go on: each of them hears it."""
    position = at_desk(lambda desk: _resumed(desk, component), wait=5.0)
    if as_data:
        typer.echo(json.dumps({"component": component, "offset": position}))
    else:
        typer.echo(f"Told. Whoever of {component} had stopped goes on; `/readyz` of each says so.")


def _act(
    act: Act,
    letters: Sequence[str],
    where: Sequence[str],
    most: int,
    *,
    dry_run: bool,
    wait: float,
    as_data: bool,
) -> None:
    if bool(letters) == bool(where):
        raise typer.BadParameter("name letters, or give conditions with --where")
    ids, wanted = ids_of(letters), filter_of(where)
    if len(ids) > most:
        leave(f"{len(ids)} letters are meant, and --max is {most}.", code=WRONG)
    if dry_run:
        _say_meant(at_desk(lambda desk: _meant(desk, ids, wanted, most), wait=wait), most, as_data=as_data)
        return
    found, came = at_desk(lambda desk: _done(desk, act, ids, wanted, most), wait=wait)
    if as_data:
        typer.echo(json.dumps(came))
    else:
        for line in outcome_lines(came):
            typer.echo(line)
    say_left_out(found, most)
    if UNDONE & set(came.values()):
        raise typer.Exit(_NOT_DONE)


def _say_meant(found: Chosen, most: int, *, as_data: bool) -> None:
    if as_data:
        states = {each.letter.letter_id: f"would be: {each.state}" for each in found.letters}
        typer.echo(json.dumps(states))
    elif not found.letters:
        typer.echo("No letter is meant.")
    else:
        show_letters(found.letters)
        typer.echo(f"{len(found.letters)} are meant; nothing was done.")
    say_left_out(found, most)


async def _meant(desk: Desk, ids: Sequence[str], wanted: LetterFilter, most: int) -> Chosen:
    if ids:
        return Chosen(letters=await by_ids(desk, ids), over=0, more=False)
    return await chosen(desk, wanted, everything=False, most=most)


async def _done(
    desk: Desk, act: Act, ids: Sequence[str], wanted: LetterFilter, most: int
) -> tuple[Chosen, dict[str, Came]]:
    """By letter what came of it. What one of them frees is met again further down, and is over then."""
    found = await _meant(desk, ids, wanted, most)
    came: dict[str, Came] = {}
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("dead letters", total=len(found.letters))
        for standing in reversed(found.letters):  # the oldest first
            came[standing.letter.letter_id] = await act(desk, standing)
            progress.advance(task)
    return found, came


async def _resumed(desk: Desk, component: str) -> int:
    event = decide(component, new_id(), now=desk.clock.now(), actor_id=desk.operator)
    return (await desk.append(event, source=_SOURCE)).offset

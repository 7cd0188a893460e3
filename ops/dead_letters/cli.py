"""`python -m ops dead-letters …`: records that no one could work on, done again or given up for good."""

import json
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

import typer
from rich.console import Console
from rich.progress import Progress

from adapters.clock import new_id
from api.letter_filter import LetterFilter
from api.letter_shapes import letter_shape
from api.letters import Standing
from ops.ages import age
from ops.dead_letters import acting
from ops.dead_letters.acting import Came
from ops.dead_letters.choosing import CONDITIONS, by_filter, by_ids, filter_of
from ops.desk import Desk, at_desk
from ops.listing import show_table
from ops.waiting import WRONG, Json, Wait, leave
from schemas.events import WorkersResumed

app = typer.Typer(no_args_is_help=True, help="Dead letters: records that no one could work on.")

_SOURCE: Final = "/ops/dead-letters"
_NOT_DONE: Final = 4
Stopped = Literal["variants", "purge", "projector"]
Act = Callable[[Desk, Standing], Awaitable[Came]]
Ids = Annotated[list[str] | None, typer.Argument(help="Letters, as `list` names them.")]
Where = Annotated[
    list[str] | None,
    typer.Option("--where", help=f"A condition name=value, all must hold: {CONDITIONS}."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]
Most = Annotated[int, typer.Option("--max", min=1, help="So many at most.")]
Everything = Annotated[bool, typer.Option("--all", help="Those on which nothing hangs any more, too.")]


@app.command("list")
def list_command(
    where: Where = None, everything: Everything = False, most: Most = 100, as_data: Json = False
) -> None:
    """List dead letters on which something hangs, newest first."""
    wanted = filter_of(where or [])
    found = at_desk(lambda desk: _listed(desk, wanted, everything, most), wait=5.0)
    if as_data:
        typer.echo(json.dumps([_plain(standing) for standing in found]))
        return
    if not found:
        typer.echo("There are no such dead letters.")
        return
    show_table(
        ("letter", "component", "code", "state", "wait", "age", "position"), [_row(each) for each in found]
    )


@app.command()
def show(letter_id: str, as_data: Json = False) -> None:
    """Show one letter: who, where, why, and what hangs on it. Exit code: 0, or 3 where there is none."""
    (standing,) = at_desk(lambda desk: by_ids(desk, [letter_id]), wait=5.0)
    said = _plain(standing) | {"headers": standing.letter.headers}
    if as_data:
        typer.echo(json.dumps(said))
        return
    for name, value in said.items():
        typer.echo(f"{name}: {value}")


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
    component: Annotated[Stopped, typer.Argument(help="Who is to go on.")] = "variants",
    as_data: Json = False,
) -> None:
    """Tell workers or projectors that stopped for too many dead letters to go on: each of them hears it."""
    position = at_desk(lambda desk: _resumed(desk, component), wait=5.0)
    if as_data:
        typer.echo(json.dumps({"component": component, "offset": position}))
    else:
        typer.echo(f"Told. Whoever of {component} had stopped goes on; `/readyz` of each says so.")


def _row(standing: Standing) -> tuple[str, ...]:
    said = letter_shape(standing)
    waiting = "" if said.waiting is None else str(said.waiting)
    last = "" if said.last_failed_at is None else age(said.last_failed_at, datetime.now(UTC))
    position = f"{said.topic}/{said.partition}/{said.offset}"
    return said.id, said.component, said.code, said.state, waiting, last, position


async def _listed(desk: Desk, wanted: LetterFilter, everything: bool, most: int) -> list[Standing]:
    found = []
    async for standing in by_filter(desk, wanted):
        if everything or standing.state != "over":
            found.append(standing)
        if len(found) == most:
            break
    return found


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
    wanted = filter_of(where)
    came = at_desk(lambda desk: _done(desk, act, letters, wanted, most, dry_run), wait=wait)
    if as_data:
        typer.echo(json.dumps(came))
    else:
        counts = Counter(came.values())
        typer.echo(", ".join(f"{count} {what}" for what, count in counts.items()) or "No letter is meant.")
    if set(came.values()) & {"still_held", "asked", "spent", "impossible"}:
        raise typer.Exit(_NOT_DONE)


async def _done(
    desk: Desk, act: Act, letters: Sequence[str], wanted: LetterFilter, most: int, dry_run: bool
) -> dict[str, str]:
    """By letter what came of it. What one of them frees is met again further down, and is over then."""
    if letters:
        chosen = await by_ids(desk, letters)
    else:
        chosen = await _listed(desk, wanted, False, most)
    if len(chosen) > most:
        leave(f"{len(chosen)} letters are meant, and --max is {most}.", code=WRONG)
    came: dict[str, str] = {}
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("dead letters", total=len(chosen))
        for standing in reversed(chosen):  # the oldest first
            letter_id = standing.letter.letter_id
            came[letter_id] = f"would be: {standing.state}" if dry_run else await act(desk, standing)
            progress.advance(task)
    return came


async def _resumed(desk: Desk, component: str) -> int:
    event = WorkersResumed(
        event_id=new_id(), occurred_at=desk.clock.now(), component=component, actor_id=desk.operator
    )
    return (await desk.append(event, source=_SOURCE)).offset


def _plain(standing: Standing) -> dict[str, Any]:
    return letter_shape(standing).model_dump(mode="json")

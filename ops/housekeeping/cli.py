"""`python -m ops housekeeping …`: run the process that keeps house, or one turn of everything."""

import asyncio
import json
import threading
from typing import Annotated, Final

import typer

from adapters.settings import Settings, settings_or_exit
from adapters.telemetry import configure_logs
from ops.housekeeping.chore import OUTAGES
from ops.housekeeping.chores import CHORES
from ops.housekeeping.opening import COMPONENT
from ops.housekeeping.runner import Runner, SomebodyElse, once
from ops.sentences import until_stopped
from ops.stopping import stop_on_signals
from ops.waiting import UNREACHABLE, Json, first_line, leave, quiet_logs

app = typer.Typer(no_args_is_help=True, help="Housekeeping: what has to be done now and then.")

_BUSY: Final = 4
Once = Annotated[bool, typer.Option("--once", help="One turn of each chore, then end.")]


@app.callback()
def housekeeping() -> None:
    """Housekeeping: what has to be done now and then."""


@app.command()
def run(just_once: Once = False, as_data: Json = False) -> None:
    """Do the chores, for ever or once. Exit code: 0, 1 not reached, or 4 where another process does them."""
    settings = settings_or_exit()
    if just_once:
        quiet_logs()
    else:
        configure_logs(COMPONENT, settings)
    stop = stop_on_signals()
    with until_stopped(stop):
        if just_once:
            _one_turn(settings, stop, as_data=as_data)
        else:
            asyncio.run(Runner(settings, stop, CHORES).run())


def _one_turn(settings: Settings, stop: threading.Event, *, as_data: bool) -> None:
    try:
        done = asyncio.run(once(settings, stop, CHORES))
    except SomebodyElse:
        leave("Another process does the housekeeping already.", code=_BUSY)
    except OUTAGES as error:
        leave(f"A chore could not be done: {type(error).__name__}: {first_line(error)}.", code=UNREACHABLE)
    if as_data:
        typer.echo(json.dumps(done))
        return
    for name, counts in done.items():
        said = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
        typer.echo(f"{name}: {said or 'nothing to do'}")
